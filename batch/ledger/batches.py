"""Which files stand where: unsent, unanswered, waiting for more than they got."""

from typing import Any

from sqlalchemy import Connection, Select, select

from batch.ledger.records import Batch
from schemas.ledger_tables import batch, submission
from schemas.states import UNSENT_STEPS, BatchStep, State

_BATCH_COLUMNS = [batch.c[name] for name in Batch.__dataclass_fields__]


def unsent_batches(connection: Connection, mid: str, kind: str | None = None) -> list[Batch]:
    """Batches whose delivery is not finished, oldest first."""
    query = select(*_BATCH_COLUMNS).where(batch.c.mid == mid, batch.c.step.in_([step.value for step in UNSENT_STEPS]))
    if kind is not None:
        query = query.where(batch.c.kind == kind)
    return _batches(connection, query)


def unanswered_batches(connection: Connection, mid: str) -> list[Batch]:
    """Delivered batches without an acknowledgement, oldest first."""
    return _batches(connection, select(*_BATCH_COLUMNS).where(batch.c.mid == mid, batch.c.step == BatchStep.DELIVERED.value))


def waiting_batches(connection: Connection, mid: str) -> list[Batch]:
    """Files that have left, or may have, and of which the provider has not answered for everything, oldest first.

    These are files in doubt, delivered files, and acknowledged files whose acknowledgement left orders out.
    """
    left_out = select(submission.c.batch_id).where(
        submission.c.mid == mid, submission.c.state.in_([State.SENDING.value, State.IN_DOUBT.value])
    )
    gone = (BatchStep.IN_DOUBT, BatchStep.DELIVERED)
    query = select(*_BATCH_COLUMNS).where(
        batch.c.mid == mid,
        batch.c.step.in_([step.value for step in gone])
        | ((batch.c.step == BatchStep.ACKNOWLEDGED.value) & batch.c.batch_id.in_(left_out)),
    )
    return _batches(connection, query)


def delivered_on(connection: Connection, mid: str, business_date: str) -> list[str]:
    """Names of a business date's evaluate files that have left: no run sends them again."""
    gone = [step.value for step in (BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED, BatchStep.REFUSED)]
    query = select(batch.c.file_name).where(
        batch.c.mid == mid, batch.c.business_date == business_date, batch.c.kind == "evaluate", batch.c.step.in_(gone)
    )
    return list(connection.execute(query.order_by(batch.c.file_name)).scalars())


def _batches(connection: Connection, query: Select[Any]) -> list[Batch]:
    rows = connection.execute(query.order_by(batch.c.business_date, batch.c.batch_id)).mappings()
    return [Batch.of(row) for row in rows]


def batch_named(connection: Connection, mid: str, file_name: str) -> Batch | None:
    """The batch that a file name belongs to."""
    row = (
        connection.execute(select(*_BATCH_COLUMNS).where(batch.c.mid == mid, batch.c.file_name == file_name))
        .mappings()
        .one_or_none()
    )
    return Batch.of(row) if row is not None else None


def batch_by_id(connection: Connection, mid: str, batch_id: str) -> Batch | None:
    """The batch with this id."""
    row = (
        connection.execute(select(*_BATCH_COLUMNS).where(batch.c.mid == mid, batch.c.batch_id == batch_id))
        .mappings()
        .one_or_none()
    )
    return Batch.of(row) if row is not None else None
