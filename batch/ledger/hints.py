"""Hints that an order may have news: they make it due for a read, and nothing else (CONTRACT 14)."""

from sqlalchemy import select, update

from batch.ledger.reading import bearers_of
from batch.ledger.transaction import Writing
from schemas.ledger_tables import submission


def make_due(writing: Writing, *, provider_order_id: str, order_id: str, called_expired: bool) -> bool:
    """Make the order that a hint names due at once, and remember if it was called expired.

    It is looked up by the provider's id where we know that, else by ours; both must fit where both are given. A hint
    teaches no id: an order whose id at the provider we do not know is searched for by ours. Returns False when it is no
    order of ours.
    """
    bearer = bearers_of(writing.connection, writing.mid, [provider_order_id]).get(provider_order_id, "")
    if bearer and order_id and bearer != order_id:
        return False
    found = writing.connection.execute(
        select(submission.c.order_id, submission.c.attempt, submission.c.expired_hint, submission.c.provider_order_id)
        .where(submission.c.mid == writing.mid, submission.c.order_id == (bearer or order_id))
        .order_by(submission.c.attempt.desc())
        .limit(1)
    ).one_or_none()
    if found is None or (provider_order_id and found.provider_order_id not in {None, provider_order_id}):
        return False
    writing.connection.execute(
        update(submission)
        .where(submission.c.mid == writing.mid, submission.c.order_id == found.order_id, submission.c.attempt == found.attempt)
        .values(
            next_read_at=writing.now,
            expired_hint=1 if called_expired else found.expired_hint,
        )
    )
    return True
