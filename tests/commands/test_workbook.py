"""`audit export --xlsx`: the workbook has every row of the CSV files, ids as text, money as numbers, and no formula."""

import csv
import datetime
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from batch.audit import AuditFolder
from batch.audit_csv import Marks, unguard
from batch.bookkeeping import Bookkeeping, Turn
from batch.ledger_history import LedgerHistory
from jobs.disk import MachineDisk
from jobs.workbook import SHEETS, write_workbook
from schemas.audit_columns import DECIMAL_COLUMNS, INTEGER_COLUMNS
from schemas.money import exponent
from tests.audit.ledger_builder import CELLS, MID, LedgerBuilder, settings
from tests.commands.merchant_folder import MerchantFolder, merchant_folder

FORMULA = '=HYPERLINK("http://x","y")'
DAYS = ("2026-11-23", "2026-11-24")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days' files with awkward ids, three kinds of currencies, and texts that look like formulas."""
    folder = tmp_path_factory.mktemp("workbook")
    ledger = LedgerBuilder(folder / "ledger.db")
    for day in DAYS:
        ledger.day = day
        names = {"007": "USD", "3E5": "JPY", "1234567890123456789": "KWD", "-12": "USD", FORMULA: "USD", "@cmd\n\ttab": "USD"}
        for number, (name, currency) in enumerate(names.items()):
            order_id, batch_id = f"{name}{day[-1] if day == DAYS[1] else ''}", f"b{day[-2:]}{number}"
            ledger.decide(order_id, cells={**CELLS, "response_description": FORMULA, "exp_month": "01"}, currency=currency)
            ledger.send(order_id, batch_id=batch_id, currency=currency, amount=123456)
            ledger.accept(order_id)
            ledger.move(order_id, "completed", recovered_minor=123456)
            ledger.move(order_id, "chargeback")
    audit = AuditFolder(folder / "audit", MachineDisk())
    books = Bookkeeping(history=LedgerHistory(ledger.connect, MID), folder=audit, settings=settings())
    for day in DAYS:
        books.write(day, Turn("a1b2c3d4e5f6", lambda: None))
    ledger.engine.dispose()
    return audit.root


