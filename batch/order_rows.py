"""Read a row of the orders table strictly: an order that may travel, or the columns that are malformed."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from batch.pace import utc_text
from schemas.order import OPTIONAL_COLUMNS, READ_COLUMNS, Order, OrderRow, Origin

Kind = Literal["evaluate", "transmit"]

MAX_ID_LENGTH = 255
MAX_ID_SHOWN = 200
MAX_TEXT_LENGTH = 4096

_AMOUNT = re.compile(r"[+-]?[0-9]{1,18}")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(?:Z|\+00:00)?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_YES_NO = dict.fromkeys(("", "0", "false", "no", "f", "n"), False) | dict.fromkeys(("1", "true", "yes", "t", "y"), True)

_SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "origin": (re.compile("|".join(Origin)), "must be recurring, website or call_center"),
    "amount_minor": (_AMOUNT, "must be a whole number of minor units, without a decimal mark"),
    "currency": (re.compile(r"[A-Z]{3}"), "must be three capital letters (ISO 4217)"),
    "charged_at": (_TIME, "must be a UTC time such as 2026-11-23T06:30:01Z"),
    "country": (re.compile(r"(?:[A-Z]{2})?"), "must be two capital letters (ISO 3166)"),
    "attempts_30d": (re.compile(r"[0-9]{0,9}"), "must be a whole number, 0 or more"),
    "card_bin": (re.compile(r"(?:[0-9]{6}(?:[0-9]{2})?)?"), "must be the first 6 or 8 digits of the card"),
    "card_last4": (re.compile(r"(?:[0-9]{4})?"), "must be the last 4 digits of the card"),
    "exp_month": (re.compile(r"(?:0?[1-9]|1[0-2])?"), "must be 1 to 12"),
    "exp_year": (re.compile(r"(?:[0-9]{4})?"), "must have 4 digits"),
    "customer_ip": (re.compile(r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]{2,45})?"), "must be an IP address"),
    "sense_key": (re.compile(r"[!-~]{0,128}"), "must be at most 128 letters, digits and marks without blanks"),
    "opted_out": (re.compile("|".join(_YES_NO), re.IGNORECASE | re.ASCII), "must be true or false"),
}
_ALWAYS = ("order_id", "site", "origin", "amount_minor", "currency", "charged_at")
_FOR_RESCUE = ("response_code", "response_code_source", "country", "address_line1", "city", "zipcode")
_OF_A_BROWSER = ("customer_ip", "sense_key")
_FOR_SUBSCRIPTION = ("subscription_id", "subscription_interval")
_EMPTY = dict.fromkeys((*READ_COLUMNS, *OPTIONAL_COLUMNS), "")


def _sound_cell(column: str) -> str:
    if column in _SHAPES:
        shape = _SHAPES[column][0]
        return f"(?{'ai' if shape.flags & re.IGNORECASE else ''}:{shape.pattern})?"
    return f"[^\x00\x1f\ud800-\udfff]{{0,{_longest(column)}}}"


def _longest(column: str) -> int:
    return MAX_ID_LENGTH if column == "order_id" else MAX_TEXT_LENGTH


_JOINT = "\x1f"
_SOUND_ROW = re.compile(_JOINT.join(map(_sound_cell, _EMPTY)))
"""What the joined cells of a row look like in which no cell has a fault: nearly every row is passed by one look at the whole."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A row that cannot travel: its faulty columns, and one sentence that repeats nothing of what stands in them."""

    columns: tuple[str, ...]
    sentence: str


def read_order(row: OrderRow, *, kind: Kind = "evaluate") -> Order | Malformed:
    """The order in a row, or what is wrong with it. `evaluate` also needs what CONTRACT 7 requires of a declined charge.

    Texts stay byte for byte; `charged_at` becomes UTC with whole seconds and Z. An empty payment token is not malformed.
    """
    cells = _EMPTY | row.cells
    faults = dict.fromkeys(row.unreadable, "is of a kind that no text can stand for without loss")
    if not _SOUND_ROW.fullmatch(_JOINT.join(cells.values())):
        faults = faults | _faults(cells) | faults
    for column in _required(kind, cells["origin"]):
        if not cells[column].strip() and column not in faults:
            faults[column] = "is missing"
    if kind == "evaluate" and not all(billing_name(cells["first_name"], cells["last_name"], cells["holder_name"])):
        faults.setdefault("last_name", "is missing, and first_name and holder_name do not make up for it")
    if not faults:
        faults = _impossible_time(cells["charged_at"])
    if faults:
        return Malformed(tuple(faults), "; ".join(f"{column} {fault}" for column, fault in faults.items()))
    return _order(cells)


