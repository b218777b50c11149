"""The merchant's house of the nights, with its ledger and its orders on PostgreSQL."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.clock import MovableClock
from jobs.databases import open_ledger
from jobs.sandbox import Sandbox
from tests.night.house import VOLATILE, House
from tests.postgres.cluster import Cluster


class PostgresHouse(House):
    """One merchant whose order system is one database, and whose ledger is another."""

    def __init__(self, folder: Path, sandbox: Sandbox, clock: MovableClock, cluster: Cluster) -> None:
        self.cluster = cluster
        self.orders_database, self.ledger_database = cluster.database(), cluster.database()
        super().__init__(folder, sandbox, clock)
        self.set(orders={"url": cluster.url(self.orders_database)}, ledger={"url": cluster.url(self.ledger_database)})

    def sql(self, statement: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Run one statement in the order system."""
        return self.cluster.sql(self.orders_database, statement.replace("?", "%s"), values)

    def add(self, *rows: Mapping[str, object]) -> None:
        """Put rows into the orders table."""
        with self.cluster.connect(self.orders_database) as connection:
            for row in rows:
                columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
                connection.execute(f"INSERT INTO orders ({columns}) VALUES ({marks})".encode(), list(row.values()))

    def retry_takes(self, order_id: str = "000471") -> bool:
        """The merchant's own retry job tries to take an order, by its one statement; whether it got it."""
        taken = self.sql(f"{THEIRS} RETURNING order_id", [order_id])
        return len(taken) == 1

    def ledger(self, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Read the ledger, as a person with psql would."""
        return self.cluster.sql(self.ledger_database, query.replace("?", "%s"), values)

    def ledger_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table of the ledger that a run without effect must leave alone, row for row."""
        names = [row["tablename"] for row in self.ledger("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return {
            name: sorted((tuple(row.values()) for row in self.ledger(f'SELECT * FROM "{name}"')), key=repr)
            for name in names
            if name not in VOLATILE
        }

    def _have_ledger(self) -> None:
        if not self.ledger("SELECT 1 FROM pg_tables WHERE tablename = 'alembic_version'"):
            open_ledger(self.settings.ledger.url).dispose()


THEIRS = (
    "UPDATE orders SET retry_state='in_flight' WHERE order_id=? AND status IN ('declined','not_recovered') "
    "AND hold_reference IS NULL AND retry_state IS NULL"
)
"""The statement by which the merchant's own retry job takes an order."""
