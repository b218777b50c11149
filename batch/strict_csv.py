"""Read CSV that somebody else wrote: bounded, exact, and without guessing (RFC 4180, strictly; CONTRACT 6.4)."""

import re
from dataclasses import dataclass

from schemas.errors import AnswerUnreadable

_MAX_CELLS = 500_000
"""Commas and line ends: at most so many. A full file of 2,000 rows may have 250 cells to a row, as in JSON."""
_MAX_COLUMNS = 256
# One cell and what ends it. Possessive, so that no input is read twice; a quote inside an unquoted cell matches nothing.
_CELL = re.compile(r'(?:"([^"]*+(?:""[^"]*+)*+)"|([^",\r\n]*+))(,|\r\n|\n|\r|\Z)')


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV text by its header: each row as its cells by column, names in lower case, cells as they stand; empty ones are absent.

    A row with more or fewer cells than the header is None: it says nothing, and its neighbours are as good as before.
    `has_last_end` says whether the last line has its line end; without one it may still be being written.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str] | None, ...]
    has_last_end: bool


def parse(content: bytes, *, max_bytes: int) -> Table:
    """What a provider's CSV says: every cell is text, whatever a spreadsheet would make of it.

    UTF-8 with or without its byte order mark; lines end with LF, CR LF or CR; empty lines are passed over. Refused are:
    more than `max_bytes` or half a million cells, more than 256 columns, another encoding, a NUL, a quote that is not
    doubled or not closed, a header whose names are empty or stand twice (in any case), and a text without a header.
    Raises AnswerUnreadable with a sentence that repeats nothing of the content.
    """
    if len(content) > max_bytes:
        raise AnswerUnreadable(f"The answer has {len(content):,} bytes; at most {max_bytes:,} are read.")
    if sum(map(content.count, b",\n\r")) > _MAX_CELLS:
        raise AnswerUnreadable(f"The answer has more than {_MAX_CELLS:,} cells.")
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise AnswerUnreadable(f"The answer is not UTF-8 at byte {error.start:,}.") from None
    if "\x00" in text:
        raise AnswerUnreadable("The answer has a NUL.")
    lines, has_last_end = _lines(text)
    if not lines:
        raise AnswerUnreadable("The answer has no header.")
    columns = tuple(name.lower() for name in lines[0])
    if len(columns) > _MAX_COLUMNS:
        raise AnswerUnreadable(f"The answer has {len(columns):,} columns; at most {_MAX_COLUMNS} are read.")
    if "" in columns or len(set(columns)) != len(columns):
        raise AnswerUnreadable("The answer has a header in which a name is empty or stands twice.")
    return Table(columns, tuple(_row(columns, line) for line in lines[1:]), has_last_end)


def _lines(text: str) -> tuple[list[list[str]], bool]:
    """The cells of every line that is not empty, and whether the last line has its end."""
    lines: list[list[str]] = []
    line: list[str] = []
    at, end = 0, "\n"
    while at < len(text) or end == ",":
        found = _CELL.match(text, at)
        if found is None:
            raise AnswerUnreadable(f"The answer has a quote that is not doubled or not closed in line {len(lines) + 1:,}.")
        quoted, plain, end = found.groups()
        line.append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if end != ",":
            if line != [""] or quoted is not None:
                lines.append(line)
            line = []
    return lines, end != ""


def _row(columns: tuple[str, ...], line: list[str]) -> dict[str, str] | None:
    if len(line) != len(columns):
        return None
    return {name: cell for name, cell in zip(columns, line, strict=True) if cell}
