"""One sandbox with its shop for each test module, emptied before every test; webhooks lead to the shop."""

from collections.abc import Iterator

import pytest

from jobs.clock import ShiftedClock
from jobs.sandbox import Sandbox
from jobs.sandbox.checkout import Checkout


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Checkout]]:
    """A provider and a shop, on the machine's time: webhooks are signed with it."""
    folder = tmp_path_factory.mktemp("shop")
    with Sandbox(folder / "sandbox", clock=ShiftedClock()) as sandbox, Checkout(sandbox) as shop:
        yield sandbox, shop


@pytest.fixture
def sandbox(opened: tuple[Sandbox, Checkout]) -> Sandbox:
    """The provider, empty, telling the shop what happens."""
    sandbox, shop = opened
    assert sandbox.webhooks.settle()  # what the test before let happen is told, and asked about, before it is forgotten
    sandbox.reset()
    sandbox.register_webhook(shop.webhook_url)
    return sandbox


@pytest.fixture
def shop(opened: tuple[Sandbox, Checkout], sandbox: Sandbox) -> Checkout:
    """The shop; its orders stay, each test makes its own."""
    return opened[1]
