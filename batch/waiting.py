"""Files that stand half sent because something was, or is, switched off: a person is told, for their orders stay held."""

from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Run
from batch.ledger.batches import unsent_batches
from batch.ledger.items import close_all, open_item, open_items
from batch.permission import must_wait
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import BatchStep


def tell_of_waiting(equipment: Equipment, run: Run, findings: Findings) -> None:
    """Open an item for each file whose part is whole at the provider and may not be renamed; close it once it may.

    Nothing depends on copies, so nobody is told of theirs. One that this run withheld counts, though everything may be on
    again by now: it goes with the next nightly.
    """
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        verified = [batch for batch in unsent_batches(connection, mid) if batch.step is BatchStep.PART_VERIFIED]
        waiting = {
            f"batch:{batch.batch_id}": batch
            for batch in verified
            if batch.kind == "evaluate" and (batch.batch_id in findings.withheld or must_wait(connection, equipment, batch))
        }
        told = {item.subject for item in open_items(connection, mid) if item.kind is ItemKind.SWITCHED_OFF}
    if waiting.keys() == told:
        return
    with equipment.ledger.writing(run) as writing:
        over = [(ItemKind.SWITCHED_OFF, subject) for subject in sorted(told - waiting.keys())]
        close_all(writing, over, "it waits for no switch any more")
        for subject, batch in waiting.items():
            words = f"{batch.file_name}: {ITEM_TEXTS[ItemKind.SWITCHED_OFF]}; its orders stay held"
            days = equipment.settings.review.due_business_days
            open_item(writing, ItemKind.SWITCHED_OFF, subject, words, due_business_days=days)
