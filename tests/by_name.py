"""Many rows by their names, as one row goes: for whoever looks at each statement with its values, or changes them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import batch.ledger.transaction
import batch.writeback


@contextmanager
def rows_by_name() -> Iterator[None]:
    """No statement is handed to the driver in its own form meanwhile: SQLAlchemy's `before_execute` tells of all of them."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (batch.ledger.transaction, batch.writeback):
            patch.setattr(module, "driver_form", lambda *_: None)
        yield
