"""Which files stand where: unsent, unanswered, waiting for more than they got."""

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, select

from batch.ledger.records import Batch
from schemas.ledger_tables import among, batch, submission
from schemas.states import API_FORMAT, OPEN, UNSENT_STEPS, BatchStep, State

_MINE = batch.c.mid == bindparam("mid")
_BATCHES = select(*(batch.c[name] for name in Batch.__dataclass_fields__)).where(_MINE)
_IN_ORDER = _BATCHES.order_by(batch.c.business_date, batch.c.batch_id)
_UNSENT = _IN_ORDER.where(among(batch.c.step, UNSENT_STEPS))
_UNSENT_OF_KIND = _UNSENT.where(batch.c.kind == bindparam("kind"))
_UNANSWERED = _IN_ORDER.where(batch.c.step == BatchStep.DELIVERED.value)
_UNFINISHED = _IN_ORDER.where(among(batch.c.step, [*UNSENT_STEPS, BatchStep.DELIVERED]))
_LEFT_OUT = select(submission.c.batch_id).where(
    submission.c.mid == bindparam("mid"), among(submission.c.state, [State.SENDING, State.IN_DOUBT])
)
_WAITING = _IN_ORDER.where(
    among(batch.c.step, [BatchStep.IN_DOUBT, BatchStep.DELIVERED])
    | (among(batch.c.step, [BatchStep.ACKNOWLEDGED, BatchStep.CALLING]) & batch.c.batch_id.in_(_LEFT_OUT))
)
_IS_FILE = batch.c.format != API_FORMAT
_OPEN_FILES = select(batch.c.file_name).where(_MINE, _IS_FILE, among(batch.c.step, [*UNSENT_STEPS, BatchStep.DELIVERED]))
_OPEN_FILE = _OPEN_FILES.limit(1)
_OPEN_BY_FILE = (
    select(submission.c.batch_id)
    .where(submission.c.mid == bindparam("mid"), submission.c.channel == "sftp", among(submission.c.state, OPEN))
    .limit(1)
)
_GONE = (BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED, BatchStep.REFUSED)
_DELIVERED_ON = (
    select(batch.c.file_name)
    .where(_MINE, batch.c.business_date == bindparam("business_date"), batch.c.kind == "evaluate")
    .where(among(batch.c.step, _GONE))
    .order_by(batch.c.file_name)
)
_STEPS = select(batch.c.batch_id, batch.c.step).where(_MINE)
_NAMED = _BATCHES.where(batch.c.file_name == bindparam("file_name"))
_BY_ID = _BATCHES.where(batch.c.batch_id == bindparam("batch_id"))

_UNEXPORTED = _IN_ORDER.where(
    batch.c.business_date.between(bindparam("since"), bindparam("until")),
    (batch.c.step == BatchStep.EMPTY.value)
    | ((batch.c.kind == "transmit") & ~_IS_FILE & (batch.c.step == BatchStep.ACKNOWLEDGED.value)),
)


def unexported_batches(connection: Connection, mid: str, *, since: str, until: str) -> list[Batch]:
    """Batches of these business dates that ended and of which no file was exported: empty ones, and copies sent by calls."""
    return _batches(connection, _UNEXPORTED, mid=mid, since=since, until=until)


def unsent_batches(connection: Connection, mid: str, kind: str | None = None) -> list[Batch]:
    """Batches whose delivery is not finished, oldest first."""
    if kind is not None:
        return _batches(connection, _UNSENT_OF_KIND, mid=mid, kind=kind)
    return _batches(connection, _UNSENT, mid=mid)


def unanswered_batches(connection: Connection, mid: str) -> list[Batch]:
    """Delivered batches without an acknowledgement, oldest first."""
    return _batches(connection, _UNANSWERED, mid=mid)


def unfinished_batches(connection: Connection, mid: str) -> list[Batch]:
    """Batches whose delivery is not finished, and delivered ones without an acknowledgement, oldest first."""
    return _batches(connection, _UNFINISHED, mid=mid)


def waiting_batches(connection: Connection, mid: str) -> list[Batch]:
    """Files that have left, or may have, and of which the provider has not answered for everything, oldest first.

    These are files in doubt, delivered files, and acknowledged files whose acknowledgement left orders out.
    """
    return _batches(connection, _WAITING, mid=mid)


def files_open(connection: Connection, mid: str) -> bool:
    """Whether any file is unsent or unanswered, or any order that travelled in one has not ended."""
    return any(connection.execute(query, {"mid": mid}).first() is not None for query in (_OPEN_FILE, _OPEN_BY_FILE))


def open_files(connection: Connection, mid: str) -> list[str]:
    """The names of all files that are unsent or unanswered."""
    return list(connection.execute(_OPEN_FILES.order_by(batch.c.file_name), {"mid": mid}).scalars())


def delivered_on(connection: Connection, mid: str, business_date: str) -> list[str]:
    """Names of a business date's evaluate files that have left: no run sends them again."""
    return list(connection.execute(_DELIVERED_ON, {"mid": mid, "business_date": business_date}).scalars())


def steps_of(connection: Connection, mid: str) -> dict[str, BatchStep]:
    """How far every batch has got, by its id."""
    rows = connection.execute(_STEPS, {"mid": mid})
    return {row.batch_id: BatchStep(row.step) for row in rows}


def batch_named(connection: Connection, mid: str, file_name: str) -> Batch | None:
    """The batch that a file name belongs to."""
    return _one(connection.execute(_NAMED, {"mid": mid, "file_name": file_name}).mappings().one_or_none())


def batch_by_id(connection: Connection, mid: str, batch_id: str) -> Batch | None:
    """The batch with this id."""
    return _one(connection.execute(_BY_ID, {"mid": mid, "batch_id": batch_id}).mappings().one_or_none())


def _batches(connection: Connection, statement: Select[Any], **values: str) -> list[Batch]:
    return [Batch.of(row) for row in connection.execute(statement, values).mappings()]


def _one(row: RowMapping | None) -> Batch | None:
    return Batch.of(row) if row is not None else None
