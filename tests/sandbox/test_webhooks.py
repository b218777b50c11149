"""Webhooks: every event, signed as documented, told again when the endpoint fails, and every fault of theirs."""

import base64
import hashlib
import hmac
import json
import re
import socket
import stat
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from jobs.sandbox import Sandbox
from jobs.sandbox.webhook_events import EVENTS
from jobs.sandbox.webhook_signature import signed_headers
from tests.sandbox.conftest import START
from tests.sandbox.merchant import api, decline, http, token_ending
from tests.sandbox.receiver import Receiver, is_genuine, listening

COMPLETES, CANCELLED, EXPIRES, CAPTURE, CHARGEBACK, RETURNED = (
    token_ending(ending) for ending in ("a001", "a002", "a003", "a009", "a00a", "a00b")
)


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """A registered endpoint."""
    with listening() as found:
        sandbox.register_webhook(found.url)
        yield found
        sandbox.webhooks.settle()


def send(sandbox: Sandbox, order_id: str, token: str) -> str:
    """Send one order; its session key."""
    with api(sandbox) as client:
        return str(client.post("evaluate", json=decline(sandbox, order_id, token)).json()["orderSessionKey"])


def later(sandbox: Sandbox, **step: float) -> None:
    """Move the clock and wait until everything that is then due has been told."""
    sandbox.advance(timedelta(**step))
    assert sandbox.webhooks.settle()


def completed(sandbox: Sandbox, fault: str = "") -> None:
    """One order that completes, with a fault if one is named."""
    if fault:
        sandbox.faults.switch_on(fault)
    send(sandbox, "sub-88", COMPLETES)
    later(sandbox, hours=1)


def genuine(sandbox: Sandbox, receiver: Receiver) -> list[bool]:
    """For each delivery whether a careful merchant believes its signature."""
    key = sandbox.subscriber_key_path.read_text()
    return [is_genuine(key, receiver.host, headers, body) for headers, body in receiver.deliveries]


def test_a_completion_is_told(sandbox: Sandbox, receiver: Receiver) -> None:
    """One delivery in PascalCase with both ids and neither status nor amount, of a type that is not JSON."""
    key = send(sandbox, "sub-88", COMPLETES)
    later(sandbox, hours=1)
    ((headers, body),) = receiver.deliveries
    payload = json.loads(body)

    assert {name: payload[name] for name in ("Event", "ExternalOrderId", "OrderId", "IsTestMode", "IsResent", "EventData")} == {
        "Event": "order.completed",
        "ExternalOrderId": "sub-88",
        "OrderId": key,
        "IsTestMode": False,
        "IsResent": False,
        "EventData": None,
    }
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", payload["TimeStamp"])
    assert re.fullmatch(r"[0-9A-F]{8}", payload["ConfirmationId"])
    assert len(payload) == 8
    assert "json" not in headers["content-type"]
    assert headers["host"] == receiver.host


def test_the_signature_is_the_documented_one(sandbox: Sandbox, receiver: Receiver) -> None:
    """The three-step check passes, the fourth header is the plain HMAC of the body, and the date is the sandbox's now."""
    completed(sandbox)
    ((headers, body),) = receiver.deliveries
    secret = base64.b64decode(sandbox.subscriber_key_path.read_text())

    assert genuine(sandbox, receiver) == [True]
    assert base64.b64decode(headers["x-fc-signature"]) == hmac.new(secret, body, hashlib.sha512).digest()
    assert parsedate_to_datetime(headers["x-fc-date"]) == sandbox.clock.now()
    assert headers["x-fc-date"].endswith(" GMT")
    assert len(secret) == 64
    assert stat.S_IMODE(sandbox.subscriber_key_path.stat().st_mode) == 0o600


def test_a_published_way_to_sign_gives_the_same_headers() -> None:
    """For fixed inputs the headers equal those worked out step by step from the contract's text."""
    body = '{"Event":"order.completed","ExternalOrderId":"00471-\u00e9"}'.encode()
    key = base64.b64encode(bytes(range(64))).decode()
    headers = signed_headers(key, body, "hooks.example:8443", START, "0f1e2d3c")
    changed = {**headers, "x-fc-nonce": "0f1e2d3d"}

    assert headers["x-fc-date"] == "Mon, 23 Nov 2026 01:30:00 GMT"
    assert is_genuine(key, "hooks.example:8443", headers, body)
    assert not is_genuine(key, "hooks.example", headers, body)
    assert not is_genuine(key, "hooks.example:8443", headers, body + b" ")
    assert not is_genuine(key, "hooks.example:8443", changed, body)


