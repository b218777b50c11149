"""Fuzzed lines of the files that finance opens: no cell runs, none is lost, and undoing the guards gives what was stored."""

import csv
import io
import json
import re
import unicodedata
import zlib

import pandas as pd

from batch.audit_csv import BYTE_ORDER_MARK, Marks, RowRenderer, row_check, unguard
from schemas.audit_columns import DECIMAL_COLUMNS, INTEGER_COLUMNS, ROW_FILES
from tests.fuzz.dice import TRIGGERS, Dice
from tests.fuzz.targets import Judged, Target

_NUMBERS = (0, -1, 1999, 10**18, None, "1,5", "1.5", "-1+2", "1e5", "=1", "٣", "007", "-", "1,500", "")


def _made(dice: Dice) -> bytes:
    name = dice.choice(list(ROW_FILES))
    row: dict[str, object] = {}
    for column in ROW_FILES[name]:
        if column in INTEGER_COLUMNS:
            row[column] = dice.choice(_NUMBERS)
        elif column == "currency":
            row[column] = dice.choice(["USD", "JPY", "KWD", "usd", "", dice.odd_text()])
        else:
            row[column] = dice.odd_text() if not dice.one_in(4) else dice.choice([None, True, False, 7, "acme"])
    clean = {key: re.sub("[\x00\ud800-\udfff]", "", cell) if isinstance(cell, str) else cell for key, cell in row.items()}
    return json.dumps({"file": name, "row": clean, "european": dice.one_in(2)}).encode()


def _judge(content: bytes) -> Judged:
    try:
        case = json.loads(content)
        columns, row = ROW_FILES[case["file"]], case["row"]
        marks = Marks(";", ",") if case["european"] else Marks()
        assert set(columns) <= set(row)
    except (ValueError, KeyError, TypeError, AssertionError):
        return Judged([], is_deep=False)
    renderer = RowRenderer(columns, marks)
    line = renderer.render(row).line
    read = list(csv.reader(io.StringIO(line, newline=""), delimiter=marks.delimiter))
    if len(read) != 1 or len(read[0]) != len(columns):
        return Judged(["a row has not one cell for each column"], is_deep=True)
    complaints = _judge_cells(columns, row, read[0])
    if zlib.crc32(content) % 64 == 0:
        complaints += _judge_table(renderer.header() + line, marks, columns, read[0])
    return Judged(complaints, is_deep=True)


def _judge_cells(columns: tuple[str, ...], row: dict[str, object], cells: list[str]) -> list[str]:
    complaints, texts = [], []
    for name, cell in zip(columns, cells, strict=True):
        is_number = name in INTEGER_COLUMNS or name in DECIMAL_COLUMNS
        if not (is_number and re.fullmatch(r"-?[0-9]+([.,][0-9]{1,3})?", cell, re.ASCII)) and _runs(cell):
            complaints.append("a cell begins a formula")
        if set("\r\n\t") & set(cell):
            complaints.append("a cell breaks its line")
        texts.append(unguard(cell))
        stored = row[name]
        if name not in DECIMAL_COLUMNS and name != "row_check" and texts[-1] != _as_text(stored):
            complaints.append("a cell does not say what was stored")
    if row_check(texts[:-1]) != cells[-1]:
        complaints.append("the check does not fit the row")
    return complaints


def _as_text(stored: object) -> str:
    if isinstance(stored, bool):
        return "true" if stored else "false"
    return "" if stored is None else str(stored)


def _runs(cell: str) -> bool:
    """Whether a spreadsheet that skips blanks and invisible marks would see a formula first."""
    for sign in cell:
        if sign.isspace() or unicodedata.category(sign) in {"Cc", "Cf", "Zl", "Zp", "Zs"}:
            continue
        return sign in TRIGGERS
    return False


def _judge_table(text: str, marks: Marks, columns: tuple[str, ...], cells: list[str]) -> list[str]:
    """The same through pandas, every cell as text."""
    content = io.BytesIO((BYTE_ORDER_MARK + text).encode())
    table = pd.read_csv(content, dtype=str, keep_default_na=False, encoding="utf-8-sig", sep=marks.delimiter)
    same = list(table.columns) == list(columns) and [list(row) for row in table.to_numpy()] == [cells]
    return [] if same else ["pandas reads another row"]


SHEET = Target("sheet", _made, _judge)
