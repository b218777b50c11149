"""Read what a client sent, strictly: JSON without doubles, NaN or depth, CSV without ragged rows. Pure."""

import csv
import hashlib
import io
import json
import re
from decimal import Decimal

MAX_DEPTH = 32
Fields = dict[str, object]
"""A record with lower-case names: property names are matched case-insensitively (CONTRACT 1)."""

_BOOLEANS = {"isdeclined", "ismit", "isrecurring", "token", "cardnotpresent"}
_INTEGERS = {
    "amount",
    "timezoneutcoffset",
    "expirationmonth",
    "expirationyear",
    "mcc",
    "quantity",
    "discountamount",
    "tax",
}


class NotStrict(ValueError):
    """The text is not what it claims to be; the message says where."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            message = f"the property {name[:80]!r} occurs twice in one object"
            raise NotStrict(message)
        found[name] = value
    return found


def _no_constant(text: str) -> object:
    message = f"{text} is not JSON"
    raise NotStrict(message)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start}"
        raise NotStrict(message) from error
    if text.startswith("\ufeff") or "\0" in text:
        message = "a byte order mark or a NUL is in the text"
        raise NotStrict(message)
    return text


def parse_json(raw: bytes) -> object:
    """Read JSON with lower-cased names. Raises `NotStrict` for anything loose, too deep, or not UTF-8."""
    text = _text(raw)
    try:
        value: object = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=Decimal)
    except RecursionError:
        message = f"nested deeper than {MAX_DEPTH}"
        raise NotStrict(message) from None
    except NotStrict:
        raise
    except ValueError as error:
        message = f"not JSON: {str(error)[:120]}"
        raise NotStrict(message) from error
    return _folded(value, 0)


def _folded(value: object, depth: int) -> object:
    if depth >= MAX_DEPTH and isinstance(value, (dict, list)):
        message = f"nested deeper than {MAX_DEPTH}"
        raise NotStrict(message)
    if isinstance(value, dict):
        return _once([(_sound(name).lower(), _folded(inner, depth + 1)) for name, inner in value.items()])
    if isinstance(value, list):
        return [_folded(inner, depth + 1) for inner in value]
    return _sound(value) if isinstance(value, str) else value


def _sound(text: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        message = "half of a surrogate pair is no character"
        raise NotStrict(message)
    return text


def parse_csv(raw: bytes) -> list[dict[str, str]]:
    """Read RFC 4180 text with one header row; names lower-cased, each row as wide as the header."""
    rows = csv.reader(io.StringIO(_text(raw), newline=""), strict=True)
    try:
        header = [name.lower() for name in next(rows, [])]
        if not header or len(set(header)) != len(header) or not all(header):
            message = "the header row is missing, or names a column twice or not at all"
            raise NotStrict(message)
        records = []
        for row in rows:
            if len(row) != len(header):
                message = f"line {rows.line_num} has {len(row)} cells, the header has {len(header)}"
                raise NotStrict(message)
            records.append(dict(zip(header, row, strict=True)))
    except csv.Error as error:
        message = f"not CSV at line {rows.line_num}: {error}"
        raise NotStrict(message) from error
    return records


def nested(row: dict[str, str]) -> Fields:
    """Unfold dotted names into objects and lists; an empty cell is an absent property (CONTRACT 6.4)."""
    record: Fields = {}
    for name, text in row.items():
        if text == "":
            continue
        *path, last = name.split(".")
        if len(path) > MAX_DEPTH:
            message = f"the column {name[:80]!r} is nested too deep"
            raise NotStrict(message)
        inner = record
        for step in path:
            found = inner.setdefault(step, {})
            if not isinstance(found, dict):
                message = f"the column {name[:80]!r} is both a value and an object"
                raise NotStrict(message)
            inner = found
        inner[last] = _typed(last, text)
    return {name: _listed(value) for name, value in record.items()}


def _typed(name: str, text: str) -> object:
    if name in _BOOLEANS and text in ("true", "false"):
        return text == "true"
    if name in _INTEGERS and re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        return int(text)
    return text


def _listed(value: object) -> object:
    if not isinstance(value, dict):
        return value
    if value and list(value) == [str(position) for position in range(len(value))]:
        return [_listed(inner) for inner in value.values()]
    return {name: _listed(inner) for name, inner in value.items()}


def digest_of(record: Fields) -> str:
    """SHA-256 of a record in one canonical form, the same for JSON and CSV."""
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
