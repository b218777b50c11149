"""Business dates follow the merchant's calendar over every change of clocks, and questions are asked at a decent pace."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.pace import business_date, due_date, end_of_business_date, from_utc_text, next_read_at, utc_text

NEW_YORK = "America/New_York"
START = datetime(2026, 11, 1, tzinfo=UTC)
EXPIRY = START + timedelta(days=21)
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "UTC",
]
SECONDS_FROM_2000_TO_2035 = st.integers(min_value=946_684_800, max_value=2_082_758_399)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-23T04:59:59Z", "2026-11-22"),
        ("2026-11-23T05:00:00Z", "2026-11-23"),
        ("2026-11-23T06:30:00Z", "2026-11-23"),
        ("2026-07-01T03:59:59Z", "2026-06-30"),
        ("2026-07-01T04:00:00Z", "2026-07-01"),
    ],
)
def test_the_business_date_is_the_merchants_calendar_date(moment: str, day: str) -> None:
    """Midnight in New York parts two business dates, in winter and in summer."""
    assert business_date(from_utc_text(moment), NEW_YORK) == day


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-11-22", 24), ("2026-11-01", 25), ("2026-03-08", 23), ("2026-07-04", 24), ("2024-02-29", 24)]
)
def test_a_business_date_is_as_long_as_its_day(day: str, hours: int) -> None:
    """A day on which clocks change has 23 or 25 hours."""
    before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    length = end_of_business_date(day, NEW_YORK) - end_of_business_date(before, NEW_YORK)

    assert length == timedelta(hours=hours)


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2035, 12, 31)), st.sampled_from(ZONES))
def test_business_dates_leave_no_gap_and_no_overlap(day: date, zone: str) -> None:
    """The moment before a date's end is not later than the date, and the end itself is a later date."""
    end = end_of_business_date(day.isoformat(), zone)

    assert business_date(end - timedelta(seconds=1), zone) <= day.isoformat()
    assert business_date(end, zone) > day.isoformat()
    assert end.tzinfo is UTC


@given(SECONDS_FROM_2000_TO_2035, st.sampled_from(ZONES))
def test_every_moment_lies_in_its_business_date(seconds: int, zone: str) -> None:
    """A moment lies before the end of its own business date and not before the end of the one before."""
    now = datetime.fromtimestamp(seconds, UTC)
    day = business_date(now, zone)
    before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()

    assert end_of_business_date(before, zone) <= now < end_of_business_date(day, zone)


@pytest.mark.parametrize(
    ("opened", "days", "due"),
    [
        ("2026-11-23", 3, "2026-11-26"),
        ("2026-11-20", 3, "2026-11-25"),
        ("2026-11-21", 1, "2026-11-23"),
        ("2026-11-22", 0, "2026-11-22"),
        ("2026-12-30", 3, "2027-01-04"),
    ],
)
def test_due_dates_skip_weekends(opened: str, days: int, due: str) -> None:
    """Saturdays and Sundays are no business days; 0 days is the date itself."""
    assert due_date(opened, days) == due


def test_utc_text_cuts_fractions_and_turns_to_utc() -> None:
    """A moment of any zone is written in UTC with whole seconds."""
    assert utc_text(datetime(2026, 11, 23, 1, 30, 1, 999999, tzinfo=ZoneInfo(NEW_YORK))) == "2026-11-23T06:30:01Z"
    assert utc_text(datetime(987, 1, 2, 3, 4, 5, tzinfo=UTC)) == "0987-01-02T03:04:05Z"


def test_a_time_without_a_zone_is_refused() -> None:
    """The machine's own zone never decides."""
    naive = datetime(2026, 11, 23)  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"):
        utc_text(naive)
    with pytest.raises(ValueError, match="without a zone"):
        business_date(naive, NEW_YORK)


@pytest.mark.parametrize("text", ["", "2026-11-23", "2026-11-23T06:30:01", "2026-11-23T06:30:01+00:00", "2026-11-23T06:30:01Z\n"])
def test_only_our_own_time_texts_are_read_back(text: str) -> None:
    """Anything that utc_text would not write is refused."""
    with pytest.raises(ValueError, match="must look like"):
        from_utc_text(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_survive_being_written(moment: datetime) -> None:
    """What was written is read back, to the second."""
    assert from_utc_text(utc_text(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(0), timedelta(minutes=5)),
        (timedelta(minutes=50), timedelta(minutes=5)),
        (timedelta(hours=10), timedelta(hours=1)),
        (timedelta(days=2, hours=12), timedelta(hours=6)),
        (timedelta(days=15), timedelta(hours=6)),
        (timedelta(days=30), timedelta(hours=6)),
    ],
)
def test_the_older_the_rarer(age: timedelta, wait: timedelta) -> None:
    """Five minutes at first, then a tenth of the age, never more than six hours."""
    now = START + age

    assert next_read_at(now=now, handed_over_at=START, expires_at=EXPIRY, min_interval_seconds=300) == now + wait


@pytest.mark.parametrize(
    ("before_expiry", "wait"),
    [
        (timedelta(hours=7), timedelta(hours=6)),
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(minutes=1), timedelta(minutes=5)),
        (timedelta(0), timedelta(hours=6)),
        (timedelta(minutes=-1), timedelta(hours=6)),
    ],
)
def test_an_order_is_read_at_its_expiry(before_expiry: timedelta, wait: timedelta) -> None:
    """The expiry is a moment to ask, but not sooner than the smallest interval."""
    now = EXPIRY - before_expiry

    assert next_read_at(now=now, handed_over_at=START, expires_at=EXPIRY, min_interval_seconds=300) == now + wait


@given(
    st.integers(min_value=-86400, max_value=60 * 86400), st.integers(min_value=0, max_value=100_000), st.integers(1, 60 * 86400)
)
def test_the_pace_never_stalls_and_never_hurries(age: int, minimum: int, life: int) -> None:
    """The next read lies at least the smallest interval ahead, and at most six hours where that is smaller."""
    now = START + timedelta(seconds=age)
    expires_at = START + timedelta(seconds=life)
    due = next_read_at(now=now, handed_over_at=START, expires_at=expires_at, min_interval_seconds=minimum)

    assert timedelta(seconds=minimum) <= due - now <= max(timedelta(seconds=minimum), timedelta(hours=6))
    assert not now < expires_at < due or due == now + timedelta(seconds=minimum)
