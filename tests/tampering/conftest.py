"""Books of three days, made once; and a copy of them for each test that edits."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tampering.books import AUDIT, LEDGER, Books, make_books


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """What nobody has touched."""
    books = make_books(tmp_path_factory.mktemp("books") / "merchant")
    yield books
    books.engine.dispose()


@pytest.fixture
def books(made: Books, tmp_path: Path) -> Iterator[Books]:
    """A copy."""
    shutil.copyfile(made.ledger, tmp_path / LEDGER)
    shutil.copytree(made.audit, tmp_path / AUDIT)
    copy = Books(made.settings, tmp_path / LEDGER, tmp_path / AUDIT)
    yield copy
    copy.engine.dispose()
