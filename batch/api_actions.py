"""Cancel, capture and refund at the provider: what is sent, and what an answer says (CONTRACT 9, 10, 11).

Each request goes once. A clear yes or no is believed of the request, never of the order, which is read afterwards; all else
(no answer, a failing server, 409, what cannot be read) leaves it in doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import quote

import orjson

from batch.provider_reads import ProviderReads, Reply
from batch.provider_words import fit_to_show, plain_id
from batch.responses import MOST_ANSWER_BYTES
from batch.strict_json import parse
from schemas.errors import AnswerUnreadable
from schemas.money import decimal_text

_DONE_WORDS = ("success", "approved")
_UNDONE = range(400, 500)
_UNCLEAR = (408, 409)
"""A call that is still running, or that the server gave up on."""


class Verdict(Enum):
    """What the provider says of a request: it was done, it was not done, or nobody can say."""

    DONE = auto()
    REFUSED = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """What came back for one request. `words` say it for people; `content` is raw, empty where nothing came."""

    verdict: Verdict
    words: str
    content: bytes = b""
    transaction_id: str = ""
    response_code: str = ""


def cancel(api: ProviderReads, provider_order_id: str, idempotency_key: str) -> ActionAnswer:
    """Ask once to stop an order, by the provider's id. Repeats of it are safe at the provider."""
    path = f"orders/{quote(provider_order_id, safe='')}/cancel"
    return read_cancel(api.ask_once(path, orjson.dumps({"idempotencyKey": idempotency_key})))


def external_cancel(api: ProviderReads, order_id: str, idempotency_key: str) -> ActionAnswer:
    """Ask once to stop an order by our own id, for one whose id at the provider never came."""
    path = f"orders/{quote(order_id, safe='')}/external-cancel"
    return read_cancel(api.ask_once(path, orjson.dumps({"idempotencyKey": idempotency_key})))


def capture(api: ProviderReads, provider_order_id: str, amount_minor: int, currency: str, idempotency_key: str) -> ActionAnswer:
    """Ask once for the full amount (minor units) of an authorised order."""
    order = {"orderId": provider_order_id, "amount": amount_minor, "currency": currency}
    body = {"idempotencyKey": idempotency_key, **order}
    return read_payment(api.ask_once("capture", orjson.dumps(body)))


def refund(api: ProviderReads, provider_order_id: str, amount_minor: int, currency: str, message: str) -> ActionAnswer:
    """Ask once to give money back. `amount_minor` becomes decimal dollars here, and nowhere else."""
    path = f"orders/{quote(provider_order_id, safe='')}/refund"
    return read_payment(api.ask_once(path, refund_body(amount_minor, currency, message)))


def refund_body(amount_minor: int, currency: str, message: str) -> bytes:
    """The body of a refund: 1234 minor units of USD are the JSON number 12.34, made from digits and never from a float."""
    dollars = orjson.Fragment(decimal_text(amount_minor, currency).encode())
    return orjson.dumps({"amountToRefund": dollars, "refundMessage": message})


def read_cancel(reply: Reply) -> ActionAnswer:
    """The answer to a cancel: 200 without a body, or with `{}`, is a yes; any other body that can be read is a no."""
    if reply.status != 200:
        return _otherwise(reply)
    if not reply.content.strip():
        return ActionAnswer(Verdict.DONE, "cancelled", reply.content)
    fields = _fields(reply)
    if fields is None:
        return ActionAnswer(Verdict.UNCLEAR, "the provider's answer cannot be read", reply.content)
    if not fields:
        return ActionAnswer(Verdict.DONE, "cancelled", reply.content)
    if fields.get("success") is True:
        return ActionAnswer(Verdict.UNCLEAR, "the provider's answer is neither yes nor no", reply.content)
    return ActionAnswer(Verdict.REFUSED, _words(fields, reply), reply.content)


def read_payment(reply: Reply) -> ActionAnswer:
    """The answer to a refund or capture: `success` and `status` (of a capture also `captureStatus`) must agree.

    A `responseMessage` decides nothing (CONTRACT 10).
    """
    if reply.status not in (200, 201):
        return _otherwise(reply)
    fields = _fields(reply)
    if fields is None:
        return ActionAnswer(Verdict.UNCLEAR, "the provider's answer cannot be read", reply.content)
    said = {word.lower() for name in ("status", "capturestatus") if (word := _text(fields, name))}
    success = fields.get("success")
    is_done = bool(said) and said <= {*_DONE_WORDS} and success is not False
    is_undone = said == {"failed"} and success is not True
    if not is_done and not is_undone:
        return ActionAnswer(Verdict.UNCLEAR, "the provider's answer is neither yes nor no", reply.content)
    try:
        transaction_id = plain_id(fields.get("transactionid"))  # it is kept, and compared with those of other requests
    except AnswerUnreadable as error:
        return ActionAnswer(Verdict.UNCLEAR, f"the provider's answer cannot be read: {error.what.rstrip('.')}", reply.content)
    words = "done" if is_done else _words(fields, reply)
    verdict = Verdict.DONE if is_done else Verdict.REFUSED
    code = fit_to_show(_text(fields, "responsecode"))[:32]
    return ActionAnswer(verdict, words, reply.content, transaction_id, code)


def _otherwise(reply: Reply) -> ActionAnswer:
    if not reply.status:
        return ActionAnswer(Verdict.UNCLEAR, reply.problem, reply.content)
    words = f"the provider answered with HTTP {reply.status}"
    if reply.status not in _UNDONE or reply.status in _UNCLEAR:
        return ActionAnswer(Verdict.UNCLEAR, words, reply.content)
    fields = _fields(reply)
    told = _told(fields) if fields else ""
    code = fit_to_show(_text(fields or {}, "responsecode"))[:32]
    return ActionAnswer(Verdict.REFUSED, f"{words}: {told}" if told else words, reply.content, response_code=code)


def _fields(reply: Reply) -> Mapping[str, object] | None:
    try:
        found = parse(reply.content, max_bytes=MOST_ANSWER_BYTES)
    except AnswerUnreadable:
        return None
    if not isinstance(found, dict):
        return None
    folded = {str(name).lower(): value for name, value in found.items()}
    return folded if len(folded) == len(found) else None


def _words(fields: Mapping[str, object], reply: Reply) -> str:
    return _told(fields) or _text(fields, "status") or f"the provider answered with HTTP {reply.status}, and no reason"


def _told(fields: Mapping[str, object]) -> str:
    """The provider's reason: its message, or the first of its errors (CONTRACT 4)."""
    errors = fields.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else errors
    if isinstance(first, dict):
        first = next((value for name, value in first.items() if str(name).lower() == "item1"), None)
    message = _text(fields, "responsemessage")
    return fit_to_show(message or (first if isinstance(first, str) else _text(fields, "title")))


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) and len(value) <= 1024 else ""
