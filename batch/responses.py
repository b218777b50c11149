"""What the provider's answers say, read strictly: tokens, single orders, listings, acknowledgements and outcome files.

Names are matched in any case (CONTRACT 1); unknown extra fields are ignored; a field that is needed and is not of its
kind makes the answer unreadable (AnswerUnreadable), and then nothing may follow from it.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from batch.provider_words import fit_to_show, status_word
from batch.strict_json import parse
from schemas.errors import AnswerUnreadable
from schemas.profile import Profile

MOST_ANSWER_BYTES = 1 << 20
_TOKEN = re.compile(r"[!-~]{1,4096}")
_LAST_MS = 253402300799000
_DIGITS = re.compile(r"[0-9]{1,18}")
MOST_PAGE_BYTES = 4 << 20
MOST_FILE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A bearer token and the moment at which it ends, in epoch milliseconds (CONTRACT 2)."""

    token: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class OrderRead:
    """One order as `GET /orders/{id}` shows it (CONTRACT 9). `code` is None where the answer has none.

    `external_id` is our order id, empty when absent; `amount_minor` and `currency` are None and empty when absent.
    """

    provider_order_id: str
    external_id: str
    code: int | None
    status: str
    amount_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of `GET /orders`."""

    orders: tuple[OrderRead, ...]
    has_next: bool


@dataclass(frozen=True, slots=True)
class AcknowledgedRow:
    """One row of an acknowledgement: accepted with the provider's id, or refused with its words."""

    sequence_number: str
    order_id: str
    accepted: bool
    provider_id: str
    status: str
    error_text: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The provider's answer to one batch file (CONTRACT 6.4). A refused file has no rows.

    `odd_rows` counts rows that could not be read; they are set aside and their orders stay as they are.
    """

    file: str
    mid: str
    accepted: bool
    error_text: str
    rows: tuple[AcknowledgedRow, ...]
    odd_rows: int


@dataclass(frozen=True, slots=True)
class OutcomeNews:
    """One row of an outcomes file: a hint that makes the order due for a read."""

    provider_order_id: str
    order_id: str
    status: str


def read_token(content: bytes) -> TokenAnswer:
    """The answer of the token call."""
    fields = _fields(parse(content, max_bytes=MOST_ANSWER_BYTES))
    token, expires = fields.get("accesstoken"), fields.get("expires")
    if isinstance(expires, str) and _DIGITS.fullmatch(expires):
        expires = int(expires)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not isinstance(expires, int) or isinstance(expires, bool):
        raise AnswerUnreadable("The answer of the token call has no accessToken and expires.")
    return TokenAnswer(token, min(max(expires, 0), _LAST_MS))


def read_order_answer(content: bytes, profile: Profile) -> OrderRead:
    """The answer of `GET /orders/{id}`."""
    return _order(_fields(parse(content, max_bytes=MOST_ANSWER_BYTES)), profile)


def read_order_page(content: bytes, profile: Profile) -> OrderPage:
    """One page of `GET /orders`."""
    fields = _fields(parse(content, max_bytes=MOST_PAGE_BYTES))
    rows = fields.get(profile.orders.rows.lower())
    if not isinstance(rows, list):
        raise AnswerUnreadable("The listing of orders has no orders.")
    orders = []
    for row in rows:
        with suppress(AnswerUnreadable):  # a row that cannot be read says nothing about its neighbours, nor of itself
            orders.append(_order(_fields(row), profile))
    return OrderPage(tuple(orders), has_next=fields.get(profile.orders.has_next_page.lower()) is True)


def read_acknowledgement(content: bytes, profile: Profile) -> Acknowledgement:
    """An acknowledgement file. Raises AnswerUnreadable when it is not whole, so that it is read again later."""
    names = profile.acknowledgement
    fields = _fields(parse(content, max_bytes=MOST_FILE_BYTES))
    verdict = _verdict(fields.get(names.result.lower()), profile)
    if verdict is None:
        raise AnswerUnreadable("The acknowledgement says neither that the file was accepted nor that it was refused.")
    rows, odd = [], 0
    found = fields.get(names.rows.lower(), [])
    if not isinstance(found, list):
        raise AnswerUnreadable("The acknowledgement's rows are not a list.")
    for row in found:
        read = None
        with suppress(AnswerUnreadable):  # one odd row is set aside; its neighbours are as good as before
            read = _acknowledged_row(row, profile)
        odd += read is None
        if read is not None:
            rows.append(read)
    return Acknowledgement(
        file=_text(fields, names.file),
        mid=_text(fields, names.mid),
        accepted=verdict,
        error_text=_errors_text(fields.get(names.errors.lower())),
        rows=tuple(rows) if verdict else (),
        odd_rows=odd,
    )


def read_outcomes(content: bytes, profile: Profile) -> tuple[str, tuple[OutcomeNews, ...], int]:
    """An outcomes file: the merchant id it is for, its news, and how many rows could not be read."""
    names = profile.outcomes
    fields = _fields(parse(content, max_bytes=MOST_FILE_BYTES))
    rows = fields.get(names.rows.lower())
    if not isinstance(rows, list):
        raise AnswerUnreadable("The outcomes file has no outcomes.")
    news, odd = [], 0
    for row in rows:
        try:
            cells = _fields(row)
        except AnswerUnreadable:
            odd += 1
            continue
        key, order_id = _text(cells, names.row.order_session_key), _text(cells, names.row.order_id)
        if key or order_id:
            news.append(OutcomeNews(key, order_id, _text(cells, names.row.status)))
        else:
            odd += 1
    return _text(fields, names.mid), tuple(news), odd


def _order(fields: Mapping[str, object], profile: Profile) -> OrderRead:
    code, amount = fields.get("status"), fields.get(profile.orders.amount.lower())
    if isinstance(code, str) and _DIGITS.fullmatch(code):
        code = int(code)
    external = next((text for name in profile.orders.external_ids if (text := _text(fields, name))), "")
    provider_order_id, status = _text(fields, "id") or _text(fields, "orderSessionKey"), _text(fields, "statusName")
    if not provider_order_id or (not status and (not isinstance(code, int) or isinstance(code, bool))):
        raise AnswerUnreadable("The order's answer has no id or no status.")
    if amount is not None and (not isinstance(amount, int) or isinstance(amount, bool)):
        raise AnswerUnreadable("The order's amount is not a whole number of minor units.")
    return OrderRead(
        provider_order_id=provider_order_id,
        external_id=external,
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        status=status_word(status),
        amount_minor=amount,
        currency=_text(fields, "currencyCode").upper(),
    )


def _acknowledged_row(row: object, profile: Profile) -> AcknowledgedRow | None:
    names, fields = profile.acknowledgement.row, _fields(row)
    accepted = _verdict(fields.get(names.result.lower()), profile)
    provider_id = _text(fields, names.order_session_key) or _text(fields, names.transmit_id)
    sequence = fields.get(names.sequence_number.lower())
    number = str(sequence) if isinstance(sequence, int) and not isinstance(sequence, bool) else sequence
    if accepted is None or (accepted and not provider_id) or not isinstance(number, str | None):
        return None
    return AcknowledgedRow(
        sequence_number=number or "",
        order_id=_text(fields, names.order_id),
        accepted=accepted,
        provider_id=provider_id,
        status=status_word(_text(fields, names.status)),
        error_text=_errors_text(fields.get(names.errors.lower())),
    )


def _verdict(word: object, profile: Profile) -> bool | None:
    if not isinstance(word, str):
        return None
    return {profile.acknowledgement.accepted: True, profile.acknowledgement.refused: False}.get(word.strip().lower())


def _fields(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise AnswerUnreadable("The answer is not an object.")
    folded = {str(name).lower(): inner for name, inner in value.items()}
    if len(folded) != len(value):
        raise AnswerUnreadable("The answer has an object in which two names differ only in case.")
    return folded


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name.lower())
    return value if isinstance(value, str) and len(value) <= 256 else ""


def _errors_text(errors: object) -> str:
    """The provider's words about a refusal: strings, or 4-tuples whose first item is the message (CONTRACT 4)."""
    if not isinstance(errors, Sequence) or isinstance(errors, str):
        return ""
    words = []
    for error in errors[:5]:
        word: object = error
        if isinstance(error, dict):
            word = next((inner for name, inner in error.items() if str(name).lower() == "item1"), None)
        if isinstance(word, str):
            words.append(fit_to_show(word))
    return "; ".join(words)
