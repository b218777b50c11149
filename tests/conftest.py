"""What holds for every test."""

import gc

import pytest

from tests.compiled import share_compiled_statements

share_compiled_statements()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was loaded and collected is no garbage: never look at it again."""
    gc.collect()
    gc.freeze()