def csv_rows(root: Path, name: str) -> list[dict[str, str]]:
    """A file's rows over both days, as they were before guarding."""
    found = []
    for path in sorted(root.glob(f"*/{name}.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += [{column: unguard(cell) for column, cell in row.items()} for row in csv.DictReader(file)]
    return found


def test_every_cell_is_there_with_its_type(root: Path, tmp_path: Path) -> None:
    """Read back by another library, each sheet has every row: text is text, whole numbers and amounts are exact numbers."""
    made = write_workbook(root, DAYS, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")

    assert book.sheetnames == list(SHEETS)
    assert book.sheetnames[0] == "summary"
    assert made.sheets["declines"].written == 12
    for name, columns in SHEETS.items():
        sheet = book[name]
        rows = list(sheet.iter_rows())
        assert [cell.value for cell in rows[0]] == list(columns)
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref
        theirs = csv_rows(root, name)
        assert len(rows) - 1 == len(theirs)
        for cells, row in zip(rows[1:], theirs, strict=True):
            for cell, column in zip(cells, columns, strict=True):
                check(cell, column, row)


def check(cell: object, column: str, row: dict[str, str]) -> None:
    """One cell against its CSV text."""
    value, kind, shape = (getattr(cell, name) for name in ("value", "data_type", "number_format"))
    text = row[column]
    if not text:
        assert value is None
    elif column in DECIMAL_COLUMNS:
        places = exponent(row["currency"])
        assert (kind, f"{value:.{places}f}") == ("n", text)
        assert shape == "#,##0" + ("." + "0" * places if places else "")
    elif column in INTEGER_COLUMNS and not text.startswith("0"):
        assert (kind, value) == ("n", int(text))
    elif column.endswith("_date"):
        assert value == datetime.datetime.fromisoformat(text)
    elif text not in {"true", "false"} and column not in INTEGER_COLUMNS:
        assert (kind, shape, value) == ("s", "@", text)


def test_there_is_no_formula_and_no_link(root: Path, tmp_path: Path) -> None:
    """No sheet's bytes hold a formula or a link, although texts look like some."""
    write_workbook(root, DAYS, tmp_path / "book.xlsx")
    with ZipFile(tmp_path / "book.xlsx") as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]

    assert len(sheets) == len(SHEETS)
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    assert any("=HYPERLINK" in sheet for sheet in sheets)


def test_the_same_files_give_the_same_workbook(root: Path, tmp_path: Path) -> None:
    """Made twice, and with another delimiter, a workbook has the same bytes; nothing is left beside it."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_workbook(root, DAYS, tmp_path / "a" / "book.xlsx")
    write_workbook(root, DAYS, tmp_path / "b" / "book.xlsx")

    assert (tmp_path / "a" / "book.xlsx").read_bytes() == (tmp_path / "b" / "book.xlsx").read_bytes()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["book.xlsx"]


def test_files_with_a_decimal_comma_give_the_same_numbers(root: Path, tmp_path: Path) -> None:
    """Files written with semicolons and decimal commas make a workbook of the same cells."""
    ledger = LedgerBuilder(tmp_path / "ledger.db")
    ledger.decide("007")
    ledger.send("007", amount=1999)
    for name, marks in (("comma", Marks()), ("semicolon", Marks(delimiter=";", decimal=","))):
        sections = {"audit": {"delimiter": marks.delimiter, "decimal": marks.decimal}}
        folder = AuditFolder(tmp_path / name, MachineDisk())
        books = Bookkeeping(history=LedgerHistory(ledger.connect, MID), folder=folder, settings=settings(**sections))
        books.write("2026-11-23", Turn("a1b2c3d4e5f6", lambda: None))
        write_workbook(folder.root, ["2026-11-23"], tmp_path / f"{name}.xlsx")
    ledger.engine.dispose()
    plain, german = (openpyxl.load_workbook(tmp_path / f"{name}.xlsx")["holds"] for name in ("comma", "semicolon"))
    amounts = [[sheet["F2"].value, sheet["G2"].value] for sheet in (plain, german)]

    assert amounts == [[1999, 19.99], [1999, 19.99]]


@pytest.fixture
def merchant(tmp_path: Path) -> Iterator[MerchantFolder]:
    """A merchant after a night."""
    with merchant_folder(tmp_path / "merchant") as found:
        assert found.run("--quiet nightly") == 10
        yield found


def test_the_command_says_what_it_made(
    merchant: MerchantFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command names the file and its rows, tells of a cap, refuses an edited file, and leaves `audit verify` content."""
    (day,) = (merchant.folder / "var" / "audit").iterdir()
    assert merchant.run("audit export --xlsx") == 0
    out = capfd.readouterr().out
    assert f"audit_{day.name}_{day.name}.xlsx" in out
    assert "WARN" not in out
    assert merchant.run("audit verify") == 0
    capfd.readouterr()
    monkeypatch.setattr("jobs.workbook.export_workbook.__kwdefaults__", {"most_rows": 5})
    assert merchant.run(f"--json audit export --xlsx --from {day.name} --to {day.name} --out {tmp_path / 'x.xlsx'}") == 0
    (found,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert found["sheets"]["declines"]["written"] == 5 < found["sheets"]["declines"]["rows"]
    assert merchant.run(f"audit export --xlsx --out {tmp_path / 'x.xlsx'}") == 0
    assert "WARN  declines: the first 5 of " in capfd.readouterr().out
    assert merchant.run("audit export --to 2026-11-23") == 2
    assert merchant.run("audit export") == 2
    assert merchant.run("audit export --xlsx --from 2020-01-01 --to 2020-01-02") == 2
    shutil.copy(day / "submissions.csv", tmp_path / "kept.csv")
    (day / "submissions.csv").write_bytes((day / "submissions.csv").read_bytes().replace(b'"000471"', b'"471"', 1))
    assert merchant.run(f"audit export --xlsx --out {tmp_path / 'y.xlsx'}") == 30
    assert "does not fit its row_check" in capfd.readouterr().err
    assert not (tmp_path / "y.xlsx").exists()
    assert not list(tmp_path.glob(".y*"))
