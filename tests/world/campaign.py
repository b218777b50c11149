"""T1 and T13: fresh seeds beside the whole corpus, each judged and counted; and the same seeds told three times over."""

import gc
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.long.campaign import Campaign, on_all_cores
from tests.world.schedule import Schedule, from_json, schedule_of
from tests.world.shrink import happened, trace_of
from tests.world.story import Story
from tests.world.world import START, leave_ground

REPOSITORY = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
MOST_AT_A_TIME = 250
"""So many schedules at most are told on one ground; to make one costs as much as a few of them."""
FEWEST = 25
"""So many at least, for the same reason, where there are many seeds: the last ones, for which no core shall wait long."""
TOO_FEW = 16
"""Fewer seeds than this are not worth another Python."""
NIGHTS = ("nightly", "rerun")
FIRST = (
    "schedules",
    "of them from the corpus",
    "runs",
    "nights",
    "simulated days",
    "points",
    "faults planned",
    "faults fired",
    "runs killed",
    "runs inside another run",
)
"""The figures that stand before those by name: what was done."""


@dataclass
class Tally:
    """What some schedules counted to, and what they broke."""

    figures: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    days: float = 0.0
    cpu_seconds: float = 0.0

    def __iadd__(self, other: "Tally") -> "Tally":
        self.figures.update(other.figures)
        self.violations += other.violations
        self.days += other.days
        self.cpu_seconds += other.cpu_seconds
        return self


def campaign(size: int, seed: int) -> Campaign:
    """So many fresh seeds, from this one on, and every schedule that once found a bug."""
    began = time.monotonic()
    total = Tally()
    least = FEWEST if size > MOST_AT_A_TIME else 1
    cases: list[Sequence[int] | Sequence[str]] = [sorted(path.name for path in CORPUS.glob("*.json")), *shares(size, seed, least)]
    for tally in on_all_cores(judge_each, cases):
        total += tally
    return Campaign("T1", "seeded worlds", figures_of(total), tuple(total.violations), time.monotonic() - began, notes_of(total))


def figures_of(total: Tally) -> dict[str, int]:
    """The figures in their order: what was done, then what struck and how runs ended, by name."""
    found = {**total.figures, "simulated days": int(total.days)}
    rest = sorted(found.keys() - {*FIRST}, key=_by_number)
    return {name: found.get(name, 0) for name in (*FIRST, *rest)}


def _by_number(name: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]+)", name) if part)


def notes_of(total: Tally) -> tuple[str, ...]:
    """How fast it went, by the time of the processors that it used and not of a clock on the wall."""
    each = total.cpu_seconds / max(1, total.figures["schedules"])
    return (f"{1 / each if each else 0:.1f} schedules a second and core, {1000 * each:.0f} ms of processor time each",)


