"""A ledger in memory's folder for each test, with a desk over it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.room import Room
from tests.table.desk import Desk


@pytest.fixture
def room() -> Iterator[Room]:
    """A fresh ledger whose lease belongs to a nightly run."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as folder:
        made = Room(Path(folder) / "ledger" / "ledger.db")
        yield made
        made.close()


@pytest.fixture
def desk(room: Room) -> Desk:
    """A desk over the ledger."""
    return Desk(room)
