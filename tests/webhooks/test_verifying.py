"""A webhook is believed when the provider signed it for us a moment ago; whatever is changed of it, it is refused."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.webhooks import MOST_BODY_BYTES, REFUSALS, Door, Refused, Signed, WebhookNews, read_webhook, signing_key
from jobs.sandbox.webhook_signature import signed_headers
from schemas.errors import AnswerUnreadable, ConfigurationError
from tests.webhooks.signing import HOST, KEY, NOW, Delivery, payload, signed

DOOR = Door(signing_key(KEY), HOST)
GENUINE = signed(payload())
OTHER_KEY = base64.b64encode(bytes(64)).decode()


def judged(delivery: Delivery, **later: float) -> Signed | Refused:
    """What our door says of a delivery, now or later."""
    return DOOR.judge(delivery.body, delivery.raw(), NOW + timedelta(**later))


def test_a_genuine_webhook_is_believed() -> None:
    """What was signed as documented, with our key and for our host, is believed, with its nonce and its moment."""
    assert judged(GENUINE) == Signed("0f1e2d3c", NOW)


def test_the_pretend_provider_signs_alike() -> None:
    """The sandbox's own signature, written without any of our code, is believed as well."""
    headers = signed_headers(KEY, GENUINE.body, HOST, NOW, "a-nonce")

    assert judged(Delivery(GENUINE.body, headers)) == Signed("a-nonce", NOW)


def test_the_names_of_headers_are_read_in_any_case() -> None:
    """HTTP's names of headers have no case, and other headers do not matter."""
    shouted = Delivery(GENUINE.body, {name.upper(): value for name, value in GENUINE.headers.items()} | {"Host": "elsewhere"})

    assert judged(shouted) == Signed("0f1e2d3c", NOW)


@given(st.integers(min_value=0, max_value=len(GENUINE.body) - 1), st.integers(min_value=1, max_value=255))
def test_a_byte_of_the_body_is_changed(at: int, by: int) -> None:
    """A body of which any byte differs is refused."""
    body = bytearray(GENUINE.body)
    body[at] ^= by

    assert judged(Delivery(bytes(body), GENUINE.headers)) is Refused.BAD_SIGNATURE


@pytest.mark.parametrize("more", [b" ", b"\n", b"\0"])
def test_the_body_is_longer_or_shorter(more: bytes) -> None:
    """A body with a byte more or less is refused."""
    assert judged(Delivery(GENUINE.body + more, GENUINE.headers)) is Refused.BAD_SIGNATURE
    assert judged(Delivery(GENUINE.body[:-1], GENUINE.headers)) is Refused.BAD_SIGNATURE


@pytest.mark.parametrize("name", ["x-fc-nonce", "x-fc-date", "x-fc-content-sha512", "x-fc-authorization"])
def test_a_header_is_missing_or_stands_twice(name: str) -> None:
    """Without any one of the four headers, or with one of them twice, nothing is believed."""
    twice = [*GENUINE.raw(), (name.encode(), GENUINE.headers[name].encode())]

    assert judged(GENUINE.with_header(name, None)) is Refused.BAD_HEADERS
    assert judged(GENUINE.with_header(name, "")) is Refused.BAD_HEADERS
    assert DOOR.judge(GENUINE.body, twice, NOW) is Refused.BAD_HEADERS


@pytest.mark.parametrize("name", ["x-fc-nonce", "x-fc-date", "x-fc-content-sha512", "x-fc-authorization"])
@given(st.data())
def test_a_letter_of_a_header_is_changed(name: str, data: st.DataObject) -> None:
    """With any one letter of a header changed, nothing is believed."""
    value = GENUINE.headers[name]
    at = data.draw(st.integers(min_value=0, max_value=len(value) - 1))
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=255).filter(lambda drawn: drawn != value[at]))

    assert isinstance(judged(GENUINE.with_header(name, value[:at] + letter + value[at + 1 :])), Refused)


