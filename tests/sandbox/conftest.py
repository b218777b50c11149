"""One sandbox on a standing clock for each test module, emptied before every test."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox

START = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands at half past one in the night until it is moved."""
    return MovableClock(START)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running sandbox with default options, in a folder that holds nothing else: what escapes from it is seen there."""
    with Sandbox(tmp_path_factory.mktemp("around") / "sandbox", clock=MovableClock(START)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The running sandbox, empty."""
    running.reset()
    return running