@pytest.mark.parametrize(
    ("token", "days", "events"),
    [
        (COMPLETES, 22, ["order.completed"]),
        (CANCELLED, 22, ["order.cancelled"]),
        (EXPIRES, 22, ["order.expired"]),
        (CAPTURE, 3, ["order.capturerequired"]),
        (CHARGEBACK, 22, ["order.completed", "payment.chargeback.received"]),
        (RETURNED, 22, ["order.completed", "order.refunded"]),
    ],
)
def test_every_ending_is_told_once(sandbox: Sandbox, receiver: Receiver, token: str, days: int, events: list[str]) -> None:
    """What happens to an order is told once each, in the order in which it happened, with the moment at which it did."""
    send(sandbox, "a", token)
    for _ in range(3):
        later(sandbox, days=days / 3)
    moments = [payload["TimeStamp"] for payload in receiver.payloads()]

    assert receiver.events() == events
    assert moments == sorted(moments)
    assert all(genuine(sandbox, receiver))


def test_every_event_can_be_asked_for(sandbox: Sandbox, receiver: Receiver) -> None:
    """Each published event, payouts and challenges too, is sent on request, with what it is about; another is refused."""
    key = send(sandbox, "a", COMPLETES)
    with http(sandbox) as client:
        url = f"{sandbox.control_url}webhooks/send"
        for event in EVENTS:
            about = {"status": "pending"} if event.startswith("payout.") else {"order_id": "a"}
            assert client.post(url, json={"event": event, **about}).status_code == 200
        wrong = [
            client.post(url, json=given).status_code
            for given in ({"event": "x"}, {"event": "order.expired", "order_id": "b"}, {})
        ]
    assert sandbox.webhooks.settle()
    payloads = receiver.payloads()

    assert receiver.events() == list(EVENTS)
    assert [payload["OrderId"] for payload in payloads] == [key] * 10 + [None] * 2
    assert [payload["EventData"] for payload in payloads] == [None] * 10 + [{"Status": "pending"}] * 2
    assert wrong == [400] * 3


def test_deliveries_are_journaled_with_their_answers(sandbox: Sandbox, receiver: Receiver) -> None:
    """The journal and the control API tell what was sent and what came back."""
    receiver.answers = [204]
    completed(sandbox)
    (row,) = [row for row in sandbox.journal() if row["event"] == "webhook_delivered"]
    with http(sandbox) as client:
        shown = client.get(f"{sandbox.control_url}webhooks").json()

    assert (row["webhook"], row["order_id"], row["http_status"], row["attempt"]) == ("order.completed", "sub-88", 204, 1)
    assert shown["url"] == receiver.url
    assert [delivery["nonce"] for delivery in shown["deliveries"]] == [row["nonce"]]


def test_a_failed_delivery_is_told_again(sandbox: Sandbox, receiver: Receiver) -> None:
    """After a bad answer it comes again by the sandbox's clock, with IsResent and a new nonce, until one is good."""
    receiver.answers = [500, 302]
    completed(sandbox)
    later(sandbox, seconds=59)
    before = len(receiver.deliveries)
    later(sandbox, seconds=1)
    later(sandbox, minutes=10)
    later(sandbox, days=3)
    nonces = {headers["x-fc-nonce"] for headers, _ in receiver.deliveries}

    assert before == 1
    assert [payload["IsResent"] for payload in receiver.payloads()] == [False, True, True]
    assert len({payload["TimeStamp"] for payload in receiver.payloads()}) == 1
    assert len(nonces) == 3


def test_it_gives_up_in_the_end(sandbox: Sandbox, receiver: Receiver) -> None:
    """An endpoint that always fails hears of an event six times."""
    receiver.answers = [500] * 9
    completed(sandbox)
    later(sandbox, days=9)

    assert len(receiver.deliveries) == 6


