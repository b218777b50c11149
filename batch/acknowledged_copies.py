"""What an acknowledgement says about copies of good charges."""

from batch.acknowledged_rows import tell
from batch.equipment import Equipment
from batch.ledger import Batch, Writing
from batch.ledger.copies import record_copy_answer, transmissions_of_batch
from batch.responses import Acknowledgement
from schemas.reasons import ItemKind


def apply_transmit_rows(writing: Writing, equipment: Equipment, batch: Batch, answer: Acknowledgement, evidence_id: str) -> None:
    """Write down for each good charge of a transmit file what the provider said."""
    orders = {each.order_id: each for each in transmissions_of_batch(writing.connection, writing.mid, batch.batch_id)}
    odd, refused = answer.odd_rows, 0
    for row in answer.rows:
        order = orders.get(row.order_id)
        if order is None:
            odd += 1
            continue
        refused += not row.accepted
        if row.accepted:
            record_copy_answer(writing, order.order_id, result="success", transmit_id=row.provider_id)
        else:
            record_copy_answer(writing, order.order_id, result="failed", error_text=row.error_text or "refused")
    if refused:
        tell(writing, equipment, ItemKind.ROW_REFUSED, f"batch:{batch.batch_id}", f"{refused} copies were refused", evidence_id)
    if odd:
        tell(
            writing,
            equipment,
            ItemKind.QUARANTINE,
            f"batch:{batch.batch_id}",
            f"{odd} rows of its answer fit no order",
            evidence_id,
        )
