"""Finance's CSV beside `DataFrame.to_csv`, and beside the fastest writer that we know, which guards and checks nothing.

Ours makes every cell safe for a spreadsheet, adds amounts up for the manifest, and gives each row its check.
"""

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from batch.audit import AuditFolder
from batch.audit_csv import Cell, Marks
from jobs.disk import MachineDisk
from schemas.audit_columns import INTEGER_COLUMNS, ROW_CHECK, ROW_FILES
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.measuring import here, in_turn, ratio

PART = "csv"
OURS, PANDAS, PLAIN = "ours: guarded, checked, added up", "DataFrame.to_csv", "csv.writer, nothing guarded"
COLUMNS = ROW_FILES["submissions"]


def rows(count: int) -> Iterator[dict[str, Cell]]:
    """Rows such as submissions.csv has."""
    for number in range(count):
        row: dict[str, Cell] = {name: number % 97 if name in INTEGER_COLUMNS else f"{name}-{number % 97}" for name in COLUMNS}
        yield row | {"amount_minor": 1000 + number % 15_000, "currency": "USD", "order_id": f"bulk-{number:08d}"}


def csv_files(count: int, times: int = 5) -> Iterator[Figure]:
    """Each way, in turns, from the same rows in memory to a file on the disk."""
    found = list(rows(count))
    frame = pd.DataFrame(found, columns=[name for name in COLUMNS if name != ROW_CHECK])
    with tempfile.TemporaryDirectory(prefix="mitbatch-bench-") as place:
        folder = Path(place)

        def ours() -> None:
            with AuditFolder(folder / "audit", MachineDisk()).day("2026-11-23", Marks(), "bench") as day:
                table = day.table("submissions", COLUMNS)
                for row in found:
                    table.add(row)
                day.tables()
                day.publish(lambda: None)

        def plain() -> None:
            with (folder / "plain.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
                writer.writerows([row[name] for name in frame.columns] for row in found)

        def pandas() -> None:
            frame.to_csv(folder / "pandas.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)

        ways = {OURS: lambda: here(ours), PANDAS: lambda: here(pandas), PLAIN: lambda: here(plain)}
        costs = in_turn(ways, times)
    for what, cost in costs.items():
        yield Figure(PART, what, cost, count, "rows", times)


def goals(figures: list[Figure]) -> list[Goal]:
    """How much faster than pandas."""
    cost = {each.what: each.cost for each in figures}
    return [Goal(PART, f"beside {PANDAS}", ratio(cost[PANDAS], cost[OURS]), 10)]