def billing_name(first_name: str, last_name: str, holder_name: str) -> tuple[str, str]:
    """First and last name for the bill (CONTRACT 7.1): the row's own, else the holder's name, parted at its last space."""
    if first_name.strip() and last_name.strip():
        return first_name, last_name
    first, _, last = holder_name.strip().rpartition(" ")
    return (first, last) if first.strip() and last else ("", "")


def charged_time(order_or_text: Order | str) -> datetime:
    """When an order was charged, in UTC with whole seconds. A text without a zone is UTC.

    Taken are ISO 8601 with T or a space, with or without a fraction, ending in Z, in +00:00 or in nothing. Raises
    ValueError for anything else.
    """
    return _moment(order_or_text.charged_at if isinstance(order_or_text, Order) else order_or_text)


@lru_cache(maxsize=1024)
def _moment(text: str) -> datetime:
    """The time that a text says; a row's is asked for several times on its way through the gate."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("the time is not UTC as ISO 8601")
    return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC)


def amount_of(text: str) -> int | None:
    """Minor units from a cell, or nothing where no whole number stands (a float's text, a blank, too many digits)."""
    return int(text) if _AMOUNT.fullmatch(text) else None


def is_storable(text: str) -> bool:
    """Whether a database keeps this text as it is: no NUL and no half of a surrogate pair (bytes that were not UTF-8)."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def storable(text: str) -> str:
    """A cell as it can be recorded when the row is refused: NUL and half surrogates spelt out, cut at 4,096 characters."""
    if text.isprintable() and len(text) <= MAX_TEXT_LENGTH:  # neither of the two can be printed
        return text
    return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text[:MAX_TEXT_LENGTH])


def storable_id(text: str) -> str:
    """An order id as it can be recorded when its row is refused; one that had to be cut ends with a hash of the whole."""
    if len(text) <= MAX_TEXT_LENGTH:
        return storable(text)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{storable(text)[:MAX_ID_SHOWN]}...{digest}"


def _required(kind: Kind, origin: str) -> tuple[str, ...]:
    required = _ALWAYS + (_FOR_RESCUE if kind == "evaluate" else ())
    return required + (_FOR_SUBSCRIPTION if origin == Origin.RECURRING else ())


def _faults(cells: dict[str, str]) -> dict[str, str]:
    """What is wrong with each cell that has a fault."""
    found = {}
    for column, text in cells.items():
        is_said = column not in _OF_A_BROWSER or cells["origin"] != Origin.RECURRING  # an MIT says nothing of a browser
        if fault := _fault(column, text, has_shape=is_said):
            found[column] = fault
    return found


def _fault(column: str, text: str, *, has_shape: bool) -> str:
    """What is wrong with one cell, or nothing. Emptiness is judged elsewhere."""
    limit = _longest(column)
    if len(text) > limit:
        return f"is longer than {limit:,} characters"
    if _UNSTORABLE.search(text):
        return "has a NUL or half a surrogate pair"
    shape, sentence = _SHAPES.get(column, (None, "")) if has_shape else (None, "")
    return sentence if shape and text and not shape.fullmatch(text) else ""


def _impossible_time(text: str) -> dict[str, str]:
    try:
        charged_time(text)
    except ValueError:
        return {"charged_at": "names a time that does not exist"}
    return {}


def _order(cells: dict[str, str]) -> Order:
    month, year = cells["exp_month"], cells["exp_year"]
    converted: dict[str, Any] = {
        "origin": Origin(cells["origin"]),
        "amount_minor": int(cells["amount_minor"]),
        "charged_at": utc_text(charged_time(cells["charged_at"])),
        "attempts_30d": int(cells["attempts_30d"] or 0),
        "exp_month": int(month) if month else None,
        "exp_year": int(year) if year else None,
        "opted_out": _YES_NO[cells["opted_out"].lower()],
    }
    return Order(**{**cells, **converted})
