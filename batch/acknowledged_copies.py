"""What an acknowledgement says about copies of good charges."""

from batch.acknowledged_rows import not_in_file
from batch.contradictions import tell
from batch.equipment import Equipment
from batch.ledger import Batch, Writing
from batch.ledger.copies import record_copy_answer, transmissions_of_batch
from batch.odd_rows import told_of_rows
from batch.responses import Acknowledgement
from schemas.counted import counted
from schemas.reasons import ItemKind


def apply_transmit_rows(writing: Writing, equipment: Equipment, batch: Batch, answer: Acknowledgement, evidence_id: str) -> None:
    """Write down for each good charge of a transmit file what the provider said."""
    orders = {each.order_id: each for each in transmissions_of_batch(writing.connection, writing.mid, batch.batch_id)}
    odd, refused = list(answer.odd_words), 0
    for row in answer.rows:
        order = orders.get(row.order_id)
        if order is None:
            odd.append(not_in_file(row))
            continue
        refused += not row.accepted
        if row.accepted:
            record_copy_answer(writing, order.order_id, result="success", transmit_id=row.provider_id)
        else:
            record_copy_answer(writing, order.order_id, result="failed", error_text=row.error_text or "refused")
    if refused:
        words = f"{counted(refused, 'copy was', 'copies were')} refused"
        tell(writing, equipment, ItemKind.ROW_REFUSED, f"batch:{batch.batch_id}", words, evidence_id)
    if odd:
        tell(
            writing,
            equipment,
            ItemKind.QUARANTINE,
            f"batch:{batch.batch_id}",
            told_of_rows(odd),
            evidence_id,
        )
