"""What a webhook says: the published events and the payload in PascalCase (CONTRACT 12). Pure."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.sandbox.courses import Event, Order

EVENTS = (
    "order.completed",
    "order.cancelled",
    "order.expired",
    "order.refunded",
    "order.capturerequired",
    "payment.chargeback.received",
    "challenge.presented",
    "challenge.attempted",
    "challenge.passed",
    "challenge.failed",
    "payout.created",
    "payout.updated",
)
"""Every published event. Payouts follow from no order: they are sent on request only."""

PAYOUT_STATUSES = ("pending", "completed", "failed", "reversed")

_BY_EVENT: dict[Event, str] = {
    "completed": "order.completed",
    "cancelled": "order.cancelled",
    "expired": "order.expired",
    "refunded": "order.refunded",
    "capturerequired": "order.capturerequired",
    "chargeback": "payment.chargeback.received",
    "challenge.presented": "challenge.presented",
    "challenge.attempted": "challenge.attempted",
    "challenge.passed": "challenge.passed",
    "challenge.failed": "challenge.failed",
}


@dataclass(frozen=True)
class Notice:
    """One thing to tell: the event, the order in both ids (None for a payout), the moment in UTC, and what else is known."""

    event: str
    order_id: str | None
    order_session_key: str | None
    moment: datetime
    about: dict[str, object] | None = None


def notice_of(event: Event, order: Order) -> Notice | None:
    """The webhook for something that happened to an order; None where nothing is told."""
    name = _BY_EVENT.get(event)
    if name is None:
        return None
    return Notice(name, order.order_id, order.order_session_key, order.changed or order.placed)


def payload_of(notice: Notice, *, is_resent: bool) -> dict[str, object]:
    """The payload; it has neither status nor amount. IsTestMode is false, as for an account's own orders."""
    confirmed = hashlib.sha256(f"{notice.order_session_key}".encode()).hexdigest()[:8].upper()
    return {
        "Event": notice.event,
        "TimeStamp": notice.moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "EventData": notice.about,
        "ExternalOrderId": notice.order_id,
        "OrderId": notice.order_session_key,
        "ConfirmationId": confirmed,
        "IsTestMode": False,
        "IsResent": is_resent,
    }


def to_body(payload: dict[str, object]) -> bytes:
    """The payload as the bytes that are signed and sent."""
    return json.dumps(payload, ensure_ascii=False).encode("utf-8")
