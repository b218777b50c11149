"""Orders that the provider has authorised and that wait for a capture, and since when."""

from sqlalchemy import Connection, bindparam, select

from batch.ledger.records import Submission
from schemas.ledger_tables import event, submission
from schemas.states import State

_TO_CAPTURE = (
    select(*(submission.c[name] for name in Submission._fields))
    .where(submission.c.mid == bindparam("mid"), submission.c.state == State.CAPTURE_REQUIRED.value)
    .order_by(submission.c.order_id)
)
_AUTHORISED = (
    select(event.c.at)
    .where(event.c.mid == bindparam("mid"), event.c.subject == bindparam("subject"), event.c.kind == "transition")
    .where(event.c.to_state == State.CAPTURE_REQUIRED.value)
    .order_by(event.c.seq.desc())
    .limit(1)
)


def waiting_for_capture(connection: Connection, mid: str) -> list[Submission]:
    """Every such order, by order id."""
    return [Submission.of(row) for row in connection.execute(_TO_CAPTURE, {"mid": mid}).all()]


def authorised_at(connection: Connection, mid: str, order_id: str) -> str:
    """When an order was last learnt to wait for its capture (UTC text), empty if it never was."""
    found = connection.execute(_AUTHORISED, {"mid": mid, "subject": f"order:{order_id}"}).scalar_one_or_none()
    return str(found or "")
