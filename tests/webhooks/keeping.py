"""Webhooks put straight into a house's inbox, as the receiver keeps them once their signature was right."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

from batch.ledger import Ledger
from batch.ledger.webhook_inbox import Arrival, store_webhooks
from jobs.databases import open_ledger
from tests.night.house import House
from tests.webhooks.signing import payload

_numbers = count(1)


@contextmanager
def ledger_of(house: House) -> Iterator[Ledger]:
    """The house's ledger, opened beside whoever else has it open."""
    house._have_ledger()
    engine = open_ledger(house.settings.ledger.url)
    try:
        yield Ledger(engine, mid=house.settings.provider.mid, clock=house.clock, lease_seconds=900)
    finally:
        engine.dispose()


def arrival(content: bytes, now: datetime, nonce: str = "") -> Arrival:
    """A signed webhook that has just come; every one with a nonce of its own, unless one is given."""
    return Arrival(nonce or f"nonce-{next(_numbers)}", now, now, content)


def keep(house: House, *bodies: bytes) -> None:
    """These webhooks have come."""
    with ledger_of(house) as ledger:
        store_webhooks(ledger, [arrival(body, house.clock.now()) for body in bodies])


def about(house: House, order_id: str, event: str = "order.completed", **changed: object) -> bytes:
    """A webhook about an order that the provider has."""
    keys = {str(row["order_id"]): row["order_session_key"] for row in house.sandbox.orders()}
    return payload(event, **{"ExternalOrderId": order_id, "OrderId": keys[order_id], **changed})


def verdicts(house: House) -> list[tuple[Any, ...]]:
    """What came of every webhook, oldest first."""
    rows = house.ledger("SELECT verdict, reason, evidence_id IS NULL AS bare, applied_at FROM webhook ORDER BY rowid")
    return [(row["verdict"], row["reason"]) for row in rows]


def reads_of(house: House, order_id: str) -> int:
    """How often the provider was asked for an order by its own id."""
    (key,) = (str(row["order_session_key"]) for row in house.sandbox.orders() if row["order_id"] == order_id)
    return sum(row["event"] == "answered" and str(row["path"]).endswith(key) for row in house.sandbox.journal())
