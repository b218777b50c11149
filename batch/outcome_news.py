"""News from an outcomes file: hints that make orders due for a read. They make nothing final (CONTRACT 6.4, 14)."""

from collections.abc import Sequence

from sqlalchemy import select, update

from batch.equipment import Equipment
from batch.ledger import Writing
from batch.ledger.items import open_item
from batch.responses import OutcomeNews
from schemas.ledger_tables import submission
from schemas.profile import Meaning
from schemas.reasons import ITEM_TEXTS, ItemKind


def apply_news(writing: Writing, equipment: Equipment, news: Sequence[OutcomeNews], evidence_id: str) -> None:
    """Make every order that the news names due at once, remember which were called expired, and set aside the rest."""
    strangers = 0
    for row in news:
        known = submission.c.provider_order_id == row.provider_order_id
        match = known if row.provider_order_id else submission.c.order_id == row.order_id
        found = writing.connection.execute(
            select(submission.c.order_id, submission.c.attempt, submission.c.expired_hint)
            .where(submission.c.mid == writing.mid, match)
            .order_by(submission.c.attempt.desc())
            .limit(1)
        ).one_or_none()
        if found is None or (row.order_id and row.order_id != found.order_id):
            strangers += 1
            continue
        expired = equipment.profile.meaning(row.status) is Meaning.EXPIRED
        writing.connection.execute(
            update(submission)
            .where(
                submission.c.mid == writing.mid,
                submission.c.order_id == found.order_id,
                submission.c.attempt == found.attempt,
            )
            .values(next_read_at=writing.now, expired_hint=1 if expired else found.expired_hint)
        )
    if strangers:
        open_item(
            writing,
            ItemKind.QUARANTINE,
            f"evidence:{evidence_id}",
            f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: {strangers} rows of an outcomes file name no order of ours",
            due_business_days=equipment.settings.review.due_business_days,
            evidence_id=evidence_id,
        )
