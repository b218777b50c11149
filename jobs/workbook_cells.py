"""The cells of the workbook: the rows of a CSV file as they were before they were guarded, each cell by its type."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch.audit import MANIFEST
from batch.audit_csv import row_check, unguard
from batch.tampering import read_manifest
from schemas.audit_columns import DECIMAL_COLUMNS, INTEGER_COLUMNS, ROW_CHECK
from schemas.errors import AuditBroken
from schemas.money import exponent

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_MOST_DIGITS = 15
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


class CellWriter:
    """Writes one cell by what its column is: numbers as numbers, dates as dates, everything else as text."""

    def __init__(self, book: "Workbook") -> None:
        self.head = book.add_format({"bold": True, "bottom": 1, "num_format": "@"})
        self._text = book.add_format({"num_format": "@"})
        self._whole = book.add_format({"num_format": "0"})
        self._date = book.add_format({"num_format": "yyyy-mm-dd"})
        self._money: dict[int, Format] = {
            places: book.add_format({"num_format": "#,##0" + ("." + "0" * places if places else "")}) for places in (0, 2, 3)
        }

    def write(self, sheet: "Worksheet", row: int, place: int, column: str, cells: Mapping[str, str]) -> None:
        """Write the cell of a column of a row; an empty one is left out."""
        text = cells[column]
        if not text:
            return
        if column in DECIMAL_COLUMNS:
            self._amount(sheet, row, place, text, cells[DECIMAL_COLUMNS[column]], cells["currency"])
        elif column in INTEGER_COLUMNS and _is_exact(text):
            sheet.write_number(row, place, int(text), self._whole)
        elif column.endswith("_date") and _DATE.match(text):
            sheet.write_datetime(row, place, date.fromisoformat(text), self._date)
        elif text in {"true", "false"} and column == "late":
            sheet.write_boolean(row, place, text == "true")
        else:
            sheet.write_string(row, place, text, self._text)

    def _amount(self, sheet: "Worksheet", row: int, place: int, text: str, minor: str, currency: str) -> None:
        if not (_is_exact(minor) and _CURRENCY.match(currency)):
            sheet.write_string(row, place, text, self._text)
            return
        places = exponent(currency)
        sheet.write_number(row, place, int(minor) / 10**places, self._money[places])


def rows_of(folder: Path, name: str, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Every row of a file of one date, all of its parts, as it was before it was guarded."""
    manifest = read_manifest((folder / MANIFEST).read_bytes())
    written_with: Any = manifest.get("written_with")
    delimiter = str(written_with.get("delimiter", ",")) if isinstance(written_with, dict) else ","
    for path in sorted(folder.glob(f"{name}*.csv")):
        if not re.fullmatch(rf"{name}(\.[0-9]{{4,}})?\.csv", path.name):
            continue
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter=delimiter, strict=True)
            header = next(rows, [])
            for cells in rows:
                row = _row(path, header, [unguard(cell) for cell in cells], rows.line_num)
                yield {column: row.get(column, "") for column in columns}


def _row(path: Path, header: list[str], cells: list[str], line: int) -> dict[str, str]:
    """One row. Raises AuditBroken where it was edited: it must not get into a workbook as if it were ours."""
    if len(cells) != len(header) or (ROW_CHECK in header and row_check(cells[:-1]) != cells[-1]):
        where = f"line {line:,} of {path.parent.name}/{path.name}"
        raise AuditBroken(f"{where} does not fit its row_check; no workbook was written.", now="")
    return dict(zip(header, cells, strict=True))


def _is_exact(text: str) -> bool:
    """Whether a spreadsheet keeps a whole number to its last digit."""
    return re.fullmatch(r"0|-?[1-9][0-9]*", text) is not None and len(text.lstrip("-")) <= _MOST_DIGITS
