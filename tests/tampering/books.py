"""A merchant's books of several days, made by real runs: every kind of row, a refund, and what the provider said."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine

from batch.audit import AuditFolder
from batch.ledger_history import LedgerHistory
from batch.ledger_seals import LedgerSeals
from batch.verifying import Verification, Verified
from jobs.clock import MovableClock
from jobs.databases import begin_ourselves
from jobs.disk import MachineDisk
from jobs.sandbox import Sandbox
from schemas.settings import Settings
from tests.night.comparing import compare
from tests.night.house import CANCELLED, EXPIRED, ONHOLD, REFUSED, START, House, order, paid
from tests.night.requests import refund

LEDGER, AUDIT = "kept.db", "kept"
_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


@dataclass
class Books:
    """The ledger and finance's folder, and the settings that they were written with. The provider is gone."""

    settings: Settings
    ledger: Path
    audit: Path

    def __post_init__(self) -> None:
        """Look at the ledger as the program does, and without the triggers that would refuse every edit."""
        self.engine: Engine = create_engine(f"sqlite:///{self.ledger}")
        begin_ourselves(self.engine)
        with closing(sqlite3.connect(self.ledger)) as connection, connection:
            for (name,) in connection.execute(_TRIGGERS).fetchall():
                connection.execute(f'DROP TRIGGER "{name}"')

    def verification(self, connection: Connection | None = None, settings: Settings | None = None) -> Verification:
        """What looks at these books; on one connection, where an edit is not to stay."""

        @contextmanager
        def lend() -> Iterator[Connection]:
            if connection is not None:
                yield connection
            else:
                with self.engine.connect() as own:
                    yield own

        disk = MachineDisk()
        mid = self.settings.provider.mid
        seals, history = LedgerSeals(lend, mid), LedgerHistory(lend, mid)
        return Verification(
            seals=seals, history=history, folder=AuditFolder(self.audit, disk), disk=disk, settings=settings or self.settings
        )

    def verify(self) -> Verified:
        """Look at everything."""
        return self.verification().verify()

    def days(self) -> list[str]:
        """The business dates that have files."""
        return sorted(path.name for path in self.audit.iterdir())


def make_books(folder: Path) -> Books:
    """Three days: orders of every end go out, outcomes come in, one is recovered and partly given back, copies are sent.

    At last the books are compared, and differ in one order.
    """
    clock = MovableClock(START)
    folder.mkdir(parents=True, exist_ok=True)
    with Sandbox(folder / "provider", clock=clock) as sandbox:
        house = House(folder, sandbox, clock)
        house.add(
            *(order(f"{token[-4:]}-{n}", payment_token=token) for token in (CANCELLED, EXPIRED, REFUSED, ONHOLD) for n in (1, 2)),
            *(order("back"), order("=1+1"), order("0012", amount_minor=1), order("old", charged_at="2026-11-20T03:00:00Z")),
            *(paid(), paid("paid-2")),
        )
        for job in ("nightly", "transmit"):
            house.run(job)
        house.pass_time(days=1)
        house.add(order("next", charged_at="2026-11-24T03:00:00Z"))
        house.run()
        refund(house, "5.00", "back")
        house.pass_time(days=1)
        house.run("poll")
        house.change("back", amount_minor=5)
        compare(house)
        settings = house.settings
    with closing(sqlite3.connect(house.ledger_path)) as ledger, closing(sqlite3.connect(folder / LEDGER)) as copy:
        ledger.backup(copy)
    shutil.copytree(settings.data_dir / "audit", folder / AUDIT)
    return Books(settings, folder / LEDGER, folder / AUDIT)
