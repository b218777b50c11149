"""One run of a job in a forked child, to its end or to the point at which it dies."""

import json
import mmap
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from jobs.clock import MovableClock
from jobs.night import run_with
from jobs.output import Options
from jobs.settings_file import load_settings
from schemas.errors import MitbatchError
from tests.crash.crossings import Crossings, die

_PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Ending:
    """How a child ended: `killed` at the point `label`, or by itself with an exit code. `labels` are the points it crossed.

    `seconds` is how long it worked, from before its first point.
    """

    killed: bool
    label: str = ""
    labels: tuple[str, ...] = ()
    code: int = -1
    new_items: int = 0
    balanced: bool = False
    problems: tuple[str, ...] = ()
    seconds: float = 0.0


class WorldTime:
    """Seconds since a world began. Forked children see them move, also one that stands still meanwhile and then goes on."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 8)

    @property
    def seconds(self) -> int:
        """How many have passed."""
        return int.from_bytes(self._shared[:8], "little")

    @seconds.setter
    def seconds(self, seconds: int) -> None:
        self._shared[:8] = seconds.to_bytes(8, "little")


class WorldClock(MovableClock):
    """A clock that stands still until its owner sleeps or the world's time moves."""

    def __init__(self, start: datetime, world: WorldTime) -> None:
        super().__init__(start)
        self._world, self._began = world, world.seconds

    def _passed(self) -> int:
        return self._world.seconds - self._began

    def now(self) -> datetime:
        """The time now, in UTC."""
        return super().now() + timedelta(seconds=self._passed())

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return super().monotonic() + self._passed()


@dataclass(frozen=True)
class Job:
    """A job to be run on a standing clock, or on the world's, with the point at which it acts (0: nowhere; see Crossings).

    With a `bug` it has one that was planted.
    """

    name: str
    now: datetime
    at: int = 0
    everything: bool = False
    world: WorldTime | None = None
    late: bool = False
    bug: str = ""

    def clock(self) -> MovableClock:
        """The clock that it is run on."""
        return MovableClock(self.now) if self.world is None else WorldClock(self.now, self.world)


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

    def stop(self) -> bool:
        """Stop it by SIGSTOP wherever it is; whether that was before it had ended."""
        os.kill(self.pid, signal.SIGSTOP)
        found = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        has_answered = bool(select.select([self._answers], [], [], 0)[0])
        return found is not None and found.si_code == os.CLD_STOPPED and not has_answered

    def ending(self) -> Ending:
        """Wait for the end."""
        lines = self._rest().splitlines()
        os.close(self._answers)
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
            seconds=last["seconds"],
        )

    def _rest(self) -> bytes:
        """All that it says until it ends. One that says nothing for so long waits for something that never comes."""
        said = bytearray()
        while select.select([self._answers], [], [], _PATIENCE_SECONDS)[0]:
            piece = os.read(self._answers, 65536)
            if not piece:
                return bytes(said)
            said += piece
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"the child said nothing for {_PATIENCE_SECONDS} s after {bytes(said)!r}")


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
        work = _with_bug(job.bug) if job.bug else _outcome
        say(**work(crossings, settings, job, halt if word >= 0 else say_and_die))
    except BaseException:  # noqa: BLE001 - the parent shows it
        say(failure=traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _with_bug(slug: str) -> Callable[[Crossings, Path, Job, Callable[[str], None]], dict[str, object]]:
    """How a run is worked in a program that has this bug. Only for a child, which forgets the program without it."""
    from tests.crash.planted import BUGS

    BUGS[slug].plant()
    from tests.crash import runs

    return runs._outcome


def _silence(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())


def _outcome(crossings: Crossings, path: Path, job: Job, act: Callable[[str], None]) -> dict[str, object]:
    options = Options(config=path, quiet=True)
    settings = load_settings(path)
    crossings.begin(job.at, act, late=job.late)
    began = time.monotonic()
    try:
        report, _ = run_with(settings, options, job.name, "", everything=job.everything, clock=job.clock())
    except MitbatchError as problem:
        said = {"labels": [], "code": int(problem.exit_code), "new_items": 0, "balanced": False, "problems": [str(problem)]}
        return {**said, "seconds": time.monotonic() - began}
    return {
        "seconds": time.monotonic() - began,
        "labels": crossings.labels,
        "code": int(report.code),
        "new_items": report.new_items,
        "balanced": report.audit is not None and report.audit.balanced,
        "problems": [str(problem) for problem in report.findings.problems],
    }
