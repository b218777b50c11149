"""A ledger file of its own for each example, copied from one that was made once; and what stands in it, read past the program."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from batch.ledger import Ledger, Owner, Run
from batch.ledger.lease import LeaseTerms, take_lease
from jobs.clock import MovableClock
from jobs.databases import open_ledger
from tests.ledger.room import MID, START
from tests.table.chain import COLUMNS, EventRow

TERMS = LeaseTerms(seconds=900, wait_seconds=0.0)
DAYS = ("2026-11-22", "2026-11-23", "2026-11-24")


class Bench:
    """One example's ledger with a clock of its own. `close` ends it and removes its file."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="mitbatch-model-", dir=_memory())
        self.path = Path(self._folder) / "ledger.db"
        self.path.write_bytes(_template())
        self.path.chmod(0o600)
        self.clock = MovableClock(START)
        self.engine: Engine = open_ledger(f"sqlite:///{self.path}")
        self.ledger = Ledger(self.engine, mid=MID, clock=self.clock, lease_seconds=TERMS.seconds)
        self._aside = sqlite3.connect(self.path, isolation_level=None)

    def take(self, run_id: str, job: str, day: str, *, host: str, holder_lives: bool) -> Run:
        """Take the lease as a run on a host."""
        return take_lease(
            self.ledger,
            run_id=run_id,
            job=job,
            business_date=day,
            owner=Owner(host, 7, "1"),
            terms=TERMS,
            is_alive=lambda _: holder_lives,
            sleep=self.clock.sleep,
        )

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement finds, by a connection that knows nothing of the ledger's code."""
        return self._aside.execute(statement, values).fetchall()

    def events_after(self, rowid: int) -> list[tuple[int, EventRow]]:
        """The events that were written after one, in the order of writing."""
        found = self.rows(f"SELECT rowid, {', '.join(COLUMNS)} FROM event WHERE rowid > ? ORDER BY rowid", rowid)
        return [(row[0], dict(zip(COLUMNS, row[1:], strict=True))) for row in found]

    def close(self) -> None:
        """Close and remove everything."""
        self._aside.close()
        self.engine.dispose()
        shutil.rmtree(self._folder)


def _memory() -> str | None:
    """Where files live in memory, if there is such a place."""
    place = "/dev/shm"  # noqa: S108 - a folder of its own is made in it
    return place if Path(place).is_dir() else None


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder) / "ledger.db"
        open_ledger(f"sqlite:///{path}").dispose()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()
