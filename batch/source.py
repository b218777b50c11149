"""Reading the merchant's order system: declined and paid charges, as text, in pages that do not grow with the night."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, LargeBinary, Row, Select, Text, bindparam, cast, literal, select
from sqlalchemy.exc import DBAPIError

from batch.order_rows import is_storable
from batch.orders_table import OrdersTable
from schemas.errors import OrdersUnreachable
from schemas.order import READ_COLUMNS, RETRY_COLUMN, OrderRow, RowStatus

EMPTY_TEXT = "(an empty text, not null)"
"""What stands for an empty text in a column where only null means free: somebody may have meant something by it."""

_MOST_DIGITS = 40
_STANDING = ("status", RETRY_COLUMN, "hold_reference")
_SHOWN = (
    "order_id",
    "status",
    RETRY_COLUMN,
    "hold_reference",
    "hold_until",
    "provider_order_id",
    "provider_status",
    "refunded_minor",
    "amount_minor",
    "currency",
)


@lru_cache(maxsize=8)
def _whole(orders: OrdersTable) -> Select[Any]:
    names = (*READ_COLUMNS, *orders.optional, *_STANDING)
    return select(*(orders.table.c[name].label(name) for name in names))


@lru_cache(maxsize=8)
def _with_ids(orders: OrdersTable) -> Select[Any]:
    return _whole(orders).where(orders.column("order_id").in_(bindparam("order_ids", expanding=True)))


@lru_cache(maxsize=8)
def _with_status(orders: OrdersTable) -> Select[Any]:
    key = orders.column("order_id")
    return _whole(orders).where(orders.column("status") == bindparam("status")).order_by(key).limit(bindparam("limit"))


@lru_cache(maxsize=8)
def _written(orders: OrdersTable) -> Select[Any]:
    columns = [orders.table.c[name].label(name) for name in _SHOWN]
    return select(*columns).where(orders.column("order_id").in_(bindparam("order_ids", expanding=True)))


@lru_cache(maxsize=8)
def _held(orders: OrdersTable, prefix: str, *, everywhere: bool) -> Select[Any]:
    key, reference = orders.column("order_id"), orders.column("hold_reference")
    columns: list[ColumnElement[Any]] = [key.label("order_id"), reference.label("hold_reference")]
    found = select(*columns).where(reference.startswith(prefix, autoescape=True))
    found = found if everywhere else found.where(orders.has_status(RowStatus.PENDING, RowStatus.REVIEW))
    return found.order_by(key).limit(bindparam("limit"))


class OrderSource:
    """The order system, for reading only."""

    def __init__(self, engine: Engine, orders: OrdersTable) -> None:
        self._engine = engine
        self._orders = orders

    def declined(self, page_size: int) -> Iterator[list[OrderRow]]:
        """Every row with status `declined`, in pages ordered by order id. Raises OrdersUnreachable."""
        return self._pages(RowStatus.DECLINED, page_size)

    def paid(self, page_size: int) -> Iterator[list[OrderRow]]:
        """Every row with status `paid`, in pages ordered by order id. Raises OrdersUnreachable."""
        return self._pages(RowStatus.PAID, page_size)

    def with_ids(self, order_ids: Sequence[str]) -> dict[str, OrderRow]:
        """The rows with these order ids, whatever their status."""
        with self._reading() as connection:
            result = connection.execute(_with_ids(self._orders), {"order_ids": order_ids})
            return {row.order_id: row for row in _as_texts(tuple(result.keys()), result.all())}

    def written(self, order_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """What the rows of these orders show: our own columns, `status`, `retry_state`, amount and currency."""
        with self._reading() as connection:
            rows = connection.execute(_written(self._orders), {"order_ids": order_ids}).all()
            found = [dict(zip(_SHOWN, map(_shown, _SHOWN, row), strict=True)) for row in rows]
            return {row["order_id"]: row for row in found}

    def held_rows(self, prefix: str, page_size: int, *, everywhere: bool = False) -> Iterator[list[tuple[str, str]]]:
        """Order id and hold reference of every row whose reference begins so and whose status is one of a held row.

        With `everywhere`, whatever its status is.
        """
        last = None
        while True:
            query = self._after(_held(self._orders, prefix, everywhere=everywhere), last)
            with self._reading() as connection:
                rows = connection.execute(query, {"limit": page_size}).all()
            if rows:
                yield [(text_of(row.order_id) or "", row.hold_reference) for row in rows]
            if len(rows) < page_size:
                return
            last = rows[-1].order_id

    def may_charge(self, order_id: str) -> bool | None:
        """Whether the merchant's own retry may take this order now; None when there is no such row."""
        with self._reading() as connection:
            query = select(self._orders.retryable().label("free")).where(self._orders.column("order_id") == order_id)
            row = connection.execute(query).one_or_none()
        return None if row is None else bool(row.free)

    def count_retryable(self) -> dict[str, tuple[int, int]]:
        """How many orders, and how much, the merchant's own retry may touch now, by currency (minor units)."""
        found: dict[str, tuple[int, int]] = {}
        columns = [self._orders.table.c[name].label(name) for name in ("currency", "amount_minor")]
        with self._reading() as connection:
            for row in connection.execute(select(*columns).where(self._orders.retryable())).mappings():
                currency, amount = text_of(row["currency"]) or "", text_of(row["amount_minor"]) or ""
                orders, minor = found.get(currency, (0, 0))
                found[currency] = (orders + 1, minor + (int(amount) if amount.lstrip("-").isdecimal() else 0))
        return found

    def _pages(self, status: RowStatus, page_size: int) -> Iterator[list[OrderRow]]:
        last = None
        while True:
            query = self._after(_with_status(self._orders), last)
            with self._reading() as connection:
                result = connection.execute(query, {"status": status.value, "limit": page_size})
                columns, rows = tuple(result.keys()), result.all()
            if rows:
                yield _as_texts(columns, rows)
            if len(rows) < page_size:
                return
            last = rows[-1].order_id

    def _after(self, statement: Select[Any], last: str | None) -> Select[Any]:
        return statement if last is None else statement.where(self._orders.column("order_id") > _bound(last))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise OrdersUnreachable(f"The order system could not be read ({type(error.orig).__name__}).") from error


