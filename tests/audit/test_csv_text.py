"""One line of CSV: guarded, exact, and read back without loss."""

import csv
import hashlib
import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.audit_csv import BYTE_ORDER_MARK, Marks, RowRenderer, guard, row_check, unguard
from schemas.audit_columns import ROW_FILES

COLUMNS = ("site", "order_id", "currency", "amount_minor", "amount", "attempts_30d", "late", "row_check")
TRIGGERS = "=+-@＝＋－＠"
awkward = st.text(
    alphabet=st.one_of(st.sampled_from("=+-@＝＋－＠'\"\\\r\n\t ,;\u00a0\u2028\ufeff0a"), st.characters(codec="utf-8"))
)


def row(**cells: str | int | bool | None) -> dict[str, str | int | bool | None]:
    """A row with one cell as the test needs it."""
    usual: dict[str, str | int | bool | None] = {"site": "acme", "order_id": "000471", "currency": "USD", "amount_minor": 1999}
    return {**usual, "attempts_30d": "2", "late": False, **cells}


def line(marks: Marks | None = None, **cells: str | int | bool | None) -> str:
    """One rendered line."""
    return RowRenderer(COLUMNS, marks or Marks()).render(row(**cells)).line


@given(awkward)
def test_every_text_survives(text: str) -> None:
    """Whatever a text holds, the guarded cell goes through a csv reader and comes back as it was."""
    (cells,) = csv.reader(io.StringIO(line(order_id=text), newline=""))
    assert unguard(cells[1]) == text


texts = st.one_of(
    awkward, st.text(alphabet='0aZ-9.,;=\x1f\x1e%s" ', max_size=6), st.sampled_from(["", "-", "-7", "1,2", "NA", "%s"])
)


@given(st.lists(texts, min_size=4, max_size=4), st.sampled_from([Marks(), Marks(";", ",")]))
def test_a_plain_row_is_written_as_cell_by_cell(found: list[str], marks: Marks) -> None:
    """Rows in which nothing is to be guarded take a shorter way, to the same bytes as the way cell by cell."""
    site, order_id, currency, attempts = found
    cells = row(site=site, order_id=order_id, currency=currency, attempts_30d=attempts)
    renderer, slow = RowRenderer(COLUMNS, marks), RowRenderer(COLUMNS, marks)
    slow._plain_row = re.compile(r"(?!)")

    assert renderer.render(cells) == slow.render(cells)


@given(awkward)
def test_no_cell_begins_a_formula(text: str) -> None:
    """No guarded cell begins with a trigger, not even after blanks, and none holds a line break or a tab."""
    cell = guard(text)
    assert cell.lstrip(" \u00a0\u2028\ufeff")[:1] not in {*TRIGGERS, "\t", "\r"} - {""}
    assert not set("\r\n\t") & set(cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("-70", "'-70"),
        ("＠SUM(A1)", "'＠SUM(A1)"),
        (" \u00a0\n=1", "' \u00a0\\n=1"),
        ("\u200b=1", "'\u200b=1"),
        ("'quoted", "''quoted"),
        ("\tx", "'\\tx"),
        ("\rx", "'\\rx"),
        ("a\\n\r\nb", "a\\\\n\\r\\nb"),
        ("a-b=c@d", "a-b=c@d"),
        ("", ""),
    ],
)
def test_the_guard_is_one_apostrophe(text: str, cell: str) -> None:
    """What could be a formula gets one apostrophe in front, and line breaks are spelt out; the rest stays as it is."""
    assert guard(text) == cell
    assert unguard(cell) == text


@pytest.mark.parametrize(
    "order_id", ["0012", "1E10", "3E5", "NA", "9" * 40, "00000000000000000000000000000000000471", "2026-11-23", "é🙂"]
)
def test_ids_are_byte_true(order_id: str) -> None:
    """Leading zeros, exponents, dates and 40 digits come back exactly, from the csv module and from pandas."""
    renderer = RowRenderer(COLUMNS, Marks())
    text = renderer.header() + renderer.render(row(order_id=order_id)).line
    (from_csv,) = csv.DictReader(io.StringIO(text, newline=""))
    from_pandas = pd.read_csv(
        io.BytesIO((BYTE_ORDER_MARK + text).encode()), dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    assert from_csv["order_id"] == order_id
    assert list(from_pandas["order_id"]) == [order_id]
    assert list(from_pandas.columns) == list(COLUMNS)


@pytest.mark.parametrize(
    ("currency", "amount_minor", "decimal", "cells"),
    [
        ("USD", -70, ".", "-70,-0.70"),
        ("USD", -70, ",", "-70;-0,70"),
        ("JPY", 1200, ".", "1200,1200"),
        ("KWD", 1, ".", "1,0.001"),
        ("USD", None, ".", ","),
        ("??", 5, ".", "5,"),
    ],
)
def test_negative_numbers_stay_numbers(currency: str, amount_minor: int | None, decimal: str, cells: str) -> None:
    """Numbers are bare and never guarded; decimals follow the currency, and are unknown where it is."""
    marks = Marks(";" if decimal == "," else ",", decimal)
    assert f'"{currency}"{marks.delimiter}{cells}{marks.delimiter}' in line(marks, currency=currency, amount_minor=amount_minor)


@pytest.mark.parametrize("text", ["=1+1", "-1+2", "many", "1e5", "٣"])
def test_a_number_column_takes_no_formula(text: str) -> None:
    """A text that a malformed row had in a number column is written as a guarded text."""
    cells = next(csv.reader(io.StringIO(line(attempts_30d=text), newline="")))
    assert f'"{guard(text)}"' in line(attempts_30d=text)
    assert unguard(cells[5]) == text


def test_texts_are_quoted_and_unknown_is_empty() -> None:
    """Texts stand in quotes, truth is lower case, and None is nothing."""
    assert line(site=None, late=True).startswith('"","000471","USD",1999,19.99,2,"true","')


def test_the_check_is_over_the_texts_before_guarding() -> None:
    """row_check is 8 hex digits over the other cells as they were stored, and changes with any of them."""
    text = line(order_id="=1\n")
    cells = [unguard(cell) for cell in next(csv.reader(io.StringIO(text, newline="")))]
    expected = hashlib.sha256("\x1f".join(["acme", "=1\n", "USD", "1999", "19.99", "2", "false"]).encode()).hexdigest()[:8]
    assert cells[-1] == expected == row_check(cells[:-1])
    assert line(order_id="=1 \n")[-10:] != text[-10:]


def test_guarded_cells_are_counted() -> None:
    """The manifest can say how many cells bear an apostrophe that is not theirs."""
    renderer = RowRenderer(COLUMNS, Marks())
    assert renderer.render(row(order_id="=1", site="'")).guarded_cells == 2
    assert renderer.render(row(order_id="a\nb", amount_minor=-1)).guarded_cells == 0


def test_row_files_begin_alike_and_end_with_the_check() -> None:
    """Every row file has the same first seven columns, and the check last."""
    for columns in ROW_FILES.values():
        assert columns[:7] == ("business_date", "mid", "site", "order_id", "currency", "amount_minor", "amount")
        assert columns[-1] == "row_check"
        assert len(set(columns)) == len(columns)
