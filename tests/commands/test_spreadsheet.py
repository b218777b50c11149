"""LibreOffice opens finance's files: ids stay text with their zeros, negative numbers stay numbers, and nothing is a formula."""

import csv
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from batch.audit_csv import guard
from jobs.workbook import write_workbook
from schemas.audit_columns import INTEGER_COLUMNS, ROW_FILES, SUMMARY_COLUMNS
from tests.commands.test_workbook import DAYS, FORMULA, csv_rows
from tests.commands.test_workbook import root as root

FILES = {"summary": SUMMARY_COLUMNS, **ROW_FILES}


def office() -> str:
    """Where LibreOffice is; a skip where it is not."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if found is None:
        pytest.skip("LibreOffice is not installed (Debian: libreoffice-calc)")
    return found


def converted(folder: Path, sources: list[Path], kind: str, how_read: str = "") -> Path:
    """Open files in LibreOffice without a window and save each anew in another form."""
    out = folder / "out"
    words = [office(), f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--norestore"]
    words += ([f"--infilter={how_read}"] if how_read else []) + ["--convert-to", kind, "--outdir", str(out), *map(str, sources)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return out


def read(path: Path) -> list[list[str]]:
    """A CSV file that LibreOffice wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


SAVED = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
"""Comma, quotes, UTF-8, formulas not kept, every sheet in a file of its own."""


def test_it_opens_the_csv_files(root: Path, tmp_path: Path) -> None:
    """With its columns taken as text, as README.txt says, every cell comes out as it went in, guarded ones with their mark."""
    sources = [root / DAYS[0] / f"{name}.csv" for name in FILES]
    columns = "/".join(f"{place}/2" for place in range(1, 41))
    out = converted(tmp_path, sources, SAVED, f"CSV:44,34,76,1,{columns}")
    for name, header in FILES.items():
        theirs = [row for row in csv_rows(root, name) if row["business_date"] == DAYS[0]]
        (found,) = out.glob(f"{name}*.csv")
        rows = read(found)
        assert rows[0] == list(header)
        assert len(rows) - 1 == len(theirs)
        for cells, row in zip(rows[1:], theirs, strict=True):
            assert cells == [shown(row, column) for column in header]


def shown(row: dict[str, str], column: str) -> str:
    """What a spreadsheet shows of one of our cells."""
    number = column in INTEGER_COLUMNS or column in {"amount", "recovered", "requested", "effect", "at_risk"}
    return row[column] if number else guard(row[column])


def test_opened_carelessly_it_still_has_no_formula(root: Path, tmp_path: Path) -> None:
    """With a double click no cell is computed: what looks like a formula is shown, and negative numbers are numbers."""
    out = converted(tmp_path, [root / DAYS[0] / "declines.csv", root / DAYS[0] / "summary.csv"], "fods")
    declines = (out / "declines.fods").read_text(encoding="utf-8")
    summary = (out / "summary.fods").read_text(encoding="utf-8")

    assert "table:formula" not in declines
    assert "table:formula" not in summary
    assert "HYPERLINK" in declines
    assert 'office:value-type="float" office:value="-' in summary


def test_it_opens_the_workbook(root: Path, tmp_path: Path) -> None:
    """Ids keep zeros, digits and signs, amounts are numbers to the last decimal, and formulas are text."""
    write_workbook(root, DAYS, tmp_path / "book.xlsx")
    out = converted(tmp_path, [tmp_path / "book.xlsx"], SAVED)
    for name, header in FILES.items():
        (found,) = out.glob(f"*-{name}.csv")
        rows = read(found)
        theirs = csv_rows(root, name)
        assert rows[0] == list(header)
        assert len(rows) - 1 == len(theirs)
        for column in ("order_id", "business_date", "currency"):
            if column in header:
                assert [cells[header.index(column)] for cells in rows[1:]] == [row[column] for row in theirs]
        amounts = [cells[header.index("amount")] for cells in rows[1:]]
        assert [Decimal(text or "0") for text in amounts] == [Decimal(row["amount"] or "0") for row in theirs]
    ids = {cells[3] for cells in read(next(out.glob("*-declines.csv")))[1:]}
    assert {"007", "3E5", "1234567890123456789", "-12", FORMULA} <= ids
    assert any(cells[-2].startswith("-") for cells in read(next(out.glob("*-summary.csv")))[1:])
