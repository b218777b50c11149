"""Claiming orders so that no other run can submit them: rows, keys, names and numbers are fixed before anything leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import insert

from batch.books import FIRST_HASH
from batch.ledger.events import event_row
from batch.ledger.records import Batch, Run
from batch.ledger.transaction import Writing
from schemas.ledger_tables import batch as batch_table
from schemas.ledger_tables import event, submission
from schemas.order import Order
from schemas.states import API_FORMAT, BatchStep, State


@dataclass(frozen=True, slots=True)
class Claim:
    """One order to be claimed: its wire record without the token, and the numbers that never change again."""

    order: Order
    attempt: int
    idempotency_key: str
    hold_reference: str
    record: Mapping[str, object]
    previous_seq: int
    previous_hash: str
    previous_date: str


_NEW_BATCH, _NEW_SUBMISSION, _NEW_EVENT = insert(batch_table), insert(submission), insert(event)


@dataclass(frozen=True, slots=True)
class NewBatch:
    """The file, or the group of calls, in which the claimed orders will travel. `expires_at` is UTC text, empty for transmit."""

    batch_id: str
    kind: str
    file_name: str
    format: str
    expires_at: str
    mit_mode: str = ""


def claim_batch(writing: Writing, new: NewBatch, claims: Sequence[Claim]) -> Batch:
    """Claim these orders for one evaluate file. The database itself refuses an order that is claimed already.

    Raises TransitionLost for such an order: the whole claim is undone.
    """
    batch = insert_batch(writing, new, len(claims))
    rows, events = [], []
    for number, claim in enumerate(claims, start=1):
        first = event_row(
            writing,
            subject=f"order:{claim.order.order_id}",
            seq=claim.previous_seq + 1,
            previous_hash=claim.previous_hash,
            previous_date=claim.previous_date,
            kind="transition",
            from_state=None,
            to_state=State.CLAIMED.value,
            source="claim",
            reason="selected",
            detail={"attempt": claim.attempt, "batch_id": new.batch_id, "sequence_number": number},
        )
        events.append(first)
        rows.append(_submission_row(writing, new, claim, number, first))
    writing.execute_many(_NEW_SUBMISSION, rows)
    writing.execute_many(_NEW_EVENT, events)
    return batch


def insert_batch(writing: Writing, new: NewBatch, row_count: int) -> Batch:
    """Write down a new batch with its first event."""
    first = event_row(
        writing,
        subject=f"batch:{new.batch_id}",
        seq=1,
        previous_hash=FIRST_HASH,
        previous_date="",
        kind="step",
        from_state=None,
        to_state=BatchStep.CLAIMED.value,
        source="claim",
        reason="claimed",
        detail={"file_name": new.file_name, "kind": new.kind, "row_count": row_count},
    )
    run: Run = writing.run
    values: dict[str, Any] = {
        "mid": writing.mid,
        "batch_id": new.batch_id,
        "kind": new.kind,
        "business_date": run.business_date,
        "file_name": new.file_name,
        "format": new.format,
        "expires_at": new.expires_at,
        "row_count": row_count,
        "step": BatchStep.CLAIMED.value,
        "run_id": run.run_id,
        "event_seq": 1,
        "event_hash": first["hash"],
        "event_date": first["business_date"],
    }
    writing.connection.execute(_NEW_BATCH, [values])
    writing.connection.execute(_NEW_EVENT, [first])
    return Batch(
        batch_id=new.batch_id,
        kind=new.kind,
        business_date=run.business_date,
        file_name=new.file_name,
        format=new.format,
        expires_at=new.expires_at,
        row_count=row_count,
        step=BatchStep.CLAIMED,
        rows_digest="",
        part_sha256="",
        token_minted_at="",
        delivered_at="",
        acknowledged_at="",
        event_seq=1,
        event_hash=first["hash"],
        event_date=first["business_date"],
    )


def _submission_row(writing: Writing, new: NewBatch, claim: Claim, number: int, first: Mapping[str, Any]) -> dict[str, Any]:
    order = claim.order
    return {
        "mid": writing.mid,
        "order_id": order.order_id,
        "attempt": claim.attempt,
        "state": State.CLAIMED.value,
        "batch_id": new.batch_id,
        "sequence_number": number,
        "idempotency_key": claim.idempotency_key,
        "hold_reference": claim.hold_reference,
        "channel": "api" if new.format == API_FORMAT else "sftp",
        "mit_mode": new.mit_mode or None,
        "site": order.site,
        "origin": order.origin.value,
        "currency": order.currency,
        "amount_minor": order.amount_minor,
        "business_date": first["business_date"],
        "claimed_at": writing.now,
        "expires_at": new.expires_at,
        "record_json": orjson.dumps(claim.record).decode(),
        "event_seq": first["seq"],
        "event_hash": first["hash"],
        "event_date": first["business_date"],
    }
