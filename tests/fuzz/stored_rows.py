"""Fuzzed rows as a database stores them: any type in any column, texts that are no UTF-8; read without loss or refused."""

import json
import sqlite3
from functools import cache
from typing import Any

from batch.gate import Verdict
from batch.source import EMPTY_TEXT, OrderSource
from jobs.databases import open_orders
from jobs.sample_orders import orders as orders_table
from tests.fuzz.dice import Dice
from tests.fuzz.targets import Judged, Target
from tests.in_memory import private_folder
from tests.night.house import order
from tests.pure.samples import gate_under, settings

_ODD: tuple[Any, ...] = (None, "", 0, -1, 2**63 - 1, 1.5, 1e308, float("1e-5"), "1999", "19.99", True, " ", "NULL")


@cache
def _place() -> tuple[sqlite3.Connection, OrderSource]:
    path = private_folder("fuzz") / "orders.db"
    direct = sqlite3.connect(path, isolation_level=None)
    names = ", ".join(f'"{column.name}"' for column in orders_table.columns)
    direct.execute(f"CREATE TABLE orders ({names})")  # no column has a type, so that each keeps what it is given
    engine, table = open_orders(f"sqlite:///{path}", settings().orders)
    return direct, OrderSource(engine, table)


def _made(dice: Dice) -> bytes:
    row = order(dice.choice(["000471", "1E10", "é"]))
    for _ in range(dice.choice([0, 1, 1, 2, 3])):
        name = dice.choice([name for name in row if name != "status"])
        row[name] = dice.choice(_ODD) if dice.one_in(2) else {"text": dice.text().encode("utf-8", "surrogatepass").hex()}
        if dice.one_in(6):
            row[name] = {dice.choice(["text", "bytes"]): dice.randbytes(dice.randint(0, 20)).hex()}
    return json.dumps(row).encode()


def _judge(content: bytes) -> Judged:
    try:
        row: dict[str, Any] = {**order(), **json.loads(content), "status": "declined"}
        row = {name: row[name] for name in order()}
        values = [bytes.fromhex(next(iter(value.values()))) if isinstance(value, dict) else value for value in row.values()]
        as_text = [isinstance(value, dict) and "text" in value for value in row.values()]
    except (ValueError, KeyError, TypeError, StopIteration):
        return Judged([], is_deep=False)
    direct, source = _place()
    direct.execute("DELETE FROM orders")
    marks = ", ".join("CAST(? AS TEXT)" if is_text else "?" for is_text in as_text)
    direct.execute(f"INSERT INTO orders ({', '.join(row)}) VALUES ({marks})", values)
    pages = [each for page in source.declined(10) for each in page]
    if len(pages) != 1:
        return Judged(["a row is lost or read twice"], is_deep=True)
    complaints = []
    for name, value, is_text in zip(row, values, as_text, strict=True):
        if name in ("status", "retry_state", "hold_reference"):
            continue
        complaints += _judge_cell(value, is_text=is_text, cell=pages[0].cells[name], is_refused=name in pages[0].unreadable)
    complaints += _judge_marks(row, pages[0].retry_state, pages[0].hold_reference, values)
    verdict = gate_under(settings()).judge(pages[0], None)
    complaints += _judge_verdict(verdict, is_refused=bool(pages[0].unreadable))
    return Judged(complaints, is_deep=not pages[0].unreadable)


def _judge_cell(value: Any, *, is_text: bool, cell: str, is_refused: bool) -> list[str]:  # noqa: ANN401 - any value
    if is_text:
        return [] if cell == value.decode("utf-8", "surrogateescape") else ["a text is not what the database holds"]
    if isinstance(value, bytes | float):
        return [] if is_refused and not cell else ["a value that no text can stand for is read as one"]
    expected = "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)
    return [] if cell == expected and not is_refused else ["a value is not what the database holds"]


def _judge_marks(row: dict[str, Any], retry: str, hold: str, values: list[Any]) -> list[str]:
    for name, shown in (("retry_state", retry), ("hold_reference", hold)):
        value = values[list(row).index(name)]
        if value is not None and not shown and not isinstance(value, bytes | float):
            return ["a row that is not free looks free"]
        if value == "" and shown != EMPTY_TEXT:
            return ["an empty mark is taken for none"]
    return []


def _judge_verdict(verdict: Verdict | None, *, is_refused: bool) -> list[str]:
    if verdict is None:
        return []
    if is_refused and verdict.selected:
        return ["a row that cannot be read is selected"]
    return []


STORED = Target("stored", _made, _judge)
