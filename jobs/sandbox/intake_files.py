"""Read one batch file as the provider reads it (CONTRACT 6.4): name, size, text, header, rows. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

from jobs.sandbox.brain import Kind
from jobs.sandbox.moments import as_moment
from jobs.sandbox.strict_text import Fields, NotStrict, nested, parse_csv, parse_json

_NAME = re.compile(r"(evaluate|transmit)_[A-Za-z0-9._-]{1,180}\.(json|csv)", re.ASCII)
_CSV_OWN = ("mid", "authorization", "sequencenumber")


@dataclass(frozen=True)
class Batch:
    """A batch file's content: whose it is, its embedded token, the default expiry, and its rows."""

    mid: object
    authorization: object
    expiry: datetime | None
    rows: list[Fields]


class FileRefused(ValueError):
    """The whole file is refused; the message is the reason."""


def kind_of(name: str) -> Kind | None:
    """The kind that a file's name claims, or None: such a file is not picked up (CONTRACT 6.1)."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return "evaluate" if found.group(1) == "evaluate" else "transmit"


def read_batch(name: str, kind: Kind, raw: bytes) -> Batch:
    """Read a batch in the format that its name says. Raises `FileRefused` with the first reason."""
    try:
        return _from_csv(kind, raw) if name.endswith(".csv") else _from_json(kind, raw)
    except NotStrict as error:
        raise FileRefused(str(error)) from error


def check_batch(batch: Batch, mid: str, max_rows: int) -> list[str]:
    """What is wrong with the file as a whole, apart from its token: merchant, row count, sequence numbers."""
    found = []
    if not isinstance(batch.mid, str) or batch.mid.lower() != mid:
        found.append("mid is not this account's")
    if not batch.rows:
        found.append("the file has no rows")
    if len(batch.rows) > max_rows:
        found.append(f"the file has {len(batch.rows)} rows; at most {max_rows} are allowed")
    for position, row in enumerate(batch.rows, start=1):
        if row.get("sequencenumber") != str(position):
            found.append(f"row {position} does not bear the sequenceNumber {str(position)!r}")
            break
    return found


def _from_json(kind: Kind, raw: bytes) -> Batch:
    head_name, rows_name, token_name = (
        ("configuration", "transactionRequests", "authorizationToken")
        if kind == "evaluate"
        else ("header", "transactions", "Authorization")
    )
    document = parse_json(raw)
    head = document.get(head_name.lower()) if isinstance(document, dict) else None
    rows = document.get(rows_name.lower()) if isinstance(document, dict) else None
    if not isinstance(head, dict) or not isinstance(rows, list):
        message = f"the file is not an object with {head_name} and {rows_name}"
        raise FileRefused(message)
    if not all(isinstance(row, dict) for row in rows):
        message = f"an element of {rows_name} is not an object"
        raise FileRefused(message)
    expiry = _expiry(head.get("expirydateutc")) if kind == "evaluate" else None
    return Batch(head.get("mid"), head.get(token_name.lower()), expiry, rows)


def _from_csv(kind: Kind, raw: bytes) -> Batch:
    lines = parse_csv(raw)
    if not lines:
        return Batch(None, None, None, [])
    for name in (*_CSV_OWN, "expirydateutc") if kind == "evaluate" else _CSV_OWN:
        if name not in lines[0]:
            message = f"the column {name} is missing"
            raise FileRefused(message)
    first = lines[0]
    if any(line["mid"] != first["mid"] or line["authorization"] != first["authorization"] for line in lines):
        message = "mid and authorization are not the same in every row"
        raise FileRefused(message)
    rows = [nested({name: cell for name, cell in line.items() if name != "authorization"}) for line in lines]
    return Batch(first["mid"], first["authorization"], None, rows)


def _expiry(value: object) -> datetime | None:
    if value is None:
        return None
    moment = as_moment(value)
    if moment is None:
        message = "expiryDateUtc is not a date and time"
        raise FileRefused(message)
    return moment
