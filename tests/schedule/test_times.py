"""A night's moment follows from its business date: one per date, across every change of clocks, whoever wakes and how often."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.pace import business_date, utc_text
from jobs.schedule_times import NightRun, cron_trigger, latest_night, night_due, night_to_run, nights_between
from schemas.errors import ConfigurationError

CHANGES = {
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),
    "America/Sao_Paulo": ("2018-11-04", "2019-02-17"),
    "Asia/Tehran": ("2022-03-22", "2022-09-21"),
    "Pacific/Apia": ("2011-12-31", "2011-12-29"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
}
"""Zones with a day on which a time is left out, and one on which a time comes twice; Apia left out a whole day."""

EXPRESSIONS = (
    "30 1 * * *",
    "30 2 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "15 2 * * *",
    "45 23 * * *",
    "59 23 * * *",
    "*/20 1-2 * * *",
)


def nights_run(zone: str, expression: str, first: datetime, wakes: list[timedelta]) -> list[str]:
    """The nights of a scheduler that wakes so; each runs and is done at once."""
    runs: list[NightRun] = [NightRun((first.date() - timedelta(days=3)).isoformat(), first, 0)]
    runs = [NightRun(latest_night(expression, zone, first) or runs[0].business_date, first, 0)]
    now, ran = first, list[str]()
    for wake in wakes:
        now += wake
        day = night_to_run(expression, zone, now, runs, first)
        if day:
            ran.append(day)
            runs.append(NightRun(day, now, 0))
    return ran


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_both_changes_of_clocks_give_one_night_per_business_date(zone: str, expression: str) -> None:
    """Looking every ten minutes over six days around each change: each date of the zone once, in order, at its own moment."""
    for change in CHANGES[zone]:
        middle = datetime.fromisoformat(f"{change}T12:00:00+00:00")
        first = middle - timedelta(days=3)
        ran = nights_run(zone, expression, first, [timedelta(minutes=10)] * (6 * 24 * 6))
        dates = sorted({business_date(first + timedelta(minutes=10 * step), zone) for step in range(6 * 24 * 6)})
        assert ran == sorted(set(ran))
        assert (
            set(dates[1:-1]) <= {*ran, latest_night(expression, zone, first)} <= {*dates, latest_night(expression, zone, first)}
        )


@given(
    st.sampled_from(sorted(CHANGES)),
    st.sampled_from(EXPRESSIONS),
    st.integers(0, 1),
    st.lists(st.integers(1, 60 * 30).map(lambda minutes: timedelta(minutes=minutes)), min_size=1, max_size=40),
)
def test_whenever_it_wakes_no_date_runs_twice_and_the_latest_is_never_left(
    zone: str, expression: str, which: int, wakes: list[timedelta]
) -> None:
    """Sleeps of a minute up to more than a day: dates only grow, and after each wake the latest that was due is done."""
    first = datetime.fromisoformat(f"{CHANGES[zone][which]}T12:00:00+00:00") - timedelta(days=2)
    ran = nights_run(zone, expression, first, wakes)
    assert ran == sorted(set(ran))
    assert (ran[-1] if ran else latest_night(expression, zone, first)) == latest_night(
        expression, zone, first + sum(wakes, timedelta())
    )


@pytest.mark.parametrize(
    ("zone", "expression", "day", "moment"),
    [
        ("America/New_York", "30 1 * * *", "2026-11-01", "2026-11-01T05:30:00Z"),
        ("America/New_York", "30 2 * * *", "2026-03-08", "2026-03-08T07:30:00Z"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "30 2 * * *", "2026-03-29", "2026-03-29T01:30:00Z"),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-04", "2026-10-03T15:45:00Z"),
        ("America/Sao_Paulo", "30 0 * * *", "2018-11-04", "2018-11-04T03:30:00Z"),
        ("UTC", "0 6 * * 1", "2026-11-23", "2026-11-23T06:00:00Z"),
    ],
)
def test_the_moment_of_a_night(zone: str, expression: str, day: str, moment: str) -> None:
    """The first of two equal times; after the gap, what lies in one."""
    due = night_due(expression, zone, day)
    assert due is not None
    assert utc_text(due) == moment


def test_a_date_that_a_zone_never_had_has_no_night() -> None:
    """Samoa left out 30 December 2011."""
    assert night_due("30 1 * * *", "Pacific/Apia", "2011-12-30") is None
    assert nights_between("30 1 * * *", "Pacific/Apia", "2011-12-28", "2012-01-01") == ["2011-12-29", "2011-12-31"]


@pytest.mark.parametrize("number", [0, 7])
def test_days_of_the_week_are_crons(number: int) -> None:
    """0 and 7 are Sunday, and 1-5 are weekdays: APScheduler itself counts from Monday."""
    sunday = date(2026, 11, 22)
    assert night_due(f"0 1 * * {number}", "UTC", sunday.isoformat()) is not None
    assert night_due(f"0 1 * * {number}", "UTC", (sunday + timedelta(days=1)).isoformat()) is None
    days = [(sunday + timedelta(days=each)).isoformat() for each in range(7)]
    assert [night_due("0 1 * * 1-5", "UTC", day) is not None for day in days] == [False, *[True] * 5, False]
    assert [night_due("0 1 * * mon-fri", "UTC", day) is not None for day in days] == [False, *[True] * 5, False]
    assert [night_due("0 1 * * */2", "UTC", day) is not None for day in days] == [True, False, True, False, True, False, True]


@pytest.mark.parametrize("text", ["", "1 2 3", "61 1 * * *", "0 1 31 2 *", "0 1 * * 8", "0 1 1 * 1", "0 1 * * x", "0 1 * * 5-1"])
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    """With the key and an example."""
    with pytest.raises(ConfigurationError, match=r"schedule\.poll .* Example"):
        cron_trigger(text, "UTC", "schedule.poll")


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("runs", "wanted"),
    [
        ([], ""),
        ([("2026-11-22", 1, 0)], "2026-11-23"),
        ([("2026-11-20", 72, 10)], "2026-11-23"),
        ([("2026-11-23", 5, 0)], ""),
        ([("2026-11-23", 5, 10), ("2026-11-23", 4, 20)], ""),
        ([("2026-11-23", 5, 30)], ""),
        ([("2026-11-23", 5, 78)], ""),
        ([("2026-11-23", 5, None)], "2026-11-23"),
        ([("2026-11-23", 5, 143)], "2026-11-23"),
        ([("2026-11-23", 5, 20)], "2026-11-23"),
        ([("2026-11-23", 0.2, 20)], ""),
    ],
)
def test_what_the_ledger_says_decides(runs: list[tuple[str, float, int | None]], wanted: str) -> None:
    """Done, in need of a person, cut off, stopped, or nothing sent: only what is still to be done runs, and not at once again."""
    known = [NightRun(day, NOW - timedelta(hours=hours), code) for day, hours, code in runs]
    assert night_to_run("30 1 * * *", "UTC", NOW, known, NOW) == wanted


def test_the_first_night_ever_waits_for_its_time() -> None:
    """Whoever starts the schedule at noon sends nothing by surprise; the next night runs."""
    assert night_to_run("30 1 * * *", "UTC", NOW + timedelta(hours=13), [], NOW) == ""
    assert night_to_run("30 1 * * *", "UTC", NOW + timedelta(hours=14), [], NOW) == "2026-11-24"
