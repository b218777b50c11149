"""Seeded worlds: schedules that break nothing, the same bytes for the same seed, and planted bugs that are noticed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.world import shrink
from tests.world.planted import PLANTED, REPOSITORY, Planted, judged
from tests.world.schedule import Deed, Schedule, from_json, schedule_of
from tests.world.world import ground

SEEDS = 24
"""Schedules of the fast tests; `python -m tests.world hunt FROM TO` tries as many as one likes."""

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    ground().leave()
    ground.cache_clear()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seeded_schedule_breaks_no_invariant(seed: int) -> None:
    """Whatever goes wrong by this seed, every promise that the oracle checks is kept."""
    assert shrink.violations_of(schedule_of(seed)) == []


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_once_went_wrong_goes_well(path: Path) -> None:
    """A schedule that once found a bug finds none."""
    assert shrink.violations_of(from_json(path.read_text(encoding="utf-8"))) == []


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two processes with other hash seeds come to the same points, journal, files and tables."""
    said = [
        subprocess.run(
            [sys.executable, "-m", "tests.world", "trace", "5"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert said[0] == said[1]
    assert len(said[0].strip()) == 64


def test_another_seed_gives_other_bytes() -> None:
    """The hash of a world depends on its seed."""
    quiet = Schedule(1, 1, ())

    assert shrink.trace_of(quiet) != shrink.trace_of(replace(quiet, seed=2))


def test_a_schedule_travels_as_one_line() -> None:
    """What is written as JSON is read as the same schedule."""
    for seed in range(50):
        assert from_json(schedule_of(seed).as_json()) == schedule_of(seed)


def test_shrinking_leaves_only_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deeds and orders without which the same invariant is still broken are left out."""
    culprit = Deed("crash", 1, 7)
    monkeypatch.setattr(shrink, "violations_of", lambda one: ["I2: twice"] if culprit in one.deeds else [])
    long = Schedule(9, 4, (Deed("engine", 0, 3), culprit, Deed("crash", 2, 8)))

    assert shrink.shrunk(long) == Schedule(9, 1, (culprit,))


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.invariant)
def test_a_planted_bug_is_noticed(bug: Planted, tmp_path: Path) -> None:
    """The invariant that a planted bug breaks says so."""
    assert f"\n  {bug.invariant}:" in judged(bug, tmp_path)


@pytest.mark.parametrize("aim", sorted({bug.aim for bug in PLANTED}))
def test_without_the_bug_its_schedule_breaks_nothing(aim: str) -> None:
    """It is the planted bug that is noticed, and not its schedule."""
    assert shrink.violations_of(from_json(aim)) == []


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.invariant)
def test_every_patch_fits(bug: Planted) -> None:
    """The text that a patch replaces stands exactly once in the source."""
    assert (REPOSITORY / bug.file).read_text(encoding="utf-8").count(bug.old) == 1
