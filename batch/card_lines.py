"""One line of card data as `mitbatch tokenize` takes it, read strictly, and the request that is made of it (CONTRACT 3).

Nothing here repeats a value of the line but the order id: no sentence, no repr. What is read lives as long as its line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from batch.card_numbers import has_card_number, passes_luhn
from batch.order_rows import MAX_ID_LENGTH, is_storable
from batch.strict_json import parse
from schemas.errors import AnswerUnreadable

MOST_LINE_BYTES = 4096

_REQUIRED = ("order_id", "number", "month", "year", "first_name", "last_name")
_OPTIONAL = ("verification_value", "email")
_PLAIN = ("order_id", "first_name", "last_name", "email")
_NUMBER = re.compile(r"[0-9]{12,19}")
_MONTH = re.compile(r"0?[1-9]|1[0-2]")
_YEAR = re.compile(r"20[0-9]{2}")
_CODE = re.compile(r"[0-9]{3,4}")
_MOST_NAME, _MOST_EMAIL = 100, 254


@dataclass(frozen=True, slots=True)
class Card:
    """A card for one order. `month` has two digits, `year` four; only the order id is in its repr."""

    order_id: str
    number: str = field(repr=False)
    month: str = field(repr=False)
    year: str = field(repr=False)
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    verification_value: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    @property
    def last4(self) -> str:
        """The last four digits, which may be kept."""
        return self.number[-4:]


@dataclass(frozen=True, slots=True)
class MalformedLine:
    """A line that is no card: its order id, where one could be read and may be shown, and one sentence that repeats nothing."""

    order_id: str
    sentence: str


def read_card(content: bytes) -> Card | MalformedLine:
    """The card in a line, or what is wrong with it.

    A line is one JSON object (RFC 8259) of at most 4,096 bytes with the texts `order_id`, `number`, `month`, `year`,
    `first_name`, `last_name`, optionally `verification_value` and `email`, and nothing else. `number` is 12 to 19 digits
    without spaces that pass the Luhn check; `month`, `year` and `verification_value` may also be whole numbers.
    """
    if len(content) > MOST_LINE_BYTES:
        return MalformedLine("", f"it is longer than {MOST_LINE_BYTES:,} bytes")
    try:
        found = parse(content, max_bytes=MOST_LINE_BYTES, max_depth=1)
    except AnswerUnreadable:
        return MalformedLine("", "it is not one flat JSON object in UTF-8, with each name once")
    if not isinstance(found, dict):
        return MalformedLine("", "it is not a JSON object")
    texts = {name: _text(name, value) for name, value in found.items() if name in (*_REQUIRED, *_OPTIONAL)}
    order_id = texts.get("order_id") or ""
    if fault := _fault(texts, odd_names=len(found) - len(texts)):
        return MalformedLine(order_id if _may_be_shown(order_id) else "", fault)
    values = {name: text for name, text in texts.items() if text is not None}
    return Card(**{**values, "month": values["month"].zfill(2)})


def request_body(card: Card) -> bytes:
    """What `POST tokenize` is sent for a card: snake_case, the month as MM, no verification value where there is none."""
    fields = {
        "first_name": card.first_name,
        "last_name": card.last_name,
        "number": card.number,
        "month": card.month,
        "year": card.year,
    }
    if card.verification_value:
        fields["verification_value"] = card.verification_value
    method: dict[str, object] = {"credit_card": fields}
    if card.email:
        method["email"] = card.email
    return orjson.dumps({"payment_method": method})


def _text(name: str, value: object) -> str | None:
    """A value as text; None when it is of another kind than may stand there."""
    if isinstance(value, str):
        return value
    may_be_number = name in ("month", "year", "verification_value")
    return str(value) if may_be_number and isinstance(value, int) and not isinstance(value, bool) else None


def _may_be_shown(order_id: str) -> bool:
    return 0 < len(order_id) <= MAX_ID_LENGTH and is_storable(order_id) and not has_card_number(order_id)


def _fault(texts: Mapping[str, str | None], *, odd_names: int) -> str:
    """What is wrong with a line, in the words of its field names; empty when nothing is."""
    if odd_names:
        return f"it has {odd_names} {'name' if odd_names == 1 else 'names'} that nothing knows"
    for name, text in texts.items():
        if text is None:
            return f"{name} is of another kind than may stand there"
    known = {name: text for name, text in texts.items() if text is not None}
    if missing := [name for name in _REQUIRED if not known.get(name, "").strip()]:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if misplaced := [name for name in _PLAIN if has_card_number(known.get(name, ""))]:
        return f"a card number stands in {', '.join(misplaced)}"
    return _malformed(known)


def _malformed(known: Mapping[str, str]) -> str:
    rules = {
        "order_id": (_may_be_shown(known["order_id"]), f"is longer than {MAX_ID_LENGTH} characters or no plain text"),
        "number": (
            bool(_NUMBER.fullmatch(known["number"])) and passes_luhn(known["number"]),
            "is no card number: 12 to 19 digits, nothing between them, with a right check digit",
        ),
        "month": (bool(_MONTH.fullmatch(known["month"])), "must be 1 to 12"),
        "year": (bool(_YEAR.fullmatch(known["year"])), "must have four digits, from 2000 to 2099"),
        "first_name": (_is_name(known["first_name"]), f"is longer than {_MOST_NAME} characters or no plain text"),
        "last_name": (_is_name(known["last_name"]), f"is longer than {_MOST_NAME} characters or no plain text"),
        "verification_value": (
            not known.get("verification_value") or bool(_CODE.fullmatch(known["verification_value"])),
            "must have three or four digits",
        ),
        "email": (len(known.get("email", "")) <= _MOST_EMAIL and is_storable(known.get("email", "")), "is no address"),
    }
    return "; ".join(f"{name} {words}" for name, (is_sound, words) in rules.items() if not is_sound)


def _is_name(text: str) -> bool:
    return len(text) <= _MOST_NAME and is_storable(text)
