"""Webhooks: whether the provider really signed one for us a moment ago, and what it says (CONTRACT 12).

A webhook is a hint: it makes an order due for a read, and ends, completes or releases nothing (I23). Whoever cannot sign
is told nothing but no, and leaves no trace in the ledger.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from batch.card_numbers import has_card_number
from batch.provider_words import plain_id
from batch.strict_json import parse
from schemas.errors import AnswerUnreadable, ConfigurationError

PATH = "/webhooks/flexfactor"
"""Where the provider tells us; the rest of the address is the merchant's."""

MOST_BODY_BYTES = 64 * 1024
"""A webhook has a few hundred bytes; nobody may make us read more than this."""

TOLERANCE = timedelta(minutes=5)
"""So far may the signed date lie from our clock, either way. What is older may be a replay, whatever its nonce."""

LEAST_KEY_BYTES = 16
"""A shorter key could be guessed."""

NONCE, DATE, CONTENT_HASH, AUTHORIZATION = "x-fc-nonce", "x-fc-date", "x-fc-content-sha512", "x-fc-authorization"

_SHAPES = {
    NONCE: re.compile(r"[!-:<-~]{1,128}"),
    DATE: re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII),
    CONTENT_HASH: re.compile(r"[A-Za-z0-9+/]{86}=="),
    AUTHORIZATION: re.compile(
        r"HMAC-SHA512 SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512&Signature=([A-Za-z0-9+/]{86}==)"
    ),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Refused(StrEnum):
    """Why a webhook is turned away. The sender learns none of it; our own log and figures do."""

    BAD_HEADERS = "bad_headers"
    BAD_SIGNATURE = "bad_signature"
    STALE = "stale"


REFUSALS: dict[Refused, str] = {
    Refused.BAD_HEADERS: "a header of the signature is missing, stands twice, or is not of its form",
    Refused.BAD_SIGNATURE: "it was not signed with our key, for our host, over this very body",
    Refused.STALE: "its signed date is more than five minutes away from our clock",
}
"""One sentence for each refusal."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What the provider signed besides the body: a nonce for one use, and when (UTC)."""

    nonce: str
    sent_at: datetime


def signing_key(subscriber_key: str) -> bytes:
    """The key that stands in the portal as base64 text. Raises ConfigurationError, which repeats nothing of it."""
    try:
        key = base64.b64decode(subscriber_key.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < LEAST_KEY_BYTES:
        raise ConfigurationError(
            f"webhook.subscriber_key is not base64 text of at least {LEAST_KEY_BYTES} bytes.",
            now="No webhook is taken.",
            next_step="Copy the HMAC signing key from the provider's portal once more.",
        ) from None
    return key


@dataclass(frozen=True, slots=True, repr=False)
class Door:
    """What a webhook must be signed with, and for: our key, and our host as the provider writes it.

    The Host header of a request counts for nothing: a proxy may change it, and whoever replays a webhook chooses it.
    """

    key: bytes
    host: str

    def judge(self, body: bytes, headers: Iterable[tuple[bytes, bytes]], now: datetime) -> Signed | Refused:
        """Whether this raw body with these raw headers was signed for us, not long ago.

        Both comparisons are made in constant time, and both always; the date is looked at last, so that only who can
        sign learns anything from it.
        """
        given = _headers(headers)
        if given is None:
            return Refused.BAD_HEADERS
        content_hash = _text(hashlib.sha512(body).digest())
        signed = f"POST\n{given[NONCE]};{given[DATE]};{self.host};{content_hash}"
        signature = _text(hmac.digest(self.key, signed.encode(), "sha512"))
        same_body = hmac.compare_digest(content_hash, given[CONTENT_HASH])
        same_signature = hmac.compare_digest(signature, given[AUTHORIZATION][-88:])
        if not (same_body & same_signature):
            return Refused.BAD_SIGNATURE
        sent_at = _moment(given[DATE])
        if sent_at is None or abs(now - sent_at) > TOLERANCE:
            return Refused.STALE
        return Signed(given[NONCE], sent_at)


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str] | None:
    """The four headers of the signature, each once and of its form; None where one is not."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.lower().decode("latin-1")
        if name not in _SHAPES:
            continue
        value = raw_value.decode("latin-1")
        if name in found or not _SHAPES[name].fullmatch(value):
            return None
        found[name] = value
    return found if len(found) == len(_SHAPES) else None


def _moment(date: str) -> datetime | None:
    """The moment that an RFC 1123 date names; None for one that no calendar has."""
    shape = _SHAPES[DATE].fullmatch(date)
    if shape is None or shape[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(shape[n]) for n in (1, 3, 4, 5, 6))
    try:
        return datetime(year, _MONTHS.index(shape[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


EXPIRED_EVENT = "order.expired"

ORDER_EVENTS = frozenset(
    {
        "order.completed",
        "order.cancelled",
        EXPIRED_EVENT,
        "order.refunded",
        "order.capturerequired",
        "payment.chargeback.received",
        "challenge.presented",
        "challenge.attempted",
        "challenge.passed",
        "challenge.failed",
    }
)
"""Events about one order: a read of it says what has become of it."""

PAYOUT_EVENTS = frozenset({"payout.created", "payout.updated"})
"""Events about a settlement, which is no order's."""

_EVENT = re.compile(r"[a-z][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class WebhookNews:
    """What a webhook says: which event, in lower case, about which order (ours, the provider's id; empty where not named).

    `is_test` unless it says plainly that it is not, or says nothing about it.
    """

    event: str
    order_id: str
    provider_order_id: str
    is_test: bool


def read_webhook(content: bytes) -> WebhookNews:
    """A signed body, read strictly, its names in any case and whatever its content type was. Raises AnswerUnreadable."""
    said = parse(content, max_bytes=MOST_BODY_BYTES)
    if not isinstance(said, dict):
        raise AnswerUnreadable("The webhook is not an object.")
    fields = {str(name).lower(): value for name, value in said.items()}
    if len(fields) != len(said):
        raise AnswerUnreadable("The webhook has two names that differ only in case.")
    event = fields.get("event")
    if not isinstance(event, str) or not _EVENT.fullmatch(event.lower()) or has_card_number(event):
        raise AnswerUnreadable("The webhook names no event.")
    return WebhookNews(
        event=event.lower(),
        order_id=_text_of(fields.get("externalorderid"), "ExternalOrderId"),
        provider_order_id=plain_id(_text_of(fields.get("orderid"), "OrderId")),
        is_test=fields.get("istestmode", False) is not False,
    )


def _text_of(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 256:
        raise AnswerUnreadable(f"The webhook's {name} is not a text of at most 256 characters.")
    return value
