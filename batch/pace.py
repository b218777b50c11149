"""When things are due: business dates in the merchant's time zone, due dates for people, and the pace of asking for answers."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_SLOWEST = timedelta(hours=6)
_UTC_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_SATURDAY = 5


def next_read_at(*, now: datetime, handed_over_at: datetime, expires_at: datetime, min_interval_seconds: int) -> datetime:
    """When to ask for an order again, having asked now: after a tenth of its age, at most six hours, and at its expiry.

    Never sooner than `min_interval_seconds`, not even for the expiry.
    """
    soonest = now + timedelta(seconds=min_interval_seconds)
    tenth = timedelta(seconds=(now - handed_over_at) // timedelta(seconds=10))
    paced = max(soonest, now + min(tenth, _SLOWEST))
    return min(paced, max(soonest, expires_at)) if expires_at > now else paced


def business_date(now: datetime, timezone: str) -> str:
    """The calendar date in the merchant's time zone, as YYYY-MM-DD."""
    return _aware(now).astimezone(ZoneInfo(timezone)).date().isoformat()


def end_of_business_date(date: str, timezone: str) -> datetime:
    """The first moment, in UTC, that no longer belongs to a business date: a charge at this moment is the next date's."""
    return datetime.combine(_next_day(date), time(0), ZoneInfo(timezone)).astimezone(UTC)


def due_date(opened: str, business_days: int) -> str:
    """The date that lies so many business days (Monday to Friday) after another; 0 is the date itself."""
    day = date.fromisoformat(opened)
    while business_days > 0:
        day += timedelta(days=1)
        business_days -= day.weekday() < _SATURDAY
    return day.isoformat()


def utc_text(moment: datetime) -> str:
    """A moment as UTC text with whole seconds, such as `2026-11-23T06:30:01Z`; fractions are cut off (ISO 8601)."""
    aware = _aware(moment)
    utc = aware if aware.tzinfo is UTC else aware.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


@lru_cache(maxsize=1024)
def from_utc_text(text: str) -> datetime:
    """The moment that `utc_text` wrote. Raises ValueError for anything else."""
    if not _UTC_TEXT.fullmatch(text):
        raise ValueError("a time must look like 2026-11-23T06:30:01Z")
    return datetime.fromisoformat(text)


def _next_day(text: str) -> date:
    return date.fromisoformat(text) + timedelta(days=1)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone stands for no moment")
    return moment
