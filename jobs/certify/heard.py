"""By what an order's end was heard: a read of the order ends it; webhooks that `mitbatch serve` took of it stand beside that.

A round has a ledger of its own, and the provider calls the one address that is registered: so the webhooks of marked orders lie
in the merchant's own ledger, where they are looked for and left alone. Nothing waits for one: a webhook is a hint (CONTRACT 12).
"""

from sqlalchemy import select

from batch.webhooks import read_webhook
from jobs.databases import MakeEngine, look_at_ledger
from schemas.errors import AnswerUnreadable
from schemas.ledger_tables import webhook
from schemas.settings import Settings

MOST_LOOKED_AT = 1000


def webhooks_of(settings: Settings, make_engine: MakeEngine, order_id: str) -> list[str]:
    """Each webhook of this order among the newest of the merchant's own ledger: its event and when it came, oldest first."""
    engine = look_at_ledger(settings.ledger.url, make_engine=make_engine)
    if engine is None:
        return []
    newest = select(webhook.c.received_at, webhook.c.content).where(webhook.c.mid == settings.provider.mid)
    try:
        with engine.connect() as connection:
            rows = connection.execute(newest.order_by(webhook.c.received_at.desc()).limit(MOST_LOOKED_AT)).all()
    finally:
        engine.dispose()
    return [f"{event} at {row.received_at}" for row in reversed(rows) if (event := _event(row.content, order_id))]


def heard_by(settings: Settings, make_engine: MakeEngine, order_id: str) -> str:
    """A clause that says by what the end of an order was heard."""
    told = webhooks_of(settings, make_engine, order_id) if settings.webhook.public_host else []
    if told:
        return f"by reading the order, and by webhook ({', '.join(told)})"
    return (
        "by reading the order; mitbatch serve took no webhook of it" if settings.webhook.public_host else "by reading the order"
    )


def _event(content: bytes, order_id: str) -> str:
    try:
        news = read_webhook(bytes(content))
    except AnswerUnreadable:
        return ""
    return news.event if news.order_id == order_id else ""
