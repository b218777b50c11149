"""The ledger tests' room, with its ledger on PostgreSQL."""

import time
from dataclasses import dataclass, field

from batch.ledger import Ledger
from jobs.databases import open_ledger
from tests.ledger.room import MID, TERMS, Room
from tests.postgres.cluster import Cluster

PATIENCE_SECONDS = 60


@dataclass
class PostgresRoom(Room):
    """A room whose `path` is the name of a database of the cluster."""

    cluster: Cluster = field(kw_only=True)

    def __post_init__(self) -> None:
        """Open the ledger and take its lease for a night."""
        engine = open_ledger(self.cluster.url(str(self.path)))
        self.ledger = Ledger(engine, mid=MID, clock=self.clock, lease_seconds=TERMS.seconds)
        self._direct = self.cluster.connect(str(self.path), autocommit=True)
        self.run = self.take("first")

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement as the ledger's owner, past everything that guards it but the database itself."""
        cursor = self._direct.execute(statement.replace("?", "%s").encode(), values or None)
        return [tuple(row.values()) for row in cursor.fetchall()] if cursor.description else []

    def await_end_of_sessions_in_a_step(self) -> None:
        """Wait until the server has ended every session that stands still in a transaction."""
        ends = time.monotonic() + PATIENCE_SECONDS
        still = "SELECT 1 FROM pg_stat_activity WHERE datname = ? AND state = 'idle in transaction'"
        while self.sql(still, str(self.path)):
            assert time.monotonic() < ends, "the server never ended the session"

    def close(self) -> None:
        """Close the ledger and the direct connection."""
        self._direct.close()
        super().close()

    def everything(self, *without: str) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        names = [str(row[0]) for row in self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return {name: sorted(self.sql(f"SELECT * FROM {name}"), key=repr) for name in names if name not in without}
