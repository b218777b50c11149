"""One run at a time: a lease with a growing token, taken before anything is done and given back at the end."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from batch.ledger.records import Owner, Run
from batch.ledger.transaction import Ledger, Writing
from batch.pace import from_utc_text, utc_text
from schemas.errors import AnotherRunActive, ExitCode
from schemas.ledger_tables import lease
from schemas.ledger_tables import run as run_table


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long a lease lives without a sign of life, and how long a nightly waits for a lesser run to step aside."""

    seconds: int
    wait_seconds: float


LESSER_JOBS = frozenset({"poll", "transmit", "reconcile", "cancel", "capture", "refund", "review", "audit", "lock", "switch"})
"""Jobs that a nightly waits for: they step aside at their next step, or are over in seconds."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0

_HOLDER = select(lease).where(lease.c.mid == bindparam("mid")).with_for_update()
_OF_MERCHANT = update(lease).where(lease.c.mid == bindparam("w_mid"))
_WANT = _OF_MERCHANT.values(wanted_by=bindparam("v_wanted_by"))
_GRANTED = ("token", "run_id", "job", "host", "pid", "pid_started", "expires_at", "wanted_by")
_GRANT = _OF_MERCHANT.values({name: bindparam(f"v_{name}") for name in _GRANTED})
_GIVE_BACK = _OF_MERCHANT.where(lease.c.token == bindparam("w_token")).values(
    run_id=None, job=None, wanted_by=None, expires_at=None
)
_FIRST, _START = insert(lease), insert(run_table)
_FINISH = (
    update(run_table)
    .where(run_table.c.mid == bindparam("w_mid"), run_table.c.run_id == bindparam("w_run_id"))
    .values(finished_at=bindparam("v_finished_at"), exit_code=bindparam("v_exit_code"))
)


def take_lease(
    ledger: Ledger,
    *,
    run_id: str,
    job: str,
    business_date: str,
    owner: Owner,
    terms: LeaseTerms,
    is_alive: Callable[[Owner], bool],
    sleep: Callable[[float], None],
    unless: Callable[[Connection], None] = lambda _connection: None,
) -> Run:
    """Become the one run that may write. Raises AnotherRunActive when another one is, after waiting where waiting is due.

    A lease is taken over at once when its process is dead on this host, and when it has run out. `unless` is asked in the
    transaction that takes it, and raises when it must not be taken.
    """
    waited, pause = 0.0, _FIRST_PAUSE
    while True:
        with ledger.unguarded() as connection:
            holder = lease_row(connection, ledger.mid)
            now = ledger.now()
            if _is_free(holder, owner, utc_text(now), is_alive):
                unless(connection)
                token = _grant(
                    connection, ledger.mid, holder, run_id, job, owner, utc_text(now + timedelta(seconds=terms.seconds))
                )
                started = Run(run_id=run_id, job=job, business_date=business_date, token=token)
                _record_start(connection, ledger.mid, started, utc_text(now))
                return started
            waits = job in {"nightly", "rerun"} and holder["job"] in LESSER_JOBS and waited < terms.wait_seconds
            if not waits:
                raise AnotherRunActive(
                    f"A {holder['job']} run ({holder['run_id'][:8]}, process {holder['pid']} on {holder['host']}) is active.",
                    now="This run did nothing.",
                    next_step="Wait for it to end (mitbatch status), then run again.",
                )
            connection.execute(_WANT, {"w_mid": ledger.mid, "v_wanted_by": run_id})
        ledger.may_go_on()
        pause = min(pause, terms.wait_seconds - waited)
        sleep(pause)
        waited += pause
        pause = min(2 * pause, _LONGEST_PAUSE)


def end_run(
    ledger: Ledger, run: Run, exit_code: ExitCode, *, left_books: bool = True, also: Callable[[Writing], None] = lambda _: None
) -> None:
    """Write down how the run ended and give the lease back, in one transaction. Raises LeaseLost when it is not ours.

    A run that could not write finance's files gets its code and no end: `cut_off_dates` leaves its date to the next run.
    `also` writes what belongs to the very same transaction.
    """
    with ledger.writing(run, last=True) as writing:
        ended = {"v_finished_at": writing.now if left_books else None, "v_exit_code": int(exit_code)}
        writing.connection.execute(_FINISH, {"w_mid": ledger.mid, "w_run_id": run.run_id, **ended})
        also(writing)
        writing.connection.execute(_GIVE_BACK, {"w_mid": ledger.mid, "w_token": run.token})


def lease_row(connection: Connection, mid: str) -> RowMapping:
    """The lease's row, locked until the transaction ends. A first run makes it; one that comes at the same moment waits, and
    then finds it.
    """
    holder = connection.execute(_HOLDER, {"mid": mid}).mappings().one_or_none()
    if holder is None:
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(_FIRST, {"mid": mid, "token": 0})
        holder = connection.execute(_HOLDER, {"mid": mid}).mappings().one()
    return holder


def _is_free(holder: RowMapping, owner: Owner, now: str, is_alive: Callable[[Owner], bool]) -> bool:
    if holder["run_id"] is None:
        return True
    if from_utc_text(holder["expires_at"]) < from_utc_text(now):
        return True
    return holder["host"] == owner.host and not is_alive(Owner(holder["host"], holder["pid"], holder["pid_started"]))


def _grant(connection: Connection, mid: str, holder: RowMapping, run_id: str, job: str, owner: Owner, expires_at: str) -> int:
    token: int = holder["token"] + 1
    values = {
        "token": token,
        "run_id": run_id,
        "job": job,
        "host": owner.host,
        "pid": owner.pid,
        "pid_started": owner.pid_started,
        "expires_at": expires_at,
        "wanted_by": None,
    }
    connection.execute(_GRANT, {"w_mid": mid, **{f"v_{name}": value for name, value in values.items()}})
    return token


def _record_start(connection: Connection, mid: str, started: Run, now: str) -> None:
    values = {
        "mid": mid,
        "run_id": started.run_id,
        "job": started.job,
        "business_date": started.business_date,
        "fencing_token": started.token,
        "started_at": now,
    }
    connection.execute(_START, values)
