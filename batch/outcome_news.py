"""News from an outcomes file: hints that make orders due for a read. They make nothing final (CONTRACT 6.4, 14)."""

from collections.abc import Sequence

from batch.equipment import Equipment
from batch.ledger import Writing
from batch.ledger.hints import make_due
from batch.ledger.items import open_item
from batch.responses import OutcomeNews
from schemas.profile import Meaning
from schemas.reasons import ITEM_TEXTS, ItemKind


def apply_news(writing: Writing, equipment: Equipment, news: Sequence[OutcomeNews], odd: int, evidence_id: str) -> None:
    """Make every order that the news names due at once, and set aside the rows that name none of ours, and the `odd` ones."""
    strangers = odd
    for row in news:
        expired = equipment.profile.meaning(row.status) is Meaning.EXPIRED
        known = make_due(writing, provider_order_id=row.provider_order_id, order_id=row.order_id, called_expired=expired)
        strangers += not known
    if strangers:
        open_item(
            writing,
            ItemKind.QUARANTINE,
            f"evidence:{evidence_id}",
            f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: {strangers} rows of an outcomes file name no order of ours, or cannot be read",
            due_business_days=equipment.settings.review.due_business_days,
            evidence_id=evidence_id,
        )
