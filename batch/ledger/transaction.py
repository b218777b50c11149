"""Reading and writing the ledger. Every writing transaction first proves that its run still holds the lease."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Engine, Insert, Update, bindparam, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from batch.database_state import WILL_WRITE, is_away
from batch.ledger.records import Run
from batch.many_rows import driver_form
from batch.pace import utc_text
from schemas.errors import LeaseLost, LeaseWanted, LedgerBusy, TransitionLost
from schemas.ledger_tables import lease

_STILL_OURS = (
    update(lease)
    .where(lease.c.mid == bindparam("w_mid"), lease.c.token == bindparam("w_token"), lease.c.run_id == bindparam("w_run_id"))
    .values(expires_at=bindparam("v_expires_at"))
    .returning(lease.c.wanted_by)
)


class Clock(Protocol):
    """What the ledger needs of a clock."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Writing:
    """One transaction that may change the ledger: its connection, whose run it is, and its one point in time (UTC text).

    `events` are the rows of the event chain that it writes, for whoever is told of them when it has committed.
    """

    connection: Connection
    mid: str
    run: Run
    now: str
    events: list[Mapping[str, object]] = field(default_factory=list)

    def execute_many(self, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Carry out a statement for every row, all of which have the same names; none of it stands before the commit."""
        form = driver_form(statement, self.connection.dialect, rows)
        return self.connection.execute(statement, rows) if form is None else self.connection.exec_driver_sql(*form)


class Ledger:
    """The ledger of one merchant id, on an engine whose transactions are fully synchronised to disk when they commit.

    `told` gets the rows of the event chain of each transaction once it has committed; it must not raise.
    `leave_no_copy` has the database give up what it still holds besides its rows of what was emptied, as far as it can.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        mid: str,
        clock: Clock,
        lease_seconds: int,
        may_go_on: Callable[[], None] = lambda: None,
        told: Callable[[Sequence[Mapping[str, object]]], None] = lambda _events: None,
        leave_no_copy: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine = engine
        self.may_go_on = may_go_on
        self.leave_no_copy = leave_no_copy
        self.mid = mid
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._told = told

    def now(self) -> datetime:
        """The time now, in UTC, by the clock that this ledger was given."""
        return self._clock.now()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction: one consistent picture of the ledger, however many statements it is read with."""
        with self._database_errors(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # there each statement would see the ledger anew unless told
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def unguarded(self) -> Iterator[Connection]:
        """A writing transaction outside any lease, for taking one and for first use. Nothing about orders is written here."""
        with self._database_errors(), self.engine.connect() as connection:
            connection.info[WILL_WRITE] = True
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self, run: Run, *, last: bool = False) -> Iterator[Writing]:
        """A transaction of this run: committed as a whole when the block ends, undone as a whole when it raises.

        `may_go_on` is asked first: it raises when somebody wants the run to stop. Raises LeaseLost when another run took
        over, LeaseWanted when a nightly waits for this lesser run (not when `last`, the run's closing words). Either way
        nothing is written.
        """
        if not last:
            self.may_go_on()
        now = self.now()
        with self.unguarded() as connection:
            expires_at = utc_text(now + timedelta(seconds=self._lease_seconds))
            mine = {"w_mid": self.mid, "w_token": run.token, "w_run_id": run.run_id, "v_expires_at": expires_at}
            row = connection.execute(_STILL_OURS, mine).one_or_none()
            if row is None:
                raise LeaseLost(f"Run {run.run_id[:8]} ({run.job}) no longer holds the lease; another run took over.")
            if row.wanted_by and run.gives_way and not last:
                raise LeaseWanted(f"Run {run.run_id[:8]} ({run.job}) stopped at this step: a nightly run is waiting.")
            written = Writing(connection=connection, mid=self.mid, run=run, now=utc_text(now))
            yield written
        self._told(written.events)

    @contextmanager
    def _database_errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise TransitionLost("The ledger's own constraints refused a step; nothing of it was written.") from error
        except DBAPIError as error:
            lost = error.connection_invalidated  # perhaps at COMMIT, and then nobody can say here whether it happened
            state, operational = getattr(error.orig, "sqlstate", None), isinstance(error, OperationalError)
            if not is_away(state, is_lost=lost, is_operational=operational):
                raise
            raise LedgerBusy(
                f"The ledger's database could not be used ({' '.join(str(error.orig).split())[:200]}).",
                now="This step is written as a whole or not at all." if lost else "Nothing of this step was written.",
                next_step="Check the database, its disk, and that no other program has it locked, then run again.",
            ) from error
