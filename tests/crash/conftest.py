"""The two workers, and what became of every point: run once, looked at by every test."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.pool import Pool
from tests.crash.world import Case, Verdict
from tests.in_memory import private_folder

POINTS = 9
"""Of the points of all scenarios, one in so many is tried here; T3 of the long run dies at all of them."""
EVERY = 7
"""Of those points, one in so many is tried with a second death during the recovery."""


@dataclass(frozen=True)
class Outcome:
    """All verdicts: one point each, further cases that points asked for, and pairs of points."""

    labels: dict[str, list[list[str]]]
    workers_agree: bool
    points: list[Case]
    verdicts: list[Verdict]
    pairs: list[Verdict]


@pytest.fixture(scope="package")
def quick_folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: what is synced there need not wait for a disk."""
    folder = private_folder("crash")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package")
def pool(quick_folder: Path) -> Iterator[Pool]:
    """Two workers, ready."""
    with Pool(quick_folder) as pool:
        yield pool


@pytest.fixture(scope="package")
def outcome(pool: Pool) -> Outcome:
    """Points of every scenario, and the pairs."""
    points = every_point(pool.labels)[::POINTS]
    verdicts = pool.try_all(points)
    return Outcome(pool.labels, pool.agree, points, verdicts, pool.try_all(pairs_of(points, verdicts)))


def every_point(labels: dict[str, list[list[str]]]) -> list[Case]:
    """One case for each point; the merchant's own retry is as eager as it can be, except where only copies are sent.

    Of calls a share is tried in test_calls.py.
    """
    return [
        Case(scenario, step, at, engine=scenario != "transmit")
        for scenario, jobs in labels.items()
        if scenario != "calls"
        for step, points in enumerate(jobs)
        for at in range(1, len(points) + 1)
    ]


def pairs_of(points: list[Case], verdicts: list[Verdict]) -> list[Case]:
    """Every seventh of the points with a second death at a point of its recovery, which walks through the whole recovery."""
    recovery = {verdict.case: verdict.recovery for verdict in verdicts}
    return [
        Case(case.scenario, case.step, case.at, case.engine, again=1 + (turn * 17) % recovery[case])
        for turn, case in enumerate(points[::EVERY])
    ]
