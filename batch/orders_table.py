"""The merchant's orders table under our names, whatever its columns are called there."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Column, ColumnElement, MetaData, Table, and_, or_
from sqlalchemy.types import UserDefinedType

from schemas.errors import ConfigurationError
from schemas.order import OPTIONAL_COLUMNS, READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS, RowStatus
from schemas.settings import OrdersSettings


class AsGiven(UserDefinedType[str]):
    """A column of the merchant's, whatever its type there: values are bound as they are, and the database reads them.

    So a status may be an enumeration in PostgreSQL, and a time a timestamp.
    """

    cache_ok = True


@dataclass(frozen=True, slots=True)
class OrdersTable:
    """The table, its columns keyed by our names, and which optional ones it has."""

    table: Table
    optional: tuple[str, ...]

    def column(self, name: str) -> ColumnElement[str]:
        """The column that we call `name`."""
        found: ColumnElement[str] = self.table.c[name]
        return found

    def has_status(self, *statuses: RowStatus) -> ColumnElement[bool]:
        """That the row's status is one of these; spelt out, because a list cannot be bound for many rows at a time."""
        return or_(*(self.column("status") == status.value for status in statuses))

    def retryable(self) -> ColumnElement[bool]:
        """What makes a row free for the merchant's own retry: exactly the rows of the view `retryable_orders`."""
        return and_(
            self.has_status(RowStatus.DECLINED, RowStatus.NOT_RECOVERED),
            self.column("hold_reference").is_(None),
            self.column(RETRY_COLUMN).is_(None),
        )


def orders_table(settings: OrdersSettings, existing: Sequence[str]) -> OrdersTable:
    """Map the table as it exists to our names. Raises ConfigurationError naming each missing column and the nearest one."""
    needed = (*READ_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN)
    missing = [(name, theirs) for name in needed if (theirs := settings.columns.get(name, name)) not in existing]
    if missing:
        sentences = [f"{theirs}{_nearest(theirs, existing)}" for _, theirs in missing]
        raise ConfigurationError(
            f"The table {settings.table} has no column {'; '.join(sentences)}.",
            next_step="Create it, or name yours in [orders.columns].",
        )
    optional = tuple(name for name in OPTIONAL_COLUMNS if settings.columns.get(name, name) in existing)
    names = tuple((ours, settings.columns.get(ours, ours)) for ours in (*needed, *optional))
    return _mapped(settings.table, names, optional)


@lru_cache(maxsize=8)
def _mapped(full_name: str, names: tuple[tuple[str, str], ...], optional: tuple[str, ...]) -> OrdersTable:
    """The same object for the same table, so that what was built for it is built once."""
    schema, _, name = full_name.rpartition(".")
    columns: list[Column[str]] = [Column(theirs, AsGiven(), key=ours) for ours, theirs in names]
    return OrdersTable(Table(name, MetaData(), *columns, schema=schema or None), optional)


def _nearest(name: str, existing: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, existing, n=1)
    return f" (is it {near[0]}?)" if near else ""