def test_nobody_listens(sandbox: Sandbox) -> None:
    """A closed port is journaled without a status, and the sandbox lives on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sandbox.register_webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        completed(sandbox)
    (row,) = sandbox.webhooks.deliveries()

    assert (row["http_status"], row["error"]) == (None, "ConnectionRefusedError")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.com/",
        "http://user@127.0.0.1/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/\r\nX: 1",
        "http://127.0.0.1/a b",
        "http://[::1/",
        "",
        "http://127.0.0.1/" + "x" * 3000,
    ],
)
def test_only_this_machine_is_told(sandbox: Sandbox, url: str) -> None:
    """An address that is not plain http on loopback is refused, in Python and over HTTP."""
    with pytest.raises(ValueError, match="other machines"):
        sandbox.register_webhook(url)
    with http(sandbox) as client:
        answer = client.post(f"{sandbox.control_url}webhooks", json={"url": url})

    assert answer.status_code == 400
    assert sandbox.webhooks.url is None


def test_an_address_can_be_registered_and_forgotten_from_outside(sandbox: Sandbox) -> None:
    """The control API registers an address; after a DELETE nothing is told."""
    with listening() as receiver, http(sandbox) as client:
        registered = client.post(f"{sandbox.control_url}webhooks", json={"url": receiver.url}).json()["url"]
        forgotten = client.delete(f"{sandbox.control_url}webhooks").json()["url"]
        completed(sandbox)

    assert (registered, forgotten) == (receiver.url, None)
    assert receiver.deliveries == []


@pytest.mark.parametrize(
    "fault",
    ["wrong_webhook_key", "unsigned_webhook", "changed_webhook_body", "other_host_webhook"],
)
def test_forged_webhooks(sandbox: Sandbox, receiver: Receiver, fault: str) -> None:
    """The careful merchant's check fails; the next delivery is genuine again."""
    completed(sandbox, fault)
    send(sandbox, "b", COMPLETES)
    later(sandbox, hours=1)

    assert genuine(sandbox, receiver) == [False, True]


def test_a_stale_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    """The signature is right and the date an hour old."""
    completed(sandbox, "stale_webhook")
    ((headers, _),) = receiver.deliveries

    assert genuine(sandbox, receiver) == [True]
    assert parsedate_to_datetime(headers["x-fc-date"]) == sandbox.clock.now() - timedelta(hours=1)


def test_a_replayed_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    """Hours later the same bytes and headers come again."""
    completed(sandbox, "replayed_webhook")
    later(sandbox, hours=3)

    assert len(receiver.deliveries) == 2
    assert receiver.deliveries[0] == receiver.deliveries[1]


def test_a_duplicate_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    """The same delivery comes a hundred times."""
    completed(sandbox, "duplicate_webhook")

    assert len(receiver.deliveries) == 100
    assert len({headers["x-fc-nonce"] for headers, _ in receiver.deliveries}) == 1


def test_a_resent_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    """A good answer does not keep the provider from telling it again."""
    completed(sandbox, "resent_webhook")
    later(sandbox, minutes=1)
    later(sandbox, days=2)

    assert [payload["IsResent"] for payload in receiver.payloads()] == [False, True]


def test_an_early_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    """A completion is told before anything has been completed; a read tells the truth."""
    sandbox.faults.switch_on("early_webhook")
    send(sandbox, "a", EXPIRES)
    assert sandbox.webhooks.settle()

    assert receiver.events() == ["order.completed"]
    assert [order["status"] for order in sandbox.orders()] == ["Draft"]


def test_a_contrary_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    """A completion is followed by an expiry of the same order."""
    completed(sandbox, "contrary_webhook")

    assert receiver.events() == ["order.completed", "order.expired"]
    assert len({payload["OrderId"] for payload in receiver.payloads()}) == 1


def test_a_late_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    """The first event comes after the second, with the earlier moment in it."""
    sandbox.faults.switch_on("late_webhook", where="order.completed")
    send(sandbox, "a", COMPLETES)
    send(sandbox, "b", CANCELLED)
    later(sandbox, hours=1)
    later(sandbox, days=1)

    assert receiver.events() == ["order.cancelled", "order.completed"]
    assert all(genuine(sandbox, receiver))


def test_odd_payloads(sandbox: Sandbox, receiver: Receiver) -> None:
    """Test mode, strangers, more fields, fewer fields and ten megabytes are signed rightly."""
    for name in ("test_mode_webhook", "unknown_order_webhook", "extra_webhook_fields", "absent_webhook_fields", "huge_webhook"):
        sandbox.faults.switch_on(name)
        sandbox.webhooks.send("order.completed", None)
        assert sandbox.webhooks.settle()
    test, stranger, extra, absent, huge = receiver.payloads()

    assert test["IsTestMode"] is True
    assert stranger["ExternalOrderId"] == "nobody-knows-me"
    assert extra["Region"] == "eu-1"
    assert absent == {"Event": "order.completed"}
    assert len(huge["EventData"]["filler"]) > 10_000_000
    assert genuine(sandbox, receiver) == [True] * 5


def test_odd_ways_to_send(sandbox: Sandbox, receiver: Receiver) -> None:
    """A form's content type, and a body that comes in pieces: both are whole and signed."""
    for name in ("odd_content_type", "slow_webhook"):
        sandbox.faults.switch_on(name)
        sandbox.webhooks.send("order.completed", None)
        assert sandbox.webhooks.settle()

    assert receiver.deliveries[0][0]["content-type"] == "application/x-www-form-urlencoded"
    assert genuine(sandbox, receiver) == [True] * 2
