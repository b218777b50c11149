"""A ledger in memory's folder for each test, with a desk over it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.room import Room
from tests.table.desk import Desk


@pytest.fixture
def room() -> Iterator[Room]:
    """A fresh ledger whose lease belongs to a nightly run."""
    place = "/dev/shm"  # noqa: S108 - a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=place if Path(place).is_dir() else None) as folder:
        made = Room(Path(folder) / "ledger" / "ledger.db")
        yield made
        made.close()


@pytest.fixture
def desk(room: Room) -> Desk:
    """A desk over the ledger."""
    return Desk(room)