def _bound(key: str) -> Any:  # noqa: ANN401 - a value, or SQL that makes it
    """A key to go on from. One that was not UTF-8 goes back as the bytes that it was (only SQLite has such texts)."""
    if not is_storable(key):
        return cast(literal(key.encode("utf-8", "surrogateescape"), LargeBinary), Text)
    return key


def _shown(name: str, value: Any) -> str:  # noqa: ANN401 - whatever a driver returns
    return EMPTY_TEXT if value == "" and name in {RETRY_COLUMN, "hold_reference"} else text_of(value) or ""


def _as_texts(columns: Sequence[str], rows: Sequence[Row[Any]]) -> list[OrderRow]:
    """Rows of a statement of `_whole`, by their columns' places: by its name each cell would cost several times as much."""
    return [_as_text(columns, row) for row in rows]


def _as_text(columns: Sequence[str], row: Row[Any]) -> OrderRow:
    texts = [text_of(value) for value in row]
    cells = {name: text or "" for name, text in zip(columns, texts, strict=True)}
    for name in _STANDING:
        del cells[name]
    status, retry_state, hold = map(_shown, _STANDING, row[-len(_STANDING) :])
    unreadable = tuple(name for name, text in zip(columns, texts, strict=True) if text is None) if None in texts else ()
    return OrderRow(cells=cells, status=status, retry_state=retry_state, hold_reference=hold, unreadable=unreadable)


def text_of(value: Any) -> str | None:  # noqa: ANN401 - whatever a driver returns
    """A database value as text: empty for null, None when no text can stand for it without loss (floats, bytes)."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value()
        return str(int(value)) if is_whole else None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else None
