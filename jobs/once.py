"""`nightly --once`: one night per business date, however many schedulers and machines ask for it."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from batch.equipment import Clock
from batch.ledger.paging import nights_of
from batch.pace import from_utc_text, utc_text
from jobs.assembly import open_ledger_alone
from jobs.schedule_times import NOT_DONE, NightRun, night_due, nights_between
from schemas.errors import ConfigurationError, NightDone
from schemas.settings import Settings

LATE = timedelta(hours=1)
"""A first run of a date that begins so long after it was due is told of."""


def night_runs(connection: Connection, mid: str) -> list[NightRun]:
    """The nights of the ledger, oldest first."""
    return [NightRun(row.business_date, from_utc_text(row.started_at), row.exit_code) for row in nights_of(connection, mid)]


class Once:
    """The night of one date: whether it is done, and what was before it."""

    def __init__(self, settings: Settings, day: str) -> None:
        self._settings, self._day = settings, day
        self._before: list[NightRun] = []

    def look(self, connection: Connection) -> None:
        """Look, in the transaction that takes the lease, whether the night is done. Raises NightDone."""
        self._before = night_runs(connection, self._settings.provider.mid)
        done = [run for run in self._before if run.business_date >= self._day and run.exit_code not in NOT_DONE]
        if done:
            began = utc_text(done[-1].started_at)
            raise NightDone(f"The night of {self._day} is done: one of {done[-1].business_date} began at {began}.")

    def look_ahead(self, clock: Clock) -> None:
        """Look before anything is begun: who has nothing to do tells nobody that a night begins. Raises NightDone."""
        with open_ledger_alone(self._settings, clock=clock) as ledger, ledger.reading() as connection:
            self.look(connection)

    def lateness(self, now: datetime) -> str:
        """In words: how late this first run of its date is, and which nights before it were never run; empty if in time."""
        schedule, day = self._settings.schedule, self._day
        try:
            due = night_due(schedule.nightly, schedule.timezone, day)
        except ConfigurationError:
            return ""  # nobody keeps such a schedule
        if due is None or now < due + LATE or any(run.business_date >= day for run in self._before):
            return ""
        words = f"the night of {day} was due at {utc_text(due)} and began at {utc_text(now)}"
        last = max((run.business_date for run in self._before), default="")
        never = nights_between(schedule.nightly, schedule.timezone, last, day) if last else []
        return f"{words}; never run: {', '.join(never)}" if never else words
