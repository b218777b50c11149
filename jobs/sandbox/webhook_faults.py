"""Faults of webhooks. `where` limits one to an event, such as order.completed."""

from dataclasses import dataclass, field
from datetime import timedelta

from jobs.sandbox.faults import Call, fault

_BIG = 10 * 1024 * 1024
_CONTRARY = {
    "order.completed": "order.expired",
    "order.expired": "order.completed",
    "order.cancelled": "order.completed",
}


@dataclass
class WebhookCall(Call):
    """One webhook on its way; `where` is its event.

    `late` holds it back on the sandbox clock, `stale` makes its date so much older, `host` is the one that is signed.
    `copies` are sent at the same time, `then` are further events of the same order, `replay_after` sends the very
    same bytes and headers once more, `resend` tells it once more although it was answered well.
    """

    payload: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    host: str = ""
    late: timedelta = timedelta(0)
    stale: timedelta = timedelta(0)
    wrong_key: bool = False
    payload_changed: bool = False
    slow: bool = False
    copies: int = 1
    then: list[str] = field(default_factory=list)
    replay_after: timedelta | None = None
    resend: bool = False


@fault("webhook.signing")
def wrong_webhook_key(call: WebhookCall) -> None:
    """The webhook is signed with somebody else's key (W-01)."""
    call.wrong_key = True


@fault("webhook.signed")
def unsigned_webhook(call: WebhookCall) -> None:
    """The webhook has none of its signature's headers (W-01)."""
    call.headers = {name: value for name, value in call.headers.items() if not name.startswith("x-fc-")}


@fault("webhook.signed")
def changed_webhook_body(call: WebhookCall) -> None:
    """The webhook's body tells another order than the one that was signed (W-01)."""
    call.payload["ExternalOrderId"] = "somebody-elses"
    call.payload_changed = True


@fault("webhook.signing")
def stale_webhook(call: WebhookCall) -> None:
    """The webhook's date lies an hour back, and its signature is right (W-02)."""
    call.stale = timedelta(hours=1)


@fault("webhook.signing")
def other_host_webhook(call: WebhookCall) -> None:
    """The webhook is signed for another host (W-02)."""
    call.host = "other.example"


@fault("webhook.signed")
def replayed_webhook(call: WebhookCall) -> None:
    """Three hours later the very same bytes and headers come again (W-02)."""
    call.replay_after = timedelta(hours=3)


@fault("webhook.signed")
def duplicate_webhook(call: WebhookCall) -> None:
    """The same delivery comes a hundred times at once, or as often as `after` says (W-03)."""
    call.copies = call.after or 100


@fault("webhook.signed")
def resent_webhook(call: WebhookCall) -> None:
    """A minute later the event is told again with IsResent, although it was answered well (W-03)."""
    call.resend = True


@fault("webhook.accepted")
def early_webhook(call: WebhookCall) -> None:
    """An order.completed is sent the moment that an order is accepted (W-04)."""
    call.then.append("order.completed")


@fault("webhook.payload", wants=lambda call: call.where in _CONTRARY)
def contrary_webhook(call: WebhookCall) -> None:
    """The event is followed by its contrary: completed by expired, expired or cancelled by completed (W-05)."""
    call.then.append(_CONTRARY[call.where])


@fault("webhook.payload")
def late_webhook(call: WebhookCall) -> None:
    """The event is told a day late, after events that came later (W-05)."""
    call.late = timedelta(days=1)


@fault("webhook.payload")
def test_mode_webhook(call: WebhookCall) -> None:
    """The event says that it comes from test mode (W-06)."""
    call.payload["IsTestMode"] = True


@fault("webhook.signed")
def odd_content_type(call: WebhookCall) -> None:
    """The content type is that of a form (W-07)."""
    call.headers["Content-Type"] = "application/x-www-form-urlencoded"


@fault("webhook.payload")
def extra_webhook_fields(call: WebhookCall) -> None:
    """The payload has properties that nobody has announced (W-07)."""
    call.payload.update({"Region": "eu-1", "Attempts": [1, 2]})


@fault("webhook.payload")
def absent_webhook_fields(call: WebhookCall) -> None:
    """The payload names the event and nothing else (W-07)."""
    call.payload = {"Event": call.payload["Event"]}


@fault("webhook.payload")
def huge_webhook(call: WebhookCall) -> None:
    """The body has ten megabytes, and is signed rightly (W-07)."""
    call.payload["EventData"] = {"filler": "x" * _BIG}


@fault("webhook.signed")
def slow_webhook(call: WebhookCall) -> None:
    """The body comes in ten pieces with a pause before each (W-07)."""
    call.slow = True


@fault("webhook.payload")
def unknown_order_webhook(call: WebhookCall) -> None:
    """The event is about an order that nobody sent (W-08)."""
    call.payload.update(OrderId="00000000-0000-4000-8000-00000000dead", ExternalOrderId="nobody-knows-me")
