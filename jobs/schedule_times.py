"""When scheduled jobs are due. A night's moment is a function of its business date: no timer and no change of clocks decides.

Cron expressions are read on the wall clock of `schedule.timezone`, as cron reads them: 0 and 7 are Sunday. A time that
a change of clocks leaves out is due when the clocks have changed; one that comes twice is due the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from batch.pace import business_date, end_of_business_date
from schemas.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LOOK_BACK = 400
"""So many days back a night is looked for that may be due: an expression may name one day of the year."""

RETRY_AFTER = timedelta(minutes=30)
"""A night that sent nothing because something was away is tried again after so long."""

GRACE = timedelta(hours=2)
"""So long after its time a job may begin, behind a long night or a machine that sleeps, before somebody should look."""

NOT_DONE = (None, ExitCode.NOTHING_SENT, ExitCode.ANOTHER_RUN, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
"""Exit codes after which a night is still to be done: cut off, stopped, or nothing sent. Others need a person, not a timer."""


@dataclass(frozen=True, slots=True)
class NightRun:
    """A nightly or rerun in the ledger: its date, when it began, and its exit code; none while it works, or if it was cut off."""

    business_date: str
    started_at: datetime
    exit_code: int | None


def cron_trigger(expression: str, timezone: str, key: str = "schedule") -> "CronTrigger":
    """The expression as APScheduler's trigger. Raises ConfigurationError for one that is none, or never comes."""
    from apscheduler.triggers.cron import CronTrigger

    fields = expression.split()
    try:
        if len(fields) != 5:
            raise ValueError(f"it has {len(fields)} fields instead of 5")
        minute, hour, day, month, weekday = fields
        if "*" not in (day[:1], weekday[:1]):
            raise ValueError("it names days of the month and of the week, of which cron takes either; use one of them")
        zone = ZoneInfo(timezone)
        trigger = CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=zone)
        if trigger.get_next_fire_time(None, datetime(2026, 1, 1, tzinfo=zone)) is None:
            raise ValueError("it never comes")
    except (ValueError, IndexError) as error:
        raise ConfigurationError(
            f"{key} = {expression!r} is no cron expression: {error}.",
            next_step='Example: "30 1 * * *" is half past one every night.',
        ) from error
    return trigger


def _weekdays(field: str) -> str:
    """Cron's days of the week by name: APScheduler counts them from Monday."""
    if field == "*":
        return field
    found: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = 0 if span == "*" else _weekday(first)
        high = 6 if span == "*" else _weekday(last) if last else (6 if step else low)
        days = range(low, high + 1, int(step or 1))
        if not days:
            raise ValueError(f"{part!r} names no day of the week")
        found |= {number % 7 for number in days}
    return ",".join(WEEKDAYS[number] for number in sorted(found))


def _weekday(word: str) -> int:
    number = WEEKDAYS.index(word[:3]) if word[:3] in WEEKDAYS else int(word)
    if not 0 <= number <= 7:
        raise ValueError(f"{word!r} is no day of the week")
    return number


def night_due(expression: str, timezone: str, day: str) -> datetime | None:
    """When the night of a business date is due, in UTC; None if the expression leaves the date out, or the zone never had it."""
    trigger = cron_trigger(expression, "UTC", "schedule.nightly")
    midnight = datetime.combine(date.fromisoformat(day), time(0), UTC)
    wall = trigger.get_next_fire_time(None, midnight)
    if wall is None or wall.date() != midnight.date():
        return None
    zone = ZoneInfo(timezone)
    moment: datetime = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if business_date(moment, timezone) == day:
        return moment
    last = end_of_business_date(day, timezone) - timedelta(seconds=1)
    return last if business_date(last, timezone) == day else None


def latest_night(expression: str, timezone: str, now: datetime) -> str:
    """The latest business date whose night is due by now; empty where there was none for more than a year."""
    day = date.fromisoformat(business_date(now, timezone))
    for back in range(LOOK_BACK):
        each = (day - timedelta(days=back)).isoformat()
        due = night_due(expression, timezone, each)
        if due is not None and due <= now:
            return each
    return ""


def night_to_run(expression: str, timezone: str, now: datetime, runs: list[NightRun], since: datetime) -> str:
    """The business date whose night is to be run now; empty when there is none.

    Before the first night ever, only what has become due `since` counts: whoever installs this at noon sends nothing by surprise.
    """
    day = latest_night(expression, timezone, now)
    due = night_due(expression, timezone, day) if day else None
    if due is None or (not runs and due < since):
        return ""
    later = [run for run in runs if run.business_date >= day]
    if any(run.exit_code not in NOT_DONE for run in later):
        return ""
    tried = [run.started_at for run in later if run.exit_code == ExitCode.NOTHING_SENT]
    return "" if tried and now < max(tried) + RETRY_AFTER else day


def nights_between(expression: str, timezone: str, after: str, before: str) -> list[str]:
    """The business dates after one and before another that have a night, at most the last 30 of them."""
    first, last = date.fromisoformat(after), date.fromisoformat(before)
    days = [(first + timedelta(days=number)).isoformat() for number in range(1, (last - first).days)][-30:]
    return [day for day in days if night_due(expression, timezone, day) is not None]


def missed_since(expression: str, timezone: str, begun: datetime, now: datetime) -> datetime | None:
    """The first time at which a job was due after it last began, once the grace is over; None while it is in time."""
    due: datetime | None = cron_trigger(expression, timezone).get_next_fire_time(None, begun + timedelta(seconds=1))
    return due.astimezone(UTC) if due is not None and due + GRACE < now else None


def missed_night(expression: str, timezone: str, latest: str, now: datetime) -> datetime | None:
    """When the latest night was due that no run is for, once the grace is over; `latest` is the last date that had one."""
    day = latest_night(expression, timezone, now - GRACE)
    return night_due(expression, timezone, day) if day > latest else None
