"""What holds for every test."""

import gc
import os

import pytest

from tests.compiled import share_compiled_statements

share_compiled_statements()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto`, one worker more than there are cores: tests wait for other programs for a good part of their time."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was loaded and collected is no garbage: never look at it again."""
    gc.collect()
    gc.freeze()
