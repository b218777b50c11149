"""A merchant who certifies: settings as the sandbox writes them, an orders table, and one clock that stands still."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.certify.merchant import Merchant
from tests.certify.two_environments import TwoEnvironments
from tests.night.house import START

MakeMerchant = Callable[..., Merchant]


@pytest.fixture
def make_merchant(tmp_path: Path) -> Iterator[MakeMerchant]:
    """Build merchants; `options` are the provider's."""
    with ExitStack() as stack:

        def make(**options: Any) -> Merchant:  # noqa: ANN401 - SandboxOptions' fields
            clock = MovableClock(START)
            sandbox = stack.enter_context(Sandbox(tmp_path / "provider", clock=clock, options=SandboxOptions(**options)))
            return Merchant(tmp_path, sandbox, clock)

        yield make


@pytest.fixture
def merchant(make_merchant: MakeMerchant) -> Merchant:
    """A merchant whose provider behaves as by default."""
    return make_merchant()


@pytest.fixture
def both(tmp_path: Path) -> TwoEnvironments:
    """A sandbox and production that have nothing in common, both as they should be."""
    return TwoEnvironments(tmp_path / "merchant")
