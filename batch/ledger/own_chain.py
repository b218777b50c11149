"""The chain of events about the ledger itself, rather than an order, a file or a request in it."""

from collections.abc import Mapping

from sqlalchemy import bindparam, insert, select

from batch.books import FIRST_HASH
from batch.ledger.events import event_row
from batch.ledger.transaction import Writing
from schemas.ledger_tables import event

SUBJECT = "ledger"

_LAST = (
    select(event.c.seq, event.c.hash, event.c.business_date)
    .where(event.c.mid == bindparam("mid"), event.c.subject == SUBJECT)
    .order_by(event.c.seq.desc())
    .limit(1)
)
_NEW_EVENT = insert(event)


def note_of_ledger(writing: Writing, *, kind: str, source: str, reason: str, detail: Mapping[str, object]) -> None:
    """Write down what happens to the ledger itself, in the very transaction that does it."""
    last = writing.connection.execute(_LAST, {"mid": writing.mid}).one_or_none()
    row = event_row(
        writing,
        subject=SUBJECT,
        seq=1 if last is None else last.seq + 1,
        previous_hash=FIRST_HASH if last is None else last.hash,
        previous_date="" if last is None else last.business_date,
        kind=kind,
        from_state=None,
        to_state=None,
        source=source,
        reason=reason,
        detail=detail,
    )
    writing.connection.execute(_NEW_EVENT, row)