@pytest.mark.parametrize(
    ("delivery", "why"),
    [
        (signed(payload(), key=OTHER_KEY), Refused.BAD_SIGNATURE),
        (signed(payload(), host="other.example"), Refused.BAD_SIGNATURE),
        (signed(payload(), host=f"{HOST}:443"), Refused.BAD_SIGNATURE),
        (signed(payload(), content=payload("order.expired")), Refused.BAD_SIGNATURE),
        (signed(payload(), nonce=""), Refused.BAD_HEADERS),
        (signed(payload(), nonce="n" * 129), Refused.BAD_HEADERS),
        (signed(payload(), nonce="a;b"), Refused.BAD_HEADERS),
        (signed(payload(), nonce="a b"), Refused.BAD_HEADERS),
        (signed(payload(), date="2026-11-23T06:30:00Z"), Refused.BAD_HEADERS),
        (signed(payload(), date="Mon, 23 Nov 2026 06:30:00 +0000"), Refused.BAD_HEADERS),
        (signed(payload(), date="Mon, 99 Nov 2026 06:30:00 GMT"), Refused.STALE),
        (signed(payload(), date="Mon, 23 Nob 2026 06:30:00 GMT"), Refused.STALE),
        (signed(payload(), date="Mon, 23 Nov 0000 06:30:00 GMT"), Refused.STALE),
    ],
    ids=[
        "another key",
        "another host",
        "the host with a port",
        "another body is signed",
        "no nonce",
        "a long nonce",
        "a nonce of two",
        "a nonce with a space",
        "a date of ISO",
        "a date with an offset",
        "no such day",
        "no such month",
        "no such year",
    ],
)
def test_what_is_signed_otherwise_is_refused(delivery: Delivery, why: Refused) -> None:
    """Another key, host, body, nonce or date than the documented kind is refused, and it is said why."""
    assert judged(delivery) is why
    assert REFUSALS[why]


@pytest.mark.parametrize(
    ("seconds", "is_fresh"), [(0, True), (300, True), (301, False), (-300, True), (-301, False), (86400, False)]
)
def test_a_date_may_be_five_minutes_off(seconds: int, is_fresh: bool) -> None:
    """A signed date up to five minutes away from our clock is taken, either way, and none beyond."""
    assert isinstance(judged(GENUINE, seconds=seconds), Signed) is is_fresh


def test_only_who_can_sign_learns_that_a_date_is_stale() -> None:
    """A stale date under a bad signature is a bad signature."""
    assert judged(signed(payload(), key=OTHER_KEY), hours=3) is Refused.BAD_SIGNATURE


def test_the_undocumented_signature_alone_opens_nothing() -> None:
    """The header over the bare body, which has neither nonce nor date, is not enough."""
    assert judged(Delivery(GENUINE.body, {"x-fc-signature": GENUINE.headers["x-fc-signature"]})) is Refused.BAD_HEADERS


@pytest.mark.parametrize("text", ["", "short", "no base64!", base64.b64encode(bytes(15)).decode(), "\u00e4" * 40])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    """A subscriber key that is no base64, or too short, is refused with a sentence that does not repeat it."""
    with pytest.raises(ConfigurationError) as refusal:
        signing_key(text)
    assert not text or text not in str(refusal.value)


def test_a_door_does_not_show_its_key() -> None:
    """Whoever prints a door sees no key."""
    assert "key" not in repr(DOOR)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (payload(), WebhookNews("order.completed", "000471", "00000001-0000-4000-8000-000000000061", is_test=False)),
        (b'{"event": "Order.Expired", "externalOrderId": "a"}', WebhookNews("order.expired", "a", "", is_test=False)),
        (b'{"Event": "payout.created", "OrderId": null}', WebhookNews("payout.created", "", "", is_test=False)),
        (b'{"EVENT": "x", "ISTESTMODE": true, "more": [1]}', WebhookNews("x", "", "", is_test=True)),
        (b'{"Event": "x", "IsTestMode": "false"}', WebhookNews("x", "", "", is_test=True)),
        (b'{"Event": "x", "IsTestMode": null}', WebhookNews("x", "", "", is_test=True)),
        (b'{"Event": "x", "IsTestMode": 0}', WebhookNews("x", "", "", is_test=True)),
    ],
)
def test_what_a_webhook_says(body: bytes, says: WebhookNews) -> None:
    """Names are read in any case, more fields do not matter, and what is not plainly live counts as a test."""
    assert read_webhook(body) == says


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"Event": 7}',
        b'{"Event": ""}',
        b'{"Event": "a b"}',
        b'{"Event": "a.4111111111111111"}',
        b'{"Event": "' + b"x" * 65 + b'"}',
        b'{"Event": "x", "event": "y"}',
        b'{"Event": "x", "Event": "x"}',
        b'{"Event": "x", "OrderId": 7}',
        b'{"Event": "x", "ExternalOrderId": ["a"]}',
        b'{"Event": "x", "ExternalOrderId": "' + b"a" * 257 + b'"}',
        b'{"Event": "x", "EventData": ' + b"[" * 99 + b"]" * 99 + b"}",
        json.dumps({"Event": "x", "EventData": "x" * MOST_BODY_BYTES}).encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_cannot_be_read_says_nothing(body: bytes) -> None:
    """A body that is no such object, or names no event, or ids that are no texts, is unreadable."""
    with pytest.raises(AnswerUnreadable):
        read_webhook(body)
