"""The judge of exit codes, where two runs are under way: each is judged by how things stood when it looked, not by later."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.two_runners.interleaving import FAR
from tests.two_runners.runners import Runner, SharedWorld
from tests.world.oracle_codes import i20_counts, i20_honest_codes
from tests.world.oracle_evidence import Evidence, evidence_of
from tests.world.schedule import Schedule
from tests.world.story import Story
from tests.world.world import ground

A_DAY = timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    ground().leave()
    ground.cache_clear()


def test_doubt_that_another_run_leaves_after_its_end_is_none_of_its_business() -> None:
    """A poll closed its record and stands still, while a night leaves orders in doubt; the poll's 0 is right, 11 were wrong."""
    with SharedWorld(1, orders=3) as world:
        first, second = Runner("first", world, "poll", "a"), Runner("second", world, "nightly", "a")
        _until_closed(first, world)
        _lose_the_answer_to_the_rename(world)
        second.move(FAR)
        first.move(FAR)
        seen = _seen(world)
        assert [(job, ended.code) for job, ended in seen.runs] == [("nightly", 11), ("poll", 0)]
        assert _judged(seen, "poll", 0) == []
        assert _judged(seen, "poll", 11) == ["I20: poll ended with 11 although nothing was in doubt"]


def test_doubt_that_another_run_ends_later_was_doubt_all_the_same() -> None:
    """A night closed with orders in doubt and stands still, while a poll learns what became of them; 11 stays right, 0 wrong."""
    with SharedWorld(1, orders=3) as world:
        _lose_the_answer_to_the_rename(world)
        first, second = Runner("first", world, "nightly", "a"), Runner("second", world, "poll", "a")
        _until_closed(first, world)
        world.provider.faults.clear()
        second.move(FAR)
        first.move(FAR)
        seen = _seen(world)
        assert [(job, ended.code) for job, ended in seen.runs] == [("poll", 0), ("nightly", 11)]
        assert _judged(seen, "nightly", 11) == []
        assert any("in doubt" in words for words in _judged(seen, "nightly", 0))


@pytest.mark.parametrize("looked", [True, False])
def test_time_that_passes_after_its_look_makes_nothing_overdue(looked: bool) -> None:
    """A delivered file waits for its answer; it became overdue while the night stood still, after its look or before."""
    with SharedWorld(1, orders=3) as world:
        world.provider.faults.switch_on("no_acknowledgement")
        first = Runner("first", world, "nightly", "a")
        while first.crossed[-1:] != ["before replace manifest.json"]:
            first.move(1)
        if looked:
            _until_closed(first, world)
        world.clock.advance(A_DAY)
        first.move(FAR)
        seen = _seen(world)
        right, wrong = (0, 11) if looked else (11, 0)
        assert seen.runs[0][1].code == right
        assert _judged(seen, "nightly", right) == []
        assert ["in doubt" in words for words in _judged(seen, "nightly", wrong)] == [True]


def _until_closed(runner: Runner, world: SharedWorld) -> None:
    while not _is_closed(world):
        assert not runner.has_ended, "it never closed its record"
        runner.move(1)


def _is_closed(world: SharedWorld) -> bool:
    with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
        return bool(connection.execute("SELECT count(*) FROM run WHERE exit_code IS NOT NULL").fetchone()[0])


def _seen(world: SharedWorld) -> Evidence:
    return evidence_of(Story(world, Schedule(1, 3, ())))


def _judged(seen: Evidence, job: str, code: int) -> list[str]:
    """What is said of a run, had it ended with this code and written that down."""
    ((number, ended),) = ((number, ended) for number, (name, ended) in enumerate(seen.runs) if name == job)
    assert ended.report is not None
    run_id = ended.report.run_id
    ledger_runs = [{**row, "exit_code": code} if row["run_id"] == run_id else row for row in seen.ledger_runs]
    runs = [*seen.runs[:number], (job, replace(ended, code=code)), *seen.runs[number + 1 :]]
    doctored = replace(seen, runs=runs, ledger_runs=ledger_runs)
    return [*i20_honest_codes(doctored), *i20_counts(doctored)]


def _lose_the_answer_to_the_rename(world: SharedWorld) -> None:
    """And let nobody look whether it happened."""
    world.provider.faults.switch_on("drop_after_rename")
    world.provider.faults.switch_on("refuse_connection", skip=1, times=99)
    world.provider.faults.switch_on("server_error_before", times=99, where="orders")
