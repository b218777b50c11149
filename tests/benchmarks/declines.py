"""A merchant with as many declined orders as wanted, all of them good, whose provider runs in a process of its own."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import create_engine

from batch.pace import utc_text
from jobs.sample_orders import orders
from tests.commands.walking import environment
from tests.night.house import order

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Declines:
    """The folder of a merchant who is ready for a night of so many orders."""

    folder: Path
    count: int
    provider: "subprocess.Popen[str]"

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "mitbatch.toml"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "var" / "ledger.db"

    def advance(self, step: timedelta) -> None:
        """Let the provider's time leap, so that its outcomes are there."""
        assert self.provider.stdin is not None
        assert self.provider.stdout is not None
        self.provider.stdin.write(f"{int(step.total_seconds())}\n")
        self.provider.stdin.flush()
        self.provider.stdout.readline()


def order_id(number: int) -> str:
    """The id of the n-th order."""
    return f"bulk-{number:08d}"


def fill(path: Path, count: int) -> None:
    """Put so many orders into a new order system, each declined two hours ago and free to be handed over."""
    engine = create_engine(f"sqlite:///{path}")
    orders.metadata.create_all(engine)
    engine.dispose()
    same = order("bulk", charged_at=utc_text(datetime.now(UTC) - timedelta(hours=2)))
    names = list(same)

    def rows() -> Iterator[list[object]]:
        for number in range(count):
            own = {
                "order_id": order_id(number),
                "customer_id": f"customer-{number}",
                "subscription_id": f"subscription-{number}",
                "amount_minor": 1000 + number % 15_000,
            }
            yield [own.get(name, same[name]) for name in names]

    given, places = rows(), ", ".join("?" for _ in names)
    with closing(sqlite3.connect(path)) as connection, connection:
        while page := list(islice(given, _ROWS_AT_ONCE)):
            connection.executemany(f"INSERT INTO orders ({', '.join(names)}) VALUES ({places})", page)


@contextmanager
def declines(folder: Path, count: int) -> Iterator[Declines]:
    """Such a merchant. The provider's work is not ours: it runs beside, and is stopped at the end."""
    folder.mkdir(parents=True)
    path = folder / "orders.db"
    path.touch(mode=0o600)
    fill(path, count)
    words = [sys.executable, "-m", "tests.benchmarks.provider", str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        try:
            yield Declines(folder, count, process)
        finally:
            process.kill()
