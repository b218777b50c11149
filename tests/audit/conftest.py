"""A ledger, and the flow that writes finance's files from it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batch.audit import AuditFolder
from batch.bookkeeping import AuditReport, Bookkeeping, Turn
from batch.ledger_history import LedgerHistory
from jobs.disk import MachineDisk
from tests.audit.ledger_builder import MID, LedgerBuilder, settings

ALONE = Turn("a1b2c3d4e5f6", lambda: None)
"""The turn of a run that nobody ever takes over."""


class Books(Bookkeeping):
    """Bookkeeping that is alone unless a test says otherwise."""

    def write(self, business_date: str, turn: Turn = ALONE, *, anew: bool = False) -> AuditReport:
        """Write one business date's files."""
        return super().write(business_date, turn, anew=anew)


MakeBooks = Callable[..., Books]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerBuilder]:
    """An empty ledger in a file."""
    builder = LedgerBuilder(tmp_path / "ledger.db")
    yield builder
    builder.engine.dispose()


@pytest.fixture
def make_books(ledger: LedgerBuilder, tmp_path: Path) -> MakeBooks:
    """Bookkeeping over that ledger, with other settings where a test names them."""

    def make(root: str = "audit", part_rows: int = 1_000_000, **sections: Any) -> Books:  # noqa: ANN401
        folder = AuditFolder(tmp_path / root, MachineDisk(), part_rows=part_rows)
        return Books(history=LedgerHistory(ledger.connect, MID), folder=folder, settings=settings(**sections))

    return make
