"""The merchant of the world: its orders, its eager retry engine, and the log of what it charged itself."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.world.witness import rows

THEIRS = (
    "UPDATE orders SET retry_state='in_flight' WHERE order_id=? AND status IN ('declined','not_recovered')"
    " AND hold_reference IS NULL AND retry_state IS NULL"
)
"""How the merchant's own retry job takes an order: one atomic step, as schemas/INTEGRATION.md gives it."""


@dataclass(frozen=True)
class Charge:
    """One charge by the merchant itself: the order, when, how long the provider's journal was then, and what lay there unread.

    `latest` is how late it had ever been by the clock that all share, `point` how many points the runs had crossed, `told`
    the states by which the ledger had told of the order, each with its moment.
    """

    order_id: str
    at: datetime
    latest: datetime
    journal_end: int
    unread: tuple[bytes, ...] = ()
    point: int = 0
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RowChange:
    """A row that the merchant changed by hand: how, whose hold it bore until then, and how many points the runs had crossed."""

    order_id: str
    how: str
    hold_reference: str
    point: int


@dataclass
class Merchant:
    """The orders database and the retry engine, which leaves orders that it has never seen held to the night."""

    path: Path
    reader: Callable[[Path], sqlite3.Connection]
    charges: list[Charge] = field(default_factory=list)
    seen_held: set[str] = field(default_factory=set)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Every row by order id."""
        return {row["order_id"]: row for row in rows(self.reader(self.path), "SELECT * FROM orders ORDER BY order_id")}

    def retry(self, charge_of: Callable[[str], Charge]) -> None:
        """The engine wakes: it charges every free order that was ever held, and every charge works."""
        connection = self.reader(self.path)
        try:
            found = connection.execute("SELECT order_id, hold_reference, status FROM orders ORDER BY order_id").fetchall()
            for order_id, reference, status in found:
                if reference is not None:
                    self.seen_held.add(order_id)
                elif order_id in self.seen_held and status in {"declined", "not_recovered"}:
                    self._charge(connection, charge_of(order_id))
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise

    def _charge(self, connection: sqlite3.Connection, charge: Charge) -> None:
        if connection.execute(THEIRS, (charge.order_id,)).rowcount:
            connection.execute("UPDATE orders SET status='paid', retry_state=NULL WHERE order_id=?", (charge.order_id,))
            self.charges.append(charge)

    def add(self, row: dict[str, object]) -> None:
        """A new order."""
        names, marks = ", ".join(row), ", ".join("?" for _ in row)
        self.reader(self.path).execute(f"INSERT INTO orders ({names}) VALUES ({marks})", list(row.values()))

    def change(self, order_id: str, /, **columns: object) -> None:
        """What the merchant does to a row of its own."""
        names = ", ".join(f'"{name}"=?' for name in columns)
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.execute(f"UPDATE orders SET {names} WHERE order_id=?", (*columns.values(), order_id))
