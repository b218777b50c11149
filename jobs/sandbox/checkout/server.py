"""The shop on a port of its own on loopback, as a merchant's server would be beside the provider's."""

import asyncio
import socket
import threading
import time
from pathlib import Path
from typing import Self

import uvicorn

from jobs.sandbox.checkout.app import WEBHOOK_PATH, Addresses
from jobs.sandbox.checkout.orders import Orders
from jobs.sandbox.checkout.provider import ANSWER_SECONDS, Provider
from jobs.sandbox.checkout.shop import Shop
from jobs.sandbox.checkout.till import Till
from jobs.sandbox.moments import Clock
from jobs.sandbox.server import Sandbox

_START_SECONDS = 30


class Checkout:
    """A shop that works against one pretend provider, for as long as the `with` block lasts.

    Its orders are in an SQLite file, by default the `orders.db` that the sandbox's ready settings name, so that a night
    sees them too.
    """

    def __init__(
        self, sandbox: Sandbox, orders_path: Path | None = None, port: int = 0, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._answer_seconds = answer_seconds
        self._listener: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._clock: Clock = sandbox.clock
        self.orders_path = orders_path or sandbox.folder / "orders.db"
        self.port = port
        self.shop = shop_of(sandbox)

    def __enter__(self) -> Self:
        """Listen, and serve in a thread of its own. Raises `OSError`, or `sqlite3.Error` where the orders cannot be used."""
        orders = Orders(self.orders_path)
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(("127.0.0.1", self.port))
        except OSError:
            self._listener.close()
            raise
        self.port = self._listener.getsockname()[1]
        self._provider = Provider(self.shop, self._answer_seconds)
        till = Till(self.shop, orders, self._provider, self._clock)
        config = uvicorn.Config(
            Addresses(till).application(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = self._server = uvicorn.Server(config)
        listener = self._listener
        self._thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), name="checkout", daemon=True)
        self._thread.start()
        until = time.monotonic() + _START_SECONDS
        while not server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.005)
        return self

    def __exit__(self, *failure: object) -> None:
        """Stop serving and wait for the thread; the orders stay."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._provider.close()

    @property
    def url(self) -> str:
        """Where the shop is."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def webhook_url(self) -> str:
        """Where it takes the provider's webhooks."""
        return f"http://127.0.0.1:{self.port}{WEBHOOK_PATH}"


def shop_of(sandbox: Sandbox) -> Shop:
    """The shop of the sandbox's managed account, which takes customers who are present like any other."""
    site, site_id = next(iter(sandbox.site_ids.items()))
    return Shop(
        api_url=sandbox.api_url,
        widget_url=f"{sandbox.control_url}widget/",
        mid=sandbox.mid,
        site=site,
        site_id=site_id,
        app_key=sandbox.app_key,
        app_secret=sandbox.app_secret,
        tokenization_key=sandbox.tokenization_key,
        subscriber_key=sandbox.webhooks.key,
    )
