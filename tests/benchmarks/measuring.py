"""How a cost is taken: of work in this process, or of a command in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Cost, median
from tests.commands.walking import environment

_LAUNCH = """
import json, os, sys, time
began = time.perf_counter()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
took = [os.waitstatus_to_exitcode(status), time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]
open(sys.argv[1], "w").write(json.dumps(took))
"""
"""Starts a command from a process that is small itself: the kernel counts who starts it into the peak of a command."""


def here(work: Callable[[], object]) -> Cost:
    """What a piece of work costs in this process."""
    began, worked = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - began, time.process_time() - worked)


def in_turn(ways: Mapping[str, Callable[[], Cost]], times: int = 5) -> dict[str, Cost]:
    """The medians of several ways of the same work, taken in turns, so that what the machine does meets all of them alike."""
    found: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(times):
        for name, way in ways.items():
            found[name].append(way())
    return {name: median(costs) for name, costs in found.items()}


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended: its code, what it printed, and what it cost by itself."""

    code: int
    out: str
    err: str
    cost: Cost


def process(words: Sequence[str], folder: Path, **changed: str) -> Ended:
    """Run a command to its end. The cost is that of this very process, as the kernel counted it.

    Raises AssertionError for a command that was killed.
    """
    out, err, cost = folder / ".out", folder / ".err", folder / ".cost"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        line = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(cost), *words]
        subprocess.run(line, stdout=out_file, stderr=err_file, cwd=folder, env=environment(**changed), check=True)
    code, wall, processor, peak_kb = json.loads(cost.read_text())
    assert code >= 0, err.read_text(errors="replace")
    found = Cost(wall, processor, peak_kb / 1024)
    return Ended(code, out.read_text(errors="replace"), err.read_text(errors="replace"), found)


def mitbatch(config: Path, *words: str) -> Ended:
    """Run a command of the program as its users do."""
    return process([sys.executable, "-m", "jobs", "--config", str(config), *words], config.parent)


def ratio(slow: Cost, fast: Cost) -> float:
    """How many times as long the one takes as the other, by the clock."""
    return slow.wall / fast.wall if fast.wall else 0.0
