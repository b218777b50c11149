"""What was measured, as rows of a table and as JSON: each figure beside what it is compared with, in the same run."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one piece of work took: seconds by the clock, seconds of the processor, and the peak of memory in MB, 0 unknown."""

    wall: float
    processor: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `times` is how many times the work was done; the cost is the median's.

    `units` is how many orders, files, calls or rows were worked on; `unit` says which. `says` is a ratio or a goal in words.
    """

    part: str
    what: str
    cost: Cost
    units: int = 0
    unit: str = "orders"
    times: int = 1
    says: str = ""

    @property
    def rate(self) -> float:
        """Units a second by the clock."""
        return self.units / self.cost.wall if self.cost.wall else 0.0

    @property
    def micros(self) -> float:
        """Microseconds of the processor for each unit."""
        return self.cost.processor / self.units * 1e6 if self.units else 0.0


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that a run of this size can be held against: the value reached, and whether it is enough."""

    part: str
    what: str
    reached: float
    wanted: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.reached <= self.wanted if self.at_most else self.reached >= self.wanted


def median(costs: Sequence[Cost]) -> Cost:
    """The middle one by the clock, with the middle of each other column."""
    return Cost(
        statistics.median(each.wall for each in costs),
        statistics.median(each.processor for each in costs),
        max(each.peak_mb for each in costs),
    )


def machine() -> dict[str, object]:
    """The machine that the figures are of: without it a figure says nothing."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


HEAD = f"{'':<10} {'':<52} {'clock':>10} {'processor':>11} {'peak':>8} {'a second':>10} {'µs each':>8}"
"""The words above the columns of a line."""


def line_of(each: Figure) -> str:
    """A figure as a line for a terminal; `µs each` is of the processor."""
    cost = each.cost
    wall = f"{cost.wall:8.2f} s" if cost.wall else ""
    processor = f"{cost.processor:9.2f} s" if cost.processor else ""
    peak = f"{cost.peak_mb:5.0f} MB" if cost.peak_mb else ""
    rate = f"{each.rate:,.0f}" if each.units and cost.wall else ""
    micros = f"{each.micros:,.0f}" if each.units and cost.processor else ""
    line = f"{each.part:<10} {each.what:<52} {wall:>10} {processor:>11} {peak:>8} {rate:>10} {micros:>8}"
    return f"{line}   {each.says}".rstrip()


def verdicts(goals: Sequence[Goal]) -> list[str]:
    """Which goals this run reaches, and which it does not."""
    lines = []
    for each in goals:
        word, bound = ("ok" if each.is_met else "MISSED"), ("at most" if each.at_most else "at least")
        lines.append(f"{word:<7} {each.part:<10} {each.what:<60} {each.reached:10,.2f}   {bound} {each.wanted:,.2f}")
    return lines


def as_json(figures: Sequence[Figure], goals: Sequence[Goal], sizes: Sequence[int]) -> str:
    """Everything as one object."""
    found = {
        "schema": "mitbatch.benchmarks/1",
        "machine": machine(),
        "sizes": list(sizes),
        "figures": [{**asdict(each), "rate": each.rate, "micros": each.micros} for each in figures],
        "goals": [{**asdict(each), "is_met": each.is_met} for each in goals],
    }
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
