"""Seeded worlds: schedules that break nothing, and the same bytes for the same seed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.world import shrink
from tests.world.planted import REPOSITORY
from tests.world.schedule import KINDS, Deed, Schedule, from_json, schedule_of
from tests.world.world import leave_ground

SEEDS = 24
"""Schedules of the fast tests; `python -m tests.world hunt FROM TO` tries as many as one likes."""

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    leave_ground()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seeded_schedule_breaks_no_invariant(seed: int) -> None:
    """Whatever goes wrong by this seed, every promise that the oracle checks is kept."""
    assert shrink.violations_of(schedule_of(seed)) == []


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_once_went_wrong_goes_well(path: Path) -> None:
    """A schedule that once found a bug finds none."""
    assert shrink.violations_of(from_json(path.read_text(encoding="utf-8"))) == []


def test_every_file_of_the_corpus_is_replayed() -> None:
    """Nothing lies in the corpus that no test tells: each file is a schedule by its ending, kept as it is written."""
    folder = Path(__file__).parent / "corpus"

    assert sorted(folder.iterdir()) == CORPUS
    assert len(CORPUS) >= 15
    for path in CORPUS:
        schedule = from_json(path.read_text(encoding="utf-8"))
        assert from_json(schedule.as_json()) == schedule
        assert all(deed.kind in KINDS for deed in schedule.deeds)


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


def test_a_refused_call_gives_the_same_bytes() -> None:
    """What the provider answers to a call that it refuses, down to its trace id, is decided by the seed as well."""
    by_calls = Deed("settings", 0, 0, 'channels.evaluate="api"')
    refused = Schedule(1, 1, (by_calls, Deed("row", 0, 0, "token refused")))

    assert shrink.trace_of(refused) == shrink.trace_of(refused)


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
