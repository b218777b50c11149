"""What the ledger knows of calls that a person wants made once more: their bytes, when they were made, which are in doubt."""

from sqlalchemy import Connection, bindparam, func, select

from batch.ledger.calls import IN_DOUBT
from batch.ledger.records import Submission
from schemas.ledger_tables import event, evidence, mention, submission, transmission
from schemas.states import State

_TIMES = select(func.min(event.c.at), func.max(event.c.at)).where(
    event.c.mid == bindparam("mid"),
    event.c.subject == bindparam("subject"),
    event.c.to_state == State.SENDING.value,
    event.c.from_state != State.SENDING.value,
    event.c.at >= bindparam("claimed_at"),
)
_NAMED = (
    select(mention.c.evidence_id)
    .join(evidence, (evidence.c.mid == mention.c.mid) & (evidence.c.evidence_id == mention.c.evidence_id))
    .where(mention.c.mid == bindparam("mid"), mention.c.order_id == bindparam("order_id"))
    .where(evidence.c.received_at >= bindparam("claimed_at"))
    .limit(1)
)
_RECORD = select(submission.c.record_json).where(
    submission.c.mid == bindparam("mid"),
    submission.c.order_id == bindparam("order_id"),
    submission.c.attempt == bindparam("attempt"),
)
_DOUBTED = (
    select(transmission.c.order_id, transmission.c.record_json)
    .where(transmission.c.mid == bindparam("mid"), transmission.c.batch_id == bindparam("batch_id"))
    .where(transmission.c.result == IN_DOUBT, transmission.c.charged_at >= bindparam("since"))
    .order_by(transmission.c.sequence_number)
)


def call_times(connection: Connection, mid: str, order: Submission) -> tuple[str, str]:
    """When the first and when the last call of this claim was intended (UTC text), empty where none was."""
    values = {"mid": mid, "subject": f"order:{order.order_id}", "claimed_at": order.claimed_at}
    first, last = connection.execute(_TIMES, values).one()
    return first or "", last or ""


def is_named(connection: Connection, mid: str, order: Submission) -> bool:
    """Whether the provider has named this order to us, in a webhook or a file of outcomes, since it was claimed."""
    values = {"mid": mid, "order_id": order.order_id, "claimed_at": order.claimed_at}
    return connection.execute(_NAMED, values).first() is not None


def body_of(connection: Connection, mid: str, order: Submission) -> bytes:
    """The wire record of a claim, byte for byte as it was fixed."""
    values = {"mid": mid, "order_id": order.order_id, "attempt": order.attempt}
    record: str = connection.execute(_RECORD, values).scalar_one()
    return record.encode()


def doubted_copies(connection: Connection, mid: str, batch_id: str, *, since: str) -> list[tuple[str, bytes]]:
    """The copies in doubt of a group whose charge came then (UTC text) or later: order id, and wire record byte for byte.

    They come in the order of the group.
    """
    rows = connection.execute(_DOUBTED, {"mid": mid, "batch_id": batch_id, "since": since})
    return [(row.order_id, row.record_json.encode()) for row in rows]
