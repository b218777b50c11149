"""What the provider's answers say, read strictly: tokens, single orders, listings, acknowledgements and outcome files.

Names are matched in any case (CONTRACT 1); unknown extra fields are ignored; a field that is needed and is not of its
kind makes the answer unreadable (AnswerUnreadable), and then nothing may follow from it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from batch import strict_csv
from batch.csv_answers import acknowledgement_document, outcomes_document
from batch.provider_words import fit_to_show, plain_id, status_word
from batch.strict_json import fields_of, parse
from schemas.errors import AnswerUnreadable
from schemas.profile import Meaning, Profile

MOST_ANSWER_BYTES = 1 << 17
"""One order or token is a few kilobytes; a page of reads brings 64 of them, all of which must be read within seconds."""

_TOKEN = re.compile(r"[!-~]{1,4096}")
_LAST_MS = 253402300799000
_DIGITS = re.compile(r"[0-9]{1,18}")
_MOST_CODE, _MOST_MINOR = 10**9, 10**12
"""A status code and an amount have fewer digits than a card number, or they are none."""
MOST_PAGE_BYTES = 4 << 20
MOST_FILE_BYTES = 16 << 20
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+(?:[{\[]|\Z)")


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A bearer token and the moment at which it ends, in epoch milliseconds (CONTRACT 2)."""

    token: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class OrderRead:
    """One order as `GET /orders/{id}` shows it (CONTRACT 9). `code` is None where the answer has none.

    `external_id` is our order id, empty when absent; `amount_minor` and `currency` are None and empty when absent, and so
    is `refunded_minor`, what was given back of it.
    """

    provider_order_id: str
    external_id: str
    code: int | None
    status: str
    amount_minor: int | None
    currency: str
    refunded_minor: int | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of `GET /orders`. `odd` has our order id of each row that cannot be read, as it names it, or empty."""

    orders: tuple[OrderRead, ...]
    has_next: bool
    odd: tuple[str, ...] = ()


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

    `odd_rows` counts rows that could not be read, `odd_words` says of each which it is and why; they are set aside and
    their orders stay as they are.
    """

    file: str
    mid: str
    accepted: bool
    error_text: str
    rows: tuple[AcknowledgedRow, ...]
    odd_rows: int
    odd_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomeNews:
    """One row of an outcomes file, or a webhook: a hint that makes the order due for a read.

    `called_expired` says that its word for the order means expired; a webhook has an event instead of a status.
    """

    provider_order_id: str
    order_id: str
    status: str
    called_expired: bool


def read_token(content: bytes) -> TokenAnswer:
    """The answer of the token call."""
    fields = fields_of(parse(content, max_bytes=MOST_ANSWER_BYTES))
    token, expires = fields.get("accesstoken"), fields.get("expires")
    if isinstance(expires, str) and _DIGITS.fullmatch(expires):
        expires = int(expires)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not isinstance(expires, int) or isinstance(expires, bool):
        raise AnswerUnreadable("The answer of the token call has no accessToken and expires.")
    return TokenAnswer(token, min(max(expires, 0), _LAST_MS))


def read_order_answer(content: bytes, profile: Profile) -> OrderRead:
    """The answer of `GET /orders/{id}`."""
    return _order(fields_of(parse(content, max_bytes=MOST_ANSWER_BYTES)), profile)


def read_outcome_answer(content: bytes, asked_for: str) -> OrderRead | None:
    """The answer of `POST /outcome` about one of the provider's ids (CONTRACT 8): a status word and nothing else that counts.

    None for NOTFOUND, which is no fact. Raises AnswerUnreadable where the call did not succeed or names another order.
    """
    fields = fields_of(parse(content, max_bytes=MOST_ANSWER_BYTES))
    named = {plain_id(fields.get(name)) for name in ("ordersessionkey", "orderid")} - {"", asked_for}
    status = status_word(_text(fields, "status"))
    if fields.get("success") is not True or not status or named:
        raise AnswerUnreadable("The outcome's answer has no success and status, or names another order.")
    if status.lower() == "notfound":
        return None
    return OrderRead(asked_for, "", code=None, status=status, amount_minor=None, currency="")


def read_order_page(content: bytes, profile: Profile) -> OrderPage:
    """One page of `GET /orders`."""
    fields = fields_of(parse(content, max_bytes=MOST_PAGE_BYTES))
    rows = fields.get(profile.orders.rows.lower())
    if not isinstance(rows, list):
        raise AnswerUnreadable("The listing of orders has no orders.")
    orders, odd = [], []
    for row in rows:
        try:
            orders.append(_order(fields_of(row), profile))
        except AnswerUnreadable:  # a row that cannot be read says nothing about its neighbours, nor of itself
            odd.append(_external_id(row, profile))
    return OrderPage(tuple(orders), fields.get(profile.orders.has_next_page.lower()) is True, tuple(odd))


