"""Kills at no labelled point, and two real runs on one ledger: a few of the many that the long campaigns try."""

import re
from dataclasses import asdict

import pytest

from tests.crash.campaign import _delays, _traced
from tests.crash.kills import why_not_traced
from tests.crash.pool import Pool
from tests.crash.races import LEASE_OVER, RENAMES, Race, race_of
from tests.crash.world import Verdict, point_of

SEED = 3


def _broken(verdicts: list[Verdict]) -> list[str]:
    return [verdict.words() for verdict in verdicts if verdict.violations]


def test_a_kill_after_any_time_changes_nothing(pool: Pool) -> None:
    """Killed after a random delay, a run leaves what the next one brings to the end of a run that was not killed."""
    verdicts = pool.try_all(_delays(pool.durations_ms, 4, SEED))
    assert _broken(verdicts) == []
    assert any(verdict.label.startswith("killed") for verdict in verdicts)


@pytest.mark.skipif(bool(why_not_traced()), reason=why_not_traced() or "strace can be used")
def test_a_kill_at_a_call_of_the_system_changes_nothing(pool: Pool) -> None:
    """Killed by strace in the midst of a sync, a rename or a write, a run leaves what the next one brings to the same end."""
    verdicts = pool.try_all(_traced(6, SEED))
    assert _broken(verdicts) == []
    killed = [found[1] for verdict in verdicts if (found := re.match(r"killed at (\w+)", verdict.label))]
    assert len(set(killed)) >= 3


def test_two_real_runs_at_once_send_once(pool: Pool) -> None:
    """Two processes on one ledger, one of which stands still meanwhile: each order goes once, and the books are right."""
    races = [race_of(number, SEED, pool.labels["night"][0], pool.durations_ms["night"][0]) for number in range(4)]
    assert {race.at > 0 for race in races} == {True, False}
    answers = pool.ask_all([asdict(race) for race in races])
    assert [said["violations"] for said in answers] == [[]] * len(races)
    assert sum(said["in_the_midst"] for said in answers) > len(races) // 2


def _before_the_rename(pool: Pool, part: str = f"{RENAMES}$", **more: object) -> dict[str, object]:
    """A race whose first night stands still before its rename (or at this point); the second comes when it has ended."""
    at = point_of(pool.labels["night"][0], part)
    race = Race(0, "nightly", "nightly", at=at, late=True, delay_ms=0, pause_ms=0, seconds=LEASE_OVER, second_runs="after")
    return {**asdict(race), **more}


def test_a_run_that_stands_still_before_its_rename(pool: Pool) -> None:
    """It looks at the token's age last of all and renews it; past that look, the file is refused, or is the other run's."""
    looks_afterwards = _before_the_rename(pool, late=False)
    looked_before = _before_the_rename(pool)
    is_overtaken = _before_the_rename(pool, second_runs="before")
    for_a_moment = _before_the_rename(pool, seconds=500)
    answers = pool.ask_all([looks_afterwards, looked_before, is_overtaken, for_a_moment])
    assert [said["violations"] for said in answers] == [[]] * 4
    assert [said["token_over"] for said in answers] == [False, True, False, False]


def test_a_file_that_is_refused_for_no_such_reason_is_a_violation(pool: Pool) -> None:
    """Only a token that was over excuses a refused file, and only where time has passed after the last look at it."""
    for_another_reason = _before_the_rename(pool, fault="refuse_file")
    in_no_time = _before_the_rename(pool, fault="refuse_file", seconds=0)
    for said in pool.ask_all([for_another_reason, in_no_time]):
        assert not said["token_over"]
        assert "the provider refused a whole file" in said["violations"]


def test_a_part_that_an_overtaken_run_writes_late_is_left_and_never_renamed(pool: Pool) -> None:
    """Standing still before it writes its part, a run leaves it behind when its lease is over, and has none when it is not."""
    overtaken, resting = (
        _before_the_rename(pool, "before SSH start_client", late=False, second_runs="before", seconds=seconds)
        for seconds in (LEASE_OVER, 0)
    )
    answers = pool.ask_all([overtaken, resting])
    assert [(said["violations"], said["late_part"]) for said in answers] == [([], True), ([], False)]
