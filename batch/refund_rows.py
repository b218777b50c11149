"""Refunds from a CSV file: every row read strictly, the odd ones named with what is wrong, and none stopping another. Pure."""

import csv
import re
from dataclasses import dataclass

from batch.card_numbers import has_card_number
from schemas.counted import counted
from schemas.errors import UsageRefused

COLUMNS = ("order_id", "amount", "currency", "reason", "request_id")
MOST_BYTES, MOST_ROWS = 16 << 20, 20_000


@dataclass(frozen=True, slots=True)
class RefundRow:
    """One row as it stands in the file; `number` is its line, `problem` says why it cannot be read, empty where it can."""

    number: int
    order_id: str
    amount: str
    currency: str
    reason: str
    request_id: str
    problem: str = ""


def read_refund_rows(content: bytes) -> list[RefundRow]:
    """The rows of a file with exactly these five columns, in any order. Raises UsageRefused for a file that is no such CSV."""
    if len(content) > MOST_BYTES:
        raise UsageRefused(f"The file has {len(content):,} bytes; at most {MOST_BYTES:,} are read.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageRefused(f"The file is not UTF-8 at byte {error.start:,}.") from None
    if "\0" in text:
        raise UsageRefused("The file holds a NUL byte; it is no CSV.")
    reader = csv.reader(re.split(r"(?<=\n)", text), strict=True)
    found: list[RefundRow] = []
    try:
        header = next(reader, [])
        if sorted(header) != sorted(COLUMNS):
            raise UsageRefused(
                f"The file's first line must name exactly these columns: {','.join(COLUMNS)}.",
                next_step="Write every one of them, with its value in every row.",
            )
        for cells in reader:
            if cells:
                found.append(_row(reader.line_num, header, cells))
            if len(found) > MOST_ROWS:
                raise UsageRefused(f"The file has more than {MOST_ROWS:,} rows; split it.")
    except csv.Error as error:
        raise UsageRefused(f"The file is no CSV at line {reader.line_num:,} ({error}).") from None
    return found


def _row(number: int, header: list[str], cells: list[str]) -> RefundRow:
    if len(cells) != len(header):
        return RefundRow(number, "", "", "", "", "", f"it has {counted(len(cells), 'cell')} instead of {len(header)}")
    named = dict(zip(header, cells, strict=True))
    empty = [name for name in COLUMNS if not named[name].strip()]
    problem = f"{' and '.join(empty)} must not be empty" if empty else ""
    if not problem and (len(named["request_id"]) > 128 or not named["request_id"].isprintable()):
        problem = "request_id must be at most 128 printable characters"
    carded = [name for name in COLUMNS if has_card_number(named[name])]
    if carded:
        problem = f"{' and '.join(carded)} must hold no card number"
        named = {name: "" if name in carded else named[name] for name in COLUMNS}
    return RefundRow(number, problem=problem, **named)
