"""What holds for every test."""

import gc
import os
from pathlib import Path

import pytest

from tests.compiled import share_compiled_statements
from tests.in_memory import in_memory, keep_bytecode

share_compiled_statements()

AT_LENGTH = frozenset(
    """
    certify/test_each_item.py
    certify/test_go_live_killed.py
    commands/test_canaries.py
    commands/test_streams.py
    crash/test_every_point.py
    crash/test_planted.py
    crash_points/test_crash_points.py
    fuzz/test_limits.py
    long/test_running.py
    mutation/test_mutation.py
    postgres/test_night.py
    postgres/test_nights.py
    schedule/test_process.py
    table/test_conclusions_table.py
    """.split()
)
"""The modules that take longest: left out when all tests are run at once, run by `-m at_length` or by their names."""

TESTS = Path(__file__).parent
ROOM = 4 << 30
"""What the folders of a whole run need, and as much again. Each commit and each file of a night waits for the disk, thousands of
times in a module; in memory the same tests end in half the time. What a power cut leaves is tried on images (`tests/power`)."""

_LEFT_OUT = "TESTS_AT_LENGTH_LEFT_OUT"


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark means, and tell the workers, who are given names only, whether all tests were asked for."""
    if place := in_memory(ROOM):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place))
    keep_bytecode()
    config.addinivalue_line("markers", "at_length: takes long; run by `pytest -n auto -m at_length`, as `.ci/run` does")
    if not hasattr(config, "workerinput"):
        everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.markexpr
        os.environ[_LEFT_OUT] = "yes" if everything else ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of the modules that take longest, and leave them out where everything was asked for."""
    long = [item for item in items if str(item.path.relative_to(TESTS)) in AT_LENGTH]
    for item in long:
        item.add_marker(pytest.mark.at_length)
    if long and os.environ[_LEFT_OUT]:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item.get_closest_marker("at_length") is None]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto`, one worker more than there are cores: tests wait for other programs for a good part of their time."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was loaded and collected is no garbage: never look at it again."""
    gc.collect()
    gc.freeze()
