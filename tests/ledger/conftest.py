"""A ledger for each test, with the lease in hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.room import Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A fresh ledger whose lease belongs to a nightly run."""
    made = Room(tmp_path / "ledger" / "ledger.db")
    yield made
    made.close()