def read_acknowledgement(content: bytes, profile: Profile) -> Acknowledgement:
    """An acknowledgement file, JSON or CSV. Raises AnswerUnreadable when it is not whole, so that it is read again later."""
    names = profile.acknowledgement
    fields = fields_of(_document(content, profile, acknowledgement_document))
    verdict = _verdict(fields.get(names.result.lower()), profile)
    if verdict is None:
        raise AnswerUnreadable("The acknowledgement says neither that the file was accepted nor that it was refused.")
    rows: list[AcknowledgedRow] = []
    odd: list[str] = []
    found = fields.get(names.rows.lower(), [])
    if not isinstance(found, list):
        raise AnswerUnreadable("The acknowledgement's rows are not a list.")
    for number, row in enumerate(found, start=1):
        read = None
        with suppress(AnswerUnreadable):  # one odd row is set aside; its neighbours are as good as before
            read = _acknowledged_row(row, profile)
        if read is not None:
            rows.append(read)
        else:
            odd.append(f"row {number} {_why_odd(row)}")
    return Acknowledgement(
        file=_text(fields, names.file),
        mid=_text(fields, names.mid),
        accepted=verdict,
        error_text=_errors_text(fields.get(names.errors.lower())),
        rows=tuple(rows) if verdict else (),
        odd_rows=len(odd),
        odd_words=tuple(odd),
    )


def read_outcomes(content: bytes, profile: Profile) -> tuple[str, tuple[OutcomeNews, ...], tuple[str, ...]]:
    """An outcomes file, JSON or CSV: the merchant id it is for, its news, and which rows could not be read, each with why."""
    names = profile.outcomes
    fields = fields_of(_document(content, profile, outcomes_document))
    rows = fields.get(names.rows.lower())
    if not isinstance(rows, list):
        raise AnswerUnreadable("The outcomes file has no outcomes.")
    news, odd = [], []
    for number, row in enumerate(rows, start=1):
        try:
            cells = fields_of(row)
            key = plain_id(cells.get(names.row.order_session_key.lower()))
        except AnswerUnreadable:
            odd.append(f"row {number} is no row with these columns, or has an id that cannot be one")
            continue
        order_id, status = _text(cells, names.row.order_id), _text(cells, names.row.status)
        if key or order_id:
            news.append(OutcomeNews(key, order_id, status, profile.meaning(status) is Meaning.EXPIRED))
        else:
            odd.append(f"row {number} names no order")
    return _text(fields, names.mid), tuple(news), tuple(odd)


def is_json(content: bytes) -> bool:
    """Whether an outbound file is read as JSON. What it begins with tells, not its name: no CSV header begins with a bracket."""
    return _JSON.match(content) is not None


def may_still_grow(content: bytes, answer: Acknowledgement, row_count: int) -> bool:
    """Whether an acknowledgement in CSV may be the beginning of a longer one; `row_count` is how many rows its request has.

    CSV has no mark at its end. It is whole when its last line has its end and every row of the request is answered; a
    file that is refused as a whole, or leaves rows out, looks like a beginning.
    """
    answered = {row.sequence_number or row.order_id for row in answer.rows}
    return not content.endswith((b"\n", b"\r")) or len(answered) < row_count


def _document(content: bytes, profile: Profile, from_csv: Callable[[strict_csv.Table, Profile], dict[str, object]]) -> object:
    if is_json(content):
        return parse(content, max_bytes=MOST_FILE_BYTES)
    return from_csv(strict_csv.parse(content, max_bytes=MOST_FILE_BYTES), profile)


def _order(fields: Mapping[str, object], profile: Profile) -> OrderRead:
    code, amount = fields.get("status"), fields.get(profile.orders.amount.lower())
    if isinstance(code, str) and _DIGITS.fullmatch(code):
        code = int(code)
    provider_order_id, status = plain_id(fields.get("id")) or plain_id(fields.get("ordersessionkey")), _text(fields, "statusName")
    if not provider_order_id or (not status and (not isinstance(code, int) or isinstance(code, bool))):
        raise AnswerUnreadable("The order's answer has no id or no status.")
    if isinstance(code, int) and abs(code) >= _MOST_CODE:
        raise AnswerUnreadable("The order's status is a number that is no code.")
    if amount is not None and (not isinstance(amount, int) or isinstance(amount, bool)):
        raise AnswerUnreadable("The order's amount is not a whole number of minor units.")
    if amount is not None and abs(amount) >= _MOST_MINOR:
        raise AnswerUnreadable("The order's amount is beyond all bounds.")
    return OrderRead(
        provider_order_id=provider_order_id,
        external_id=_external_id(fields, profile),
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        status=status_word(status),
        amount_minor=amount,
        currency=_text(fields, "currencyCode").upper(),
        refunded_minor=_minor(fields.get(profile.orders.refunded.lower())),
    )


def _external_id(row: object, profile: Profile) -> str:
    """Our order id as a row names it. It is only looked up or compared: one that is not ours is never kept as it is."""
    fields = {str(name).lower(): inner for name, inner in row.items()} if isinstance(row, Mapping) else {}
    return next((text for name in profile.orders.external_ids if (text := _text(fields, name))), "")


def _minor(value: object) -> int | None:
    """An amount that only helps to settle a refund: whatever is not a plain amount is as good as absent."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_MINOR else None


def _acknowledged_row(row: object, profile: Profile) -> AcknowledgedRow | None:
    names, fields = profile.acknowledgement.row, fields_of(row)
    accepted = _verdict(fields.get(names.result.lower()), profile)
    provider_id = plain_id(fields.get(names.order_session_key.lower())) or plain_id(fields.get(names.transmit_id.lower()))
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


def _why_odd(row: object) -> str:
    return "has no known result, or no id or number that can be read" if isinstance(row, dict) else "is no row with these columns"


def _verdict(word: object, profile: Profile) -> bool | None:
    if not isinstance(word, str):
        return None
    return {profile.acknowledgement.accepted: True, profile.acknowledgement.refused: False}.get(word.strip().lower())


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
