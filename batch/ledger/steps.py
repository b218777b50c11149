"""Taking a batch from step to step, as a compare-and-set with its event."""

from dataclasses import replace
from typing import Any

from sqlalchemy import insert, update

from batch.ledger.events import event_row
from batch.ledger.records import Batch
from batch.ledger.transaction import Writing
from schemas.errors import IllegalTransition, TransitionLost
from schemas.ledger_tables import batch as batch_table
from schemas.ledger_tables import event
from schemas.states import BATCH_EDGES, BatchStep


def move_batch(writing: Writing, batch: Batch, to: BatchStep, *, reason: str, evidence_id: str = "", **changes: Any) -> Batch:  # noqa: ANN401 - columns of several types
    """Take one batch to its next step; `changes` are further columns. Raises as `move_orders` does."""
    if to not in BATCH_EDGES[batch.step]:
        raise IllegalTransition(f"Batch {batch.batch_id} cannot go from {batch.step} to {to}.")
    row = event_row(
        writing,
        subject=f"batch:{batch.batch_id}",
        seq=batch.event_seq + 1,
        previous_hash=batch.event_hash,
        previous_date=batch.event_date,
        kind="step",
        from_state=batch.step.value,
        to_state=to.value,
        source="send",
        reason=reason,
        evidence_id=evidence_id,
        detail={"file_name": batch.file_name},
    )
    head = {"event_seq": row["seq"], "event_hash": row["hash"], "event_date": row["business_date"]}
    if to is BatchStep.DELIVERED or (not batch.delivered_at and "delivered_at" in changes):
        changes = {**changes, "delivered_date": row["business_date"]}
    statement = (
        update(batch_table)
        .where(
            batch_table.c.mid == writing.mid,
            batch_table.c.batch_id == batch.batch_id,
            batch_table.c.step == batch.step.value,
            batch_table.c.event_seq == batch.event_seq,
        )
        .values(step=to.value, **head, **changes)
    )
    if writing.connection.execute(statement).rowcount != 1:
        raise TransitionLost(f"Batch {batch.batch_id} was no longer at {batch.step}.")
    writing.connection.execute(insert(event), [row])
    known: dict[str, Any] = {name: value or "" for name, value in changes.items() if name in Batch.__dataclass_fields__}
    return replace(batch, step=to, **head, **known)
