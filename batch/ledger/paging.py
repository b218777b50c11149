"""What the ledger knows of whole nights and of files: how many candidates, and when the provider's last file was seen."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from schemas.ledger_tables import batch, decision, evidence, remote_file, run, submission
from schemas.states import API_FORMAT, State

_NIGHTS = (
    select(run.c.business_date)
    .where(run.c.mid == bindparam("mid"), run.c.job == "nightly", run.c.business_date <= bindparam("until"))
    .distinct()
    .order_by(run.c.business_date.desc())
    .limit(bindparam("limit"))
)
_COUNTS = (
    select(decision.c.business_date, func.count())
    .where(decision.c.mid == bindparam("mid"), decision.c.business_date.in_(bindparam("dates", expanding=True)))
    .group_by(decision.c.business_date)
)
_OUTCOMES = select(evidence.c.evidence_id).where(evidence.c.mid == bindparam("mid"), evidence.c.source == "file").limit(1)
_PENDING = (
    select(submission.c.order_id)
    .join(batch, (batch.c.mid == submission.c.mid) & (batch.c.batch_id == submission.c.batch_id))
    .where(submission.c.mid == bindparam("mid"), submission.c.state == State.PENDING.value, batch.c.format != API_FORMAT)
    .limit(1)
)
_LAST = select(func.max(remote_file.c.seen_at)).where(remote_file.c.mid == bindparam("mid"))


def candidates_by_night(connection: Connection, mid: str, until: str, nights: int) -> dict[str, int]:
    """How many candidates each of the latest nights had, up to a business date and with it."""
    dates = list(connection.execute(_NIGHTS, {"mid": mid, "until": until, "limit": nights + 1}).scalars())
    counted = {row[0]: int(row[1]) for row in connection.execute(_COUNTS, {"mid": mid, "dates": dates})}
    return {day: counted.get(day, 0) for day in dates}


def last_response(connection: Connection, mid: str) -> str:
    """When the provider's latest file was first seen (UTC text); empty if outcome files never came, or nothing waits for one."""
    about = {"mid": mid}
    if connection.execute(_OUTCOMES, about).first() is None or connection.execute(_PENDING, about).first() is None:
        return ""
    return str(connection.execute(_LAST, about).scalar_one() or "")


_RUNS = (
    select(run.c.business_date, run.c.started_at, run.c.exit_code)
    .where(run.c.mid == bindparam("mid"), run.c.job.in_(["nightly", "rerun"]))
    .order_by(run.c.fencing_token)
)


def nights_of(connection: Connection, mid: str) -> Sequence[Row[Any, Any, Any]]:
    """Every nightly and rerun: business date, when it began (UTC text), and its exit code, oldest first."""
    return connection.execute(_RUNS, {"mid": mid}).all()
