"""Running the parts one after another, each in a process of its own, within the time that there is."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tests.house.source import ROOT
from tests.long.circumstances import Circumstances
from tests.long.outcome import Outcome
from tests.long.parts import Part

GRACE_SECONDS = 20.0
"""So long a campaign whose time is over may take to put its things away."""


def run_part(part: Part, size: int, seed: int, around: Circumstances, *, said: Path, seconds: float) -> Outcome:
    """Run one part; whatever ends it, within so many seconds, is in the outcome. What it prints is kept in the file `said`."""
    planned = Outcome(part.name, part.target, part.title, size, seed, around.commit, around.date, around.machine)
    began = time.monotonic()
    said.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mitbatch-long-") as folder:
        told = Path(folder) / "told.json"
        ended = _run_alone([part.campaign, str(size), str(seed), str(told)], said, seconds)
        if told.is_file():
            found = json.loads(told.read_text(encoding="utf-8"))
            return replace(
                planned,
                seconds=found["seconds"],
                cpu_seconds=found["cpu_seconds"],
                figures=found["figures"],
                violations=tuple(found["violations"]),
                notes=tuple(found["notes"]),
            )
    return replace(planned, seconds=time.monotonic() - began, broken=ended)


def _run_alone(words: list[str], said: Path, seconds: float) -> str:
    """How the campaign's process ended, with the last that it said. Whatever it has started ends with it."""
    command = [sys.executable, "-m", "tests.long.alone", *words]
    with said.open("wb") as output:
        child = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = child.wait(timeout=max(seconds, 0.0))
            how = f"it ended with {code}"
        except subprocess.TimeoutExpired:
            how = f"it was stopped after {seconds:,.0f} seconds, when its time was over"
            _interrupt(child)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    last = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return ": ".join([how, *last])


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """Let a campaign stop its servers and remove its folders, for a while."""
    child.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=GRACE_SECONDS)


def run_parts(
    parts: list[tuple[Part, int, int]],
    run: Callable[[Part, int, int, float], Outcome],
    *,
    seconds: float,
    watch: Callable[[Part, Outcome], None],
    clock: Callable[[], float] = time.monotonic,
) -> list[Outcome]:
    """Run every part with its size and seed, whatever became of those before it, while there is time.

    `watch` sees each outcome as soon as it is there. A part for which no time is left has an outcome that says so.
    """
    deadline, outcomes = clock() + seconds, []
    for part, size, seed in parts:
        left = deadline - clock()
        if left > 0:
            outcome = run(part, size, seed, left)
        else:
            outcome = Outcome(part.name, part.target, part.title, size, seed, broken="it was not begun: the time was over")
        watch(part, outcome)
        outcomes.append(outcome)
    return outcomes
