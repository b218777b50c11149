"""Hints that an order may have news: they make it due for a read, and nothing else (CONTRACT 14)."""

from sqlalchemy import select, update

from batch.ledger.transaction import Writing
from schemas.ledger_tables import submission


def make_due(writing: Writing, *, provider_order_id: str, order_id: str, called_expired: bool) -> bool:
    """Make the order that a hint names due at once, and remember if it was called expired.

    It is looked up by the provider's id where there is one, else by ours; both must fit where both are given. Returns
    False when it is no order of ours.
    """
    match = submission.c.provider_order_id == provider_order_id if provider_order_id else submission.c.order_id == order_id
    found = writing.connection.execute(
        select(submission.c.order_id, submission.c.attempt, submission.c.expired_hint)
        .where(submission.c.mid == writing.mid, match)
        .order_by(submission.c.attempt.desc())
        .limit(1)
    ).one_or_none()
    if found is None or (order_id and order_id != found.order_id):
        return False
    writing.connection.execute(
        update(submission)
        .where(submission.c.mid == writing.mid, submission.c.order_id == found.order_id, submission.c.attempt == found.attempt)
        .values(next_read_at=writing.now, expired_hint=1 if called_expired else found.expired_hint)
    )
    return True
