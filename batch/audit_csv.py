"""How one row becomes one line of CSV that a spreadsheet shows and never runs. Pure text; reading it back restores every byte."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from schemas.audit_columns import DECIMAL_COLUMNS, INTEGER_COLUMNS, ROW_CHECK
from schemas.money import decimal_text

Cell = str | int | bool | None
"""What a row holds: None means unknown, and becomes an empty cell."""

BYTE_ORDER_MARK = "\ufeff"
"""What a file begins with, so that a spreadsheet reads it as UTF-8."""

_PLAIN = re.compile(r'[0-9A-Za-z][^"\\\r\n\t]*\Z')
_JOINT = "\x1f"
_PLAIN_CELL = r'(?:[0-9A-Za-z][^"\\\r\n\t\x1f]*)?'
_INTEGER_CELL, _DECIMAL_CELL = r"(?:-?[0-9]{1,30})?", r"[^\x1f]*"
"""What the cells of a row look like in which nothing has to be guarded; decimals are made here, and are what they are."""
_INTEGER = re.compile(r"(-?[0-9]{1,30})?\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_TRIGGERS = frozenset("=+-@＝＋－＠")
_ESCAPES = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", "\t": "\\t"}
_ESCAPED = re.compile(r"[\\\r\n\t]")
_RESTORED = {escape: text for text, escape in _ESCAPES.items()}
_ESCAPE = re.compile(r"\\[\\rnt]")


def guard(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula, on one line.

    An apostrophe goes in front of what begins with = + - @ (also full-width, or after blanks), a tab, a carriage return
    or an apostrophe. Carriage return, line feed, tab and backslash become \\r \\n \\t \\\\.
    """
    escaped = _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)
    return f"'{escaped}" if _is_risky(text) else escaped


def unguard(cell: str) -> str:
    """The text that `guard` was given. Cells of number columns come back as they are."""
    return _ESCAPE.sub(lambda found: _RESTORED[found[0]], cell[1:] if cell.startswith("'") else cell)


def row_check(cells: Iterable[str]) -> str:
    """8 hex digits that change when any other cell of a row does: over the cells before guarding, joined by U+001F."""
    return _digest(_JOINT.join(cells))


def _digest(joined: str) -> str:
    return hashlib.sha256(joined.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Marks:
    """The merchant's delimiter and decimal mark; never the same."""

    delimiter: str = ","
    decimal: str = "."


class RenderedRow(NamedTuple):
    """One line with its line feed, and how many of its cells had to be guarded."""

    line: str
    guarded_cells: int


class RowRenderer:
    """Writes rows of one file. A row is a mapping by column; decimals and the check are made here, so they need no entry."""

    def __init__(self, columns: Sequence[str], marks: Marks) -> None:
        self._marks = marks
        self._header = marks.delimiter.join(f'"{name}"' for name in columns) + "\n"
        self._checked = columns[-1] == ROW_CHECK
        own = columns[:-1] if self._checked else columns
        self._plan = [(name, name in INTEGER_COLUMNS or name in DECIMAL_COLUMNS, DECIMAL_COLUMNS.get(name)) for name in own]
        self._values = itemgetter(*(minor or name for name, _, minor in self._plan))
        self._decimals = [place for place, (_, _, minor) in enumerate(self._plan) if minor]
        shapes = [_DECIMAL_CELL if minor else _INTEGER_CELL if number else _PLAIN_CELL for _, number, minor in self._plan]
        self._plain_row = re.compile(_JOINT.join(shapes))
        quoted = ["%s" if number else '"%s"' for _, number, _ in self._plan] + ['"%s"'] * self._checked
        self._plain_line = marks.delimiter.replace("%", "%%").join(quoted) + "\n"

    def header(self) -> str:
        """The first line of every file and every part."""
        return self._header

    def render(self, row: Mapping[str, Cell]) -> RenderedRow:
        """One row as one line."""
        values = list(self._values(row))
        for place in self._decimals:
            values[place] = self._decimal(values[place], row["currency"])
        texts = [value if type(value) is str else cell_text(value) for value in values]
        joined = _JOINT.join(texts)
        check = [_digest(joined)] if self._checked else []
        if self._plain_row.fullmatch(joined):
            return RenderedRow(self._plain_line % (*texts, *check), 0)
        cells, guarded = [], 0
        for text, (_, is_number, minor) in zip(texts, self._plan, strict=True):
            if is_number and (minor or _INTEGER.match(text)):
                cells.append(text)
            elif _PLAIN.match(text):
                cells.append(f'"{text}"')
            else:
                guarded += _is_risky(text)
                cells.append('"' + guard(text).replace('"', '""') + '"')
        cells += [f'"{each}"' for each in check]
        return RenderedRow(self._marks.delimiter.join(cells) + "\n", guarded)

    def _decimal(self, amount_minor: Cell, currency: Cell) -> str:
        if not isinstance(amount_minor, int) or not _CURRENCY.match(str(currency)):
            return ""
        return _decimal_text(amount_minor, str(currency), self._marks.decimal)


_decimal_text = lru_cache(maxsize=1024)(decimal_text)
"""An order's amount stands in a row of each of several files, which are written side by side."""


@lru_cache(maxsize=16)
def row_renderer(columns: tuple[str, ...], marks: Marks) -> RowRenderer:
    """The renderer of a file, made once: every night writes the same few."""
    return RowRenderer(columns, marks)


def cell_text(value: Cell) -> str:
    """A value as finance reads it: unknown is empty, yes and no are `true` and `false`, the rest as it is."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_risky(text: str) -> bool:
    if text[:1] in {"'", "\t", "\r", "\n"}:
        return True
    for character in text:
        if not (character.isspace() or unicodedata.category(character) in {"Cc", "Cf"}):
            return character in _TRIGGERS
    return False
