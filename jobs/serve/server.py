"""The server as a whole: its databases, its socket, and the thread in which it answers."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self, TextIO

import uvicorn

from batch.day_counts import Figures
from batch.equipment import Clock
from batch.ledger import Ledger
from batch.ledger.figures import add_figures
from batch.ledger.identity import Identity, check_account
from batch.ledger.webhook_inbox import store_webhooks
from batch.pace import business_date
from batch.source import OrderSource
from batch.webhooks import Door, signing_key
from jobs.assembly import api_url, load_profile
from jobs.databases import open_ledger, open_orders
from jobs.disk import MachineDisk
from jobs.secret_values import secret
from jobs.serve.access_log import AccessLog
from jobs.serve.address import public_url
from jobs.serve.app import Desk
from jobs.serve.connection import MOST_HEAD_BYTES, TimedConnection
from jobs.serve.finance_files import FinanceFiles
from jobs.serve.group_commit import GroupCommit
from jobs.serve.pages import Pages
from jobs.serve.views import Views
from jobs.serve.webhook_counts import WebhookCounts
from schemas.errors import ConfigurationError
from schemas.settings import Settings

MOST_CONNECTIONS = 1000
STOP_SECONDS = 12
"""So long may what is being answered take to end, when the server is asked to stop: longer than a webhook waits at most."""


class Server:
    """Answers inside the block. Everything that could refuse it is looked at before it listens.

    Raises ConfigurationError (a key, a host or an address that is missing or of no use), SafetyRefusal (another ledger).
    """

    def __init__(self, settings: Settings, clock: Clock, log: TextIO, *, is_quiet: bool = False) -> None:
        public_url(settings)
        door = Door(signing_key(secret(settings, "subscriber_key")), settings.webhook.public_host)
        with contextlib.ExitStack() as stack:
            orders_engine, orders = open_orders(settings.orders.url, settings.orders)
            stack.callback(orders_engine.dispose)
            engine = open_ledger(settings.ledger.url)
            stack.callback(engine.dispose)
            ledger = Ledger(engine, mid=settings.provider.mid, clock=clock, lease_seconds=settings.lease.seconds)
            url = api_url(settings, load_profile(settings))
            check_account(ledger, Identity(settings.environment, url, settings.provider.mid, host_key=""))
            self._keeping = GroupCommit(lambda arrivals: store_webhooks(ledger, arrivals))
            source, access_log = OrderSource(orders_engine, orders), AccessLog(clock, log, is_quiet)
            self._counts = WebhookCounts(lambda figures: _keep_counts(ledger, settings, clock, figures), _apart)
            files = FinanceFiles(settings.data_dir / "audit", MachineDisk())
            self._pages = Pages(
                Views(ledger, source, settings, clock, MachineDisk(), files),
                access_log,
                host=settings.webhook.listen.rpartition(":")[0].strip("[]"),
                before_metrics=self._counts.write_down,
            )
            self._desk = Desk(
                door=door,
                ledger=ledger,
                source=source,
                keeping=self._keeping,
                clock=clock,
                log=access_log,
                environment=settings.environment,
                counts=self._counts,
                pages=self._pages,
            )
            self._socket = _listening(settings.webhook.listen)
            self._engines = stack.pop_all()
        self._uvicorn = self._make()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="serve")

    @property
    def address(self) -> str:
        """Where it listens, as host:port; the port is the real one."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def is_alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        """Begin to answer; connections are taken from now on."""
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        """Take no more connections, answer what is under way, and close the databases."""
        self._uvicorn.should_exit = True
        self._thread.join()
        self._engines.close()

    def _make(self) -> uvicorn.Server:
        config = uvicorn.Config(
            self._desk.application(),
            http=TimedConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=STOP_SECONDS,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        )
        return uvicorn.Server(config)

    async def _serve(self) -> None:
        self._keeping.start()
        self._counts.start()
        try:
            await self._uvicorn.serve(sockets=[self._socket])
        finally:
            self._pages.close()
            await self._counts.close()
            await self._keeping.close()


async def _apart(work: Callable[[], None]) -> None:
    await asyncio.to_thread(work)


def _keep_counts(ledger: Ledger, settings: Settings, clock: Clock, figures: Figures) -> None:
    today = business_date(clock.now(), settings.schedule.timezone)
    with ledger.unguarded() as connection:
        add_figures(connection, ledger.mid, today, figures)


def _listening(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        # asyncio sends without delay only on sockets that name their protocol; else each answer waits 40 ms
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(2048)
        except OSError:
            found.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"Nobody can listen on {listen} (webhook.listen): {error.strerror}.",
            now="No webhook is taken.",
            next_step="Stop the other program, or set another address in webhook.listen.",
        ) from error
    return found
