"""The shop's check of a webhook, part by part: right on what the provider signs, wrong on everything else."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from jobs.sandbox.checkout.notices import order_told
from jobs.sandbox.webhook_signature import signed_headers, subscriber_key

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
HOST, KEY = "127.0.0.1:8080", subscriber_key(0)
BODY = json.dumps({"Event": "order.completed", "ExternalOrderId": "shop-1", "OrderId": "k"}).encode()


def told(body: bytes = BODY, **changed: str) -> str | None:
    """What the shop reads out of a delivery that was signed well, with these headers changed afterwards."""
    headers = signed_headers(KEY, BODY, HOST, NOW, "nonce-1") | {f"x-fc-{name}": value for name, value in changed.items()}
    return order_told(headers, body, HOST, KEY, NOW)


def test_a_signed_webhook_names_its_order() -> None:
    """What the provider signed for us, just now, is believed."""
    assert told() == "shop-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"},
        {"date": "Mon, 23 Nov 2026 06:31:00 GMT"},
        {"date": "soon"},
        {"content-sha512": "x"},
        {"authorization": "HMAC-SHA512 SignedHeaders=x&Signature="},
        {"authorization": "HMAC-SHA512 Signature=\u00e9"},
        {"authorization": ""},
    ],
)
def test_each_part_is_signed(changed: dict[str, str]) -> None:
    """Whatever was changed on the way, it is not believed."""
    assert told(BODY, **changed) is None


def test_another_body_host_key_or_day_is_not_believed() -> None:
    """The signature is of this body, for this host, with this key, and of these five minutes."""
    headers = signed_headers(KEY, BODY, HOST, NOW, "nonce-1")
    late = NOW + timedelta(minutes=5, seconds=1)

    assert told(BODY + b" ") is None
    assert order_told(headers, BODY, "127.0.0.1:1", KEY, NOW) is None
    assert order_told(headers, BODY, HOST, subscriber_key(1), NOW) is None
    assert order_told(headers, BODY, HOST, KEY, late) is None
    assert order_told(headers, BODY, HOST, KEY, late - timedelta(seconds=1)) == "shop-1"


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"ExternalOrderId": 7}', b"\xff"])
def test_what_names_no_order_is_taken_and_means_nothing(body: bytes) -> None:
    """A signed body that names no order of ours is nothing to ask about."""
    assert order_told(signed_headers(KEY, body, HOST, NOW, "n"), body, HOST, KEY, NOW) == ""