def shares(size: int, seed: int, least: int = 1) -> Iterator[range]:
    """The seeds in stretches, as many as the cores need: the fewer are left, the shorter, but none shorter than `least`."""
    first, end = seed, seed + size
    while first < end:
        step = max(least, min(MOST_AT_A_TIME, -(-(end - first) // (4 * (os.cpu_count() or 1)))))
        yield range(first, min(first + step, end))
        first += step


def judge_each(cases: Sequence[int] | Sequence[str]) -> Tally:
    """Let these schedules happen, seeds or names of the corpus, one after another on a ground of their own, and judge them."""
    leave_ground()  # one that this process had before it was forked is the parent's
    tally = Tally()
    began = time.process_time()
    for case in _with_a_clean_heap(cases):
        again = f"python -m tests.world replay {case}" if isinstance(case, int) else f"the corpus has it as {case}"
        schedule = schedule_of(case) if isinstance(case, int) else from_json((CORPUS / case).read_text(encoding="utf-8"))
        story, violations = happened(schedule)
        tally.violations += [f"{words} ({again})" for words in violations]
        tally.figures["of them from the corpus"] += isinstance(case, str)
        count(tally, schedule, story)
    tally.cpu_seconds = time.process_time() - began
    leave_ground()
    return tally


def _with_a_clean_heap(cases: Sequence[int] | Sequence[str]) -> Iterator[int | str]:
    """Each case, and after it what it left behind is let go: in the midst of a story nothing needs to be looked for."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for case in cases:
            yield case
            gc.collect(1)
    finally:
        if was_enabled:
            gc.enable()
        gc.collect()


def count(tally: Tally, schedule: Schedule, story: Story) -> None:
    """Add what one schedule came to."""
    world = story.world
    figures = tally.figures
    figures["schedules"] += 1
    figures["runs"] += len(world.runs)
    figures["nights"] += sum(job in NIGHTS for job, _ in world.runs)
    figures["points"] += len(world.points.labels)
    figures["faults planned"] += len(schedule.deeds)
    figures["faults fired"] += story.fired.total()
    figures["runs killed"] += sum(ended.killed for _, ended in world.runs)
    figures["runs inside another run"] += sum(mark.inside > 0 for mark in world.witness.marks)
    figures.update({f"planned: {kind}": times for kind, times in Counter(deed.kind for deed in schedule.deeds).items()})
    figures.update({f"fired: {name}": times for name, times in story.fired.items()})
    figures.update({f"reached: {name}": times for name, times in story.reached.items()})
    figures.update({f"exit code: {code}": times for code, times in Counter(ended.code for _, ended in world.runs).items()})
    tally.days += (world.clock.now() - START).total_seconds() / 86400


def determinism(size: int, seed: int) -> Campaign:
    """So many seeds told three times: under one hash seed, once more there after all the others, and under another hash seed.

    The last time each statement goes SQLAlchemy's own way, the first two times the short one of `tests.world.statements`.
    """
    began = time.monotonic()
    violations: list[str] = []
    figures: Counter[str] = Counter()
    for seeds, told in on_all_cores(_told_thrice, shares(size, seed, TOO_FEW)):
        figures["schedules told three times"] += len(seeds)
        violations += differences(seeds, told)
        figures["of them with the same bytes"] += sum(len({*three}) == 1 for three in zip(*told, strict=True))
    seconds = time.monotonic() - began
    return Campaign("T13", "the same seed, the same bytes", dict(figures), tuple(violations), seconds)


Told = tuple[list[str], list[str], list[str]]


def differences(seeds: Iterable[int], told: Told) -> list[str]:
    """What is wrong where the three tellings of a seed are not one."""
    found = []
    for seed, first, again, elsewhere in zip(seeds, *told, strict=True):
        command = f"PYTHONHASHSEED=1 python -m tests.world trace {seed}"
        plainly = f"PYTHONHASHSEED=2 python -m tests.world traces {seed} {seed + 1} --plainly"
        if first != again:
            found.append(f"T13: seed {seed} goes differently after other schedules ({command})")
        if first != elsewhere:
            found.append(f"T13: seed {seed} goes differently under another hash seed, plainly ({command}, and {plainly})")
    return found


def _told_thrice(seeds: range) -> tuple[range, Told]:
    lines = _traced("1", seeds, "--twice")
    return seeds, (lines[: len(seeds)], lines[len(seeds) :][::-1], _traced("2", seeds, "--plainly"))


def _traced(hash_seed: str, seeds: range, *more: str) -> list[str]:
    told = subprocess.run(
        [sys.executable, "-m", "tests.world", "traces", str(seeds.start), str(seeds.stop), *more],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.splitlines()


def traces(seeds: range, *, twice: bool) -> Iterator[str]:
    """A line for each seed; `twice`: and then all once more, backwards, each after other schedules than before."""
    for seed in [*seeds, *(reversed(seeds) if twice else ())]:
        try:
            yield trace_of(schedule_of(seed))
        except Exception as error:  # noqa: BLE001 - that it breaks off is for T1 to tell; here it must do so every time
            yield f"broke off: {type(error).__name__}"
