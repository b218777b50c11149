"""A night that ran too late, or not at all: one item, closed by the next night that runs in time."""

from batch.equipment import Equipment
from batch.ledger import Run
from batch.ledger.items import close_all, open_item, open_items
from schemas.reasons import ITEM_TEXTS, ItemKind


def note_missed(equipment: Equipment, run: Run, words: str) -> None:
    """Tell of a night that is caught up now, with these words; without any, nights run in time again."""
    with equipment.ledger.reading() as connection:
        standing = [item for item in open_items(connection, equipment.ledger.mid) if item.kind is ItemKind.RUN_MISSED]
    if not words and not standing:
        return
    with equipment.ledger.writing(run) as writing:
        if words:
            sentence = f"{ITEM_TEXTS[ItemKind.RUN_MISSED]}: {words}"
            days = equipment.settings.review.due_business_days
            open_item(writing, ItemKind.RUN_MISSED, f"night:{run.business_date}", sentence, due_business_days=days)
        else:
            close_all(writing, [(item.kind, item.subject) for item in standing], "a night ran in time again")
