"""Cancels, captures and refunds: whether each row says what its chain of events does, from who asked to what was answered."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row, bindparam, literal, select

from batch.tampering import Tampering, TamperingKind, detail_of
from schemas.ledger_tables import event, operation
from schemas.operations import UNSETTLED

_CHUNK = 2000
_CLAIMED = ("kind", "order_id", "attempt", "amount_minor", "currency", "asked_by")
"""What the first event's detail says of a request."""
_TOLD = ("seq", "at", "business_date", "run_id", "reason", "evidence_id", "detail")
_STEPS = (
    select(operation, *(event.c[name].label(f"told_{name}") for name in _TOLD))
    .where(operation.c.mid == bindparam("mid"), event.c.mid == bindparam("mid"))
    .where(event.c.subject == literal("operation:") + operation.c.operation_id)
    .order_by(operation.c.operation_id, event.c.seq)
)


def changed_operations(connection: Connection, mid: str) -> Iterator[Tampering]:
    """Requests whose row is not what their events say; one without events is told of with the ends of chains."""
    rows = connection.execute(_STEPS, {"mid": mid}, execution_options={"yield_per": _CHUNK})
    for operation_id, chain in groupby(rows, key=lambda row: row.operation_id):
        if not _is_as_told(list(chain)):
            sentence = f"the ledger's row of operation:{operation_id} has a cell that is not what its events say."
            yield Tampering(TamperingKind.ROW_CHANGED, f"operation:{operation_id}", sentence)


def _is_as_told(chain: list[Row[Any]]) -> bool:
    row, last = chain[0], chain[-1]
    details = [detail_of(each.told_detail) for each in chain]
    if row.told_seq != 1 or None in details:
        return True  # the chain is broken, and is told of by itself
    said, *later = [each or {} for each in details]
    proofs = [each.told_evidence_id for each in chain if each.told_evidence_id]
    bookings = [each["transaction_id"] for each in later if each.get("transaction_id")]
    is_settled = row.step not in {step.value for step in UNSETTLED}
    pairs = [
        *((getattr(row, name), said.get(name)) for name in _CLAIMED),
        (row.reason, row.told_reason),
        (row.asked_at, row.told_at),
        (row.business_date, row.told_business_date),
        (row.run_id, row.told_run_id),
        (row.answer, last.told_reason if later else None),
        (row.evidence_id, proofs[-1] if proofs else None),
        (row.transaction_id, bookings[-1] if bookings else None),
        (row.settled_at, last.told_at if is_settled else None),
        (row.idempotency_key, _key_of(row.operation_id)),
    ]
    return all(found == told for found, told in pairs)


def _key_of(operation_id: str) -> str:
    try:
        return str(uuid5(UUID(operation_id), "idempotency"))
    except ValueError:
        return ""
