"""Filling an order system from CSV files of sample orders: the default table, every cell as the text that it is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, create_engine

from schemas.errors import PathMissing
from schemas.order import INTEGER_COLUMNS, OPTIONAL_COLUMNS, READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

REFERENCE = datetime(2026, 11, 22, 20, tzinfo=UTC)
"""The time that the sample orders are written around; see sample-data/README.md."""

SAMPLE_AGE = timedelta(hours=3, minutes=30)
"""So long ago lies that time when they are filled in: the last of them were declined some hours ago, and none lies ahead."""

SAMPLE_FOLDER = Path(__file__).resolve().parent.parent / "sample-data"

orders = Table(
    "orders",
    MetaData(),
    *(
        Column(name, Integer if name in INTEGER_COLUMNS else Text, primary_key=name == "order_id")
        for name in (*READ_COLUMNS, *OPTIONAL_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN)
    ),
)
"""The default orders table, as a merchant would make it."""


def sample_files(folder: Path = SAMPLE_FOLDER) -> tuple[Path, Path]:
    """The declined and the paid sample orders. Raises PathMissing outside a checkout of the project."""
    found = folder / "declined_orders.csv", folder / "paid_orders.csv"
    for path in found:
        if not path.is_file():
            raise PathMissing(
                f"The sample orders {path} are not there.",
                next_step="They come with a checkout of the project: run it there.",
            )
    return found


def read_orders(path: Path) -> "pd.DataFrame":
    """The rows of a CSV file as text, nothing guessed: `NA`, `1E10` and `000471` stay what they are."""
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8")


def fill_orders(url: str, files: tuple[Path, ...], *, reference_is_now: datetime) -> int:
    """Make the orders table and put the files' rows into it, their times moved so that REFERENCE becomes that moment.

    A time that cannot be read stays as it is. Empty cells are null. Returns the number of rows.
    """
    engine = create_engine(url)
    try:
        orders.metadata.create_all(engine)
        return sum(_insert(engine, read_orders(path), reference_is_now - REFERENCE) for path in files)
    finally:
        engine.dispose()


def _insert(engine: Engine, frame: "pd.DataFrame", shift: timedelta) -> int:
    rows: list[dict[str, str | None]] = []
    for record in frame.to_dict("records"):
        cells = {str(name): cell or None for name, cell in record.items()}
        rows.append({**cells, "charged_at": _moved(cells["charged_at"], shift)})
    columns = [column.name for column in orders.columns]
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO orders ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})",  # noqa: S608 - our own column names
            [tuple(row.get(name) for name in columns) for row in rows],
        )
    return len(rows)


def _moved(text: str | None, shift: timedelta) -> str | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    return (moment + shift).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
