"""One run of a job in a forked child, to its end or to the point at which it dies."""

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jobs.clock import MovableClock
from jobs.night import run_with
from jobs.output import Options
from jobs.settings_file import load_settings
from schemas.errors import MitbatchError
from tests.crash.crossings import Crossings, die


@dataclass(frozen=True)
class Ending:
    """How a child ended: `killed` at the point `label`, or by itself with an exit code. `labels` are the points it crossed."""

    killed: bool
    label: str = ""
    labels: tuple[str, ...] = ()
    code: int = -1
    new_items: int = 0
    balanced: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """A job to be run on a standing clock, with the point at which it dies (0: nowhere)."""

    name: str
    now: datetime
    at: int = 0
    everything: bool = False


class Child:
    """A forked child that runs one job. `halts`: at its point it waits for `go_on` instead of dying."""

    def __init__(self, crossings: Crossings, settings: Path, job: Job, *, halts: bool = False) -> None:
        self._answers, ours = os.pipe()
        theirs, self._word = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._answers)
            os.close(self._word)
            _run_and_exit(crossings, settings, job, ours, theirs if halts else -1)
        os.close(ours)
        os.close(theirs)

    def await_halt(self) -> str:
        """The label of the point at which the child waits."""
        return str(json.loads(os.read(self._answers, 65536))["at"])

    def go_on(self) -> None:
        """Let the child go on."""
        os.write(self._word, b"!")

    def ending(self) -> Ending:
        """Wait for the end."""
        with os.fdopen(self._answers, "rb") as stream:
            lines = stream.read().splitlines()
        os.close(self._word)
        _, status = os.waitpid(self.pid, 0)
        last: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == 9:
            return Ending(killed=True, label=last.get("at", ""))
        assert os.WIFEXITED(status), f"the child ended with status {status}"
        assert os.WEXITSTATUS(status) == 0, last.get("failure", status)
        return Ending(
            killed=False,
            labels=tuple(last["labels"]),
            code=last["code"],
            new_items=last["new_items"],
            balanced=last["balanced"],
            problems=tuple(last["problems"]),
        )


def run_here(crossings: Crossings, settings: Path, job: Job) -> int:
    """Run a job in this process, once, so that its forks find everything loaded. Returns the exit code."""
    code = _outcome(crossings, settings, job, die)["code"]
    crossings.rest()
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10)
    assert threading.active_count() == 1, f"a fork would lose {threading.enumerate()}"
    assert isinstance(code, int)
    return code


def _run_and_exit(crossings: Crossings, settings: Path, job: Job, answers: int, word: int) -> NoReturn:
    """The child's whole life. Nothing of the parent's is torn down."""

    def say(**fields: object) -> None:
        os.write(answers, json.dumps(fields).encode() + b"\n")

    def halt(label: str) -> None:
        say(at=label)
        os.read(word, 1)

    def say_and_die(label: str) -> None:
        say(at=label)
        die(label)

    try:
        _silence(settings.parent / "child.log")
        say(**_outcome(crossings, settings, job, halt if word >= 0 else say_and_die))
    except BaseException:  # noqa: BLE001 - the parent shows it
        say(failure=traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _silence(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())


def _outcome(crossings: Crossings, path: Path, job: Job, act: Callable[[str], None]) -> dict[str, object]:
    options = Options(config=path, quiet=True)
    settings = load_settings(path)
    crossings.begin(job.at, act)
    try:
        report, _ = run_with(settings, options, job.name, "", everything=job.everything, clock=MovableClock(job.now))
    except MitbatchError as problem:
        return {"labels": [], "code": int(problem.exit_code), "new_items": 0, "balanced": False, "problems": [str(problem)]}
    return {
        "labels": crossings.labels,
        "code": int(report.code),
        "new_items": report.new_items,
        "balanced": report.audit is not None and report.audit.balanced,
        "problems": [str(problem) for problem in report.findings.problems],
    }
