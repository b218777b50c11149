"""A house for each test: its own folder, its own provider, one clock."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jobs.clock import MovableClock, ShiftedClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.night.house import START, House

MakeHouse = Callable[..., House]
Stop = Callable[[Sandbox], None]


@pytest.fixture(scope="session")
def stop_later() -> Iterator[Stop]:
    """Stop providers while the next test runs, because a stop is mostly waiting. All have stopped at the end."""
    ends: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield lambda sandbox: ends.append(pool.submit(sandbox.stop))
    for end in ends:
        end.result()


@pytest.fixture
def make_house(tmp_path: Path, stop_later: Stop) -> Iterator[MakeHouse]:
    """Build houses; `options` are the provider's, `columns` the merchant's own names of columns."""
    with ExitStack() as stack:

        def make(*, columns: dict[str, str] | None = None, **options: Any) -> House:  # noqa: ANN401 - SandboxOptions' fields
            folder = tmp_path / f"house{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            clock = MovableClock(START)
            sandbox = Sandbox(folder / "provider", clock=clock, options=SandboxOptions(**options))
            sandbox.start()
            stack.callback(stop_later, sandbox)
            return House(folder, sandbox, clock, columns)

        yield make


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """A house whose provider behaves as by default."""
    return make_house()


@pytest.fixture
def running_house(tmp_path: Path) -> Iterator[House]:
    """A house on the machine's own time, for commands in processes of their own."""
    clock = ShiftedClock()
    with Sandbox(tmp_path / "provider", clock=clock) as sandbox:
        yield House(tmp_path, sandbox, clock)
