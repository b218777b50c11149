"""Taking a batch from step to step, as a compare-and-set with its event."""

from dataclasses import replace
from typing import Any

from batch.ledger.guarded_steps import Rows, Step, take_step
from batch.ledger.records import Batch
from batch.ledger.transaction import Writing
from schemas.ledger_tables import batch as batch_table
from schemas.states import BATCH_EDGES, BATCH_EDGES_BY_HAND, BatchStep

BY_HAND = "operator"
"""The source of what a person decided."""

_BATCHES = Rows(batch_table, "batch_id", "batch", "step")


def move_batch(
    writing: Writing,
    batch: Batch,
    to: BatchStep,
    size: int | None = None,
    /,
    *,
    reason: str,
    evidence_id: str = "",
    source: str = "send",
    **changes: Any,  # noqa: ANN401 - columns of several types
) -> Batch:
    """Take one batch to its next step; `changes` are further columns, `size` is of its file, in bytes.

    Raises as `move_orders` does.
    """
    ways = (*BATCH_EDGES[batch.step], *(BATCH_EDGES_BY_HAND.get(batch.step, ()) if source == BY_HAND else ()))
    detail = {"file_name": batch.file_name, **({} if size is None else {"size": size})}
    step = Step(to, ways, f"Batch {batch.batch_id}", source, reason, evidence_id, detail)
    is_delivered = to is BatchStep.DELIVERED or (not batch.delivered_at and "delivered_at" in changes)
    dated = "delivered_date" if is_delivered else ""
    after = take_step(writing, _BATCHES, batch.batch_id, batch, step, changes, dated=dated)
    known: dict[str, Any] = {name: after[name] or "" for name in after if name in Batch.__dataclass_fields__}
    return replace(batch, **{**known, "step": to})
