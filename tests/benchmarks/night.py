"""A whole night by SFTP, stage by stage, the day after it, and the simple script beside it."""

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from tests.benchmarks.declines import declines
from tests.benchmarks.figures import Cost, Figure, Goal
from tests.benchmarks.measuring import Ended, mitbatch, process
from tests.benchmarks.naive import SIZE, naive

PART = "night"
OUTCOMES_AFTER = timedelta(days=2)
"""When the pretend provider has completed what it takes by its tokens."""


def night(count: int) -> Iterator[Figure]:
    """The figures of one night of so many orders, and of the commands of the day after."""
    with tempfile.TemporaryDirectory(prefix="mitbatch-bench-") as folder, declines(Path(folder) / "merchant", count) as merchant:
        times = merchant.folder / "times.json"
        words = [sys.executable, "-m", "tests.benchmarks.staged", str(times), "--config", str(merchant.config), "nightly"]
        done = _good(process(words, merchant.folder))
        yield Figure(PART, f"the whole night, {count:,} orders", done.cost, count)
        for stage, seconds in json.loads(times.read_text()).items():
            yield Figure(PART, f"  {stage}", Cost(0.0, seconds), count)
        yield Figure(PART, f"a night with nothing to do after {count:,}", _good(mitbatch(merchant.config, "nightly")).cost)
        yield Figure(PART, "status", _good(mitbatch(merchant.config, "status")).cost)
        merchant.advance(OUTCOMES_AFTER)
        yield Figure(PART, f"poll, {count:,} outcomes", _good(mitbatch(merchant.config, "poll", "--all")).cost, count)
        yield Figure(PART, f"reconcile, {count:,} orders", _good(mitbatch(merchant.config, "reconcile")).cost, count)


def _good(ended: Ended) -> Ended:
    """A run that did its work; one that did not is no figure. Raises AssertionError."""
    assert ended.code in (0, 10), f"{ended.out[-2000:]}{ended.err[-2000:]}"
    return ended


def naive_night(count: int = SIZE) -> Figure:
    """What users would write instead, measured for as many orders as it can do in reasonable time."""
    return Figure(PART, "a pandas loop, put one by one, a call and a poll each", naive(count), count)


def goals(figures: list[Figure]) -> list[Goal]:
    """What a run with a million and with ten thousand orders is held against."""
    whole = {each.units: each for each in figures if each.what.startswith("the whole night")}
    largest, smallest = max(whole, default=0), min(whole, default=0)
    found = []
    if largest >= 1_000_000:
        found.append(Goal(PART, "processor, seconds", whole[largest].cost.processor, 300, at_most=True))
        found.append(Goal(PART, "peak of memory, MB", whole[largest].cost.peak_mb, 400, at_most=True))
    if largest > smallest:
        what = f"an order of {largest:,} beside one of {smallest:,}"
        found.append(Goal(PART, what, whole[largest].micros / whole[smallest].micros, 1.3, at_most=True))
    idle = [each for each in figures if each.what.startswith("a night with nothing")]
    found += [Goal(PART, f"{each.what}, seconds", each.cost.wall, 1, at_most=True) for each in idle]
    looked = [each for each in figures if each.what == "status"]
    found += [Goal(PART, "status, seconds", max(each.cost.wall for each in looked), 1, at_most=True)] if looked else []
    return found
