"""The sandbox as a whole: both servers in one background thread, and the calls with which a test steers it."""

import asyncio
import concurrent.futures
import contextlib
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import jobs.sandbox.sftp_listing_faults
import jobs.sandbox.sftp_rename_faults
import jobs.sandbox.sftp_slow_faults
import jobs.sandbox.tls_faults  # noqa: F401 - its faults can be switched on before the server starts
from jobs.clock import ShiftedClock
from jobs.sandbox.bearers import Bearers
from jobs.sandbox.brain import Brain
from jobs.sandbox.control_api import Controls
from jobs.sandbox.credentials import SFTP_USERNAME, Account, KeyPair, account_of, write_private
from jobs.sandbox.faults import Faults
from jobs.sandbox.http_api import Office
from jobs.sandbox.journal import Journal
from jobs.sandbox.mailbox import Folders, Mailbox
from jobs.sandbox.moments import Clock, as_text
from jobs.sandbox.options import SandboxOptions
from jobs.sandbox.outcome_files import OutcomeFiles
from jobs.sandbox.settings_text import settings_text
from jobs.sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from jobs.sandbox.http_server import HttpServer
    from jobs.sandbox.sftp_server import SftpServer

_TICK_SECONDS = 0.05
_START_SECONDS = 30


class Sandbox:
    """A pretend provider on loopback, in its own folder, with one account in managed and one in sync mode.

    `mid`, `app_key` and so on are the managed account's, which alone has SFTP; the other's begin with `sync_`.

    Use it as a context manager: it serves inside the block, and everything is stopped and joined at its end.
    The clock is shared with whoever made it; nothing happens here before the clock says so.
    """

    def __init__(self, folder: Path, clock: Clock | None = None, options: SandboxOptions | None = None) -> None:
        self.folder = folder.resolve()
        self.options = options or SandboxOptions()
        self.clock: Clock = clock or ShiftedClock()
        self.faults = Faults()
        self._account = Account(self.options.seed)
        self.mid = self._account.mid
        root = self.folder / "sftp"
        self.inbound, self.outbound = root / "inbound", root / "outbound"
        self._folders = Folders(self.inbound, self.outbound, self.folder / "spool")
        for path in (self.inbound, self.outbound, self._folders.spool):
            path.mkdir(parents=True, exist_ok=True)
        self._sync_account = account_of(self.options.seed, "sync")
        self._journal = Journal(self.folder / "journal.jsonl")
        self._brain = Brain(self._account, self.options, self._journal)
        self._bearers = Bearers(self.mid, self.options.token_seconds, self.options.seed)
        self._mailbox = Mailbox(
            self._folders,
            self._brain,
            self._bearers,
            (self.mid, self.options, self.clock),
            (self._journal, self.faults),
        )
        self._outcomes = OutcomeFiles(self.mid, self._brain, self._mailbox, self._journal)
        self.webhooks = Webhooks(self.options.seed, self.clock, self._journal, self.faults)
        self._brain.watch(self.webhooks.heard)
        self.site_ids = dict(self._account.site_ids)
        self.app_key, self.app_secret = self._account.app_key, self._account.app_secret
        self.tokenization_key = self._account.tokenization_key
        self.sync_mid, self.sync_site_ids = self._sync_account.mid, dict(self._sync_account.site_ids)
        self.sync_app_key, self.sync_app_secret = self._sync_account.app_key, self._sync_account.app_secret
        self.sync_tokenization_key = self._sync_account.tokenization_key
        self.sftp_username = SFTP_USERNAME
        self.app_key_path, self.app_secret_path = self.folder / "app_key", self.folder / "app_secret"
        self.tokenization_key_path = self.folder / "tokenization_key"
        self.subscriber_key_path, self._address_path = self.folder / "subscriber_key", self.folder / "control_url"
        self.sync_app_key_path, self.sync_app_secret_path = self.folder / "sync_app_key", self.folder / "sync_app_secret"
        self.sync_tokenization_key_path = self.folder / "sync_tokenization_key"
        self.client_key_path, self.known_hosts_path = self.folder / "client_key", self.folder / "known_hosts"
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self.authority_path = self.folder / "authority.pem"
        self._http: HttpServer | None = None
        self._https: HttpServer | None = None
        self._sftp: SftpServer | None = None

    def __enter__(self) -> Self:
        """Start both servers."""
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        """Stop both servers."""
        self.stop()

    def start(self) -> None:
        """Make fresh SSH keys, write the credentials' files, and serve. Raises `OSError` if a port is taken."""
        from jobs.sandbox.http_server import HttpServer
        from jobs.sandbox.sftp_server import SftpServer

        client_key, host_key = KeyPair.fresh(), KeyPair.fresh()
        self._http = HttpServer(self._office(), self._controls(), self.options.max_body_bytes, self.options.http_port)
        self._sftp = SftpServer(self.inbound.parent, self._mailbox, self.faults, client_key, host_key, self.options.sftp_port)
        self._https = self._with_tls() if self.options.https else None
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name="sandbox", daemon=True)
        self._thread.start()
        try:
            started.result(_START_SECONDS)
        except OSError:
            self.stop()
            raise
        write_private(self.client_key_path, client_key.private)
        write_private(self.app_key_path, self.app_key.encode())
        write_private(self.app_secret_path, self.app_secret.encode())
        write_private(self.tokenization_key_path, self.tokenization_key.encode())
        write_private(self.sync_app_key_path, self.sync_app_key.encode())
        write_private(self.sync_app_secret_path, self.sync_app_secret.encode())
        write_private(self.sync_tokenization_key_path, self.sync_tokenization_key.encode())
        write_private(self.subscriber_key_path, self.webhooks.key.encode())
        write_private(self._address_path, f"{self.control_url}\n".encode())
        self.known_hosts_path.write_text(f"[127.0.0.1]:{self.sftp_port} {host_key.public}\n", encoding="ascii")

    def stop(self) -> None:
        """Stop serving and wait for the thread; the journal stays readable."""
        if self._thread is None:
            return
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None
        self._address_path.unlink(missing_ok=True)
        self.webhooks.stop()
        self._journal.close()

    @property
    def api_url(self) -> str:
        """The base address of the API, with its version and a slash at the end."""
        return f"http://127.0.0.1:{self._http.port if self._http else 0}/v1/"

    @property
    def https_url(self) -> str:
        """The same API over TLS, where the option `https` is on; `authority_path` is what a client has to trust."""
        return f"https://127.0.0.1:{self._https.port if self._https else 0}/v1/"

    @property
    def control_url(self) -> str:
        """The base address of the sandbox's own controls."""
        return f"http://127.0.0.1:{self._http.port if self._http else 0}/_sandbox/"

    @property
    def secret_paths(self) -> tuple[Path, ...]:
        """The files that hold secrets, each for its owner alone; they are there once the sandbox has started."""
        keys = (self.app_key_path, self.app_secret_path, self.tokenization_key_path, self.subscriber_key_path)
        return (self.client_key_path, *keys)

    @property
    def sftp_port(self) -> int:
        """The port of the SFTP server on 127.0.0.1."""
        return self._sftp.port if self._sftp else 0

    def journal(self) -> list[dict[str, object]]:
        """Everything received, accepted, refused and answered since the start or the last reset, oldest first."""
        self._mailbox.catch_up()
        return self._journal.rows()

    def accepted(self, kind: str) -> list[dict[str, object]]:
        """What was accepted of this kind, "evaluate" or "transmit", oldest first."""
        return [row for row in self.journal() if row["event"] == "accepted" and row["kind"] == kind]

    def orders(self) -> list[dict[str, object]]:
        """How the provider sees every order now, in the order of acceptance; amounts in minor units."""
        self._mailbox.catch_up()
        now = self.clock.now()
        rows: list[dict[str, object]] = []
        for order in self._brain.orders():
            standing = self._brain.standing(order, now)
            rows.append(
                {
                    "order_session_key": order.order_session_key,
                    "order_id": order.order_id,
                    "mid": order.mid,
                    "way": order.way,
                    "refunded": sum(order.refunds),
                    "status": standing.name,
                    "code": standing.code,
                    "expired": standing.expired,
                    "amount": standing.amount,
                    "currency": order.currency,
                    "placed": as_text(order.placed),
                    "expiry": as_text(order.expiry) if order.expiry else None,
                }
            )
        return rows

    def advance(self, step: timedelta) -> None:
        """Move the clock and let everything happen that is then due."""
        self.clock.advance(step)
        self._mailbox.catch_up()
        self._brain.catch_up(self.clock.now())
        self.webhooks.catch_up()
        if self.options.outcome_files:
            self._outcomes.write(self.clock.now())

    def reset(self) -> None:
        """Forget orders, files, journal and faults; ports, keys, credentials and the clock stay."""
        with self._brain.lock:
            self.faults.clear()
            self._brain.reset()
            self._mailbox.reset()
            self._outcomes.reset()
            self.webhooks.forget()
            self._journal.forget()

    def register_webhook(self, url: str) -> None:
        """Tell this address on loopback what happens to orders, signed with the key in `subscriber_key_path` (CONTRACT 12).

        Raises `ValueError` for an address on another machine. A reset forgets the address.
        """
        self.webhooks.register(url)

    def change_host_key(self) -> None:
        """Show a new host key from the next connection on, and leave the known_hosts file as it was."""
        if self._sftp is not None:
            self._sftp.host_key = KeyPair.fresh()

    def settings_toml(self, data_dir: str, orders_url: str) -> str:
        """A settings file for a merchant's side that is to work against this sandbox."""
        values: dict[str, str | int | Path] = {
            "data_dir": data_dir,
            "mid": self.mid,
            "api_url": self.api_url,
            "app_key_file": self.app_key_path,
            "app_secret_file": self.app_secret_path,
            "tokenization_key_file": self.tokenization_key_path,
            "subscriber_key_file": self.subscriber_key_path,
            "port": self.sftp_port,
            "username": self.sftp_username,
            "private_key": self.client_key_path,
            "known_hosts": self.known_hosts_path,
            "orders_url": orders_url,
            "wait_seconds": 60,
            "sync_mid": self.sync_mid,
            "sync_app_key_file": self.sync_app_key_path,
            "sync_app_secret_file": self.sync_app_secret_path,
            "sync_tokenization_key_file": self.sync_tokenization_key_path,
        }
        return settings_text(values, self.site_ids, self.sync_site_ids)

    def _office(self) -> Office:
        return Office(self._account, self.clock, self._brain, self._bearers, self._mailbox, self._journal, self.faults)

    def _controls(self) -> Controls:
        return Controls(
            clock=self.clock,
            journal=self._journal,
            faults=self.faults,
            brain=self._brain,
            webhooks=self.webhooks,
            folders=self._folders,
            orders=self.orders,
            advance=self.advance,
            reset=self.reset,
        )

    def _with_tls(self) -> "HttpServer":
        from jobs.sandbox.http_server import HttpServer
        from jobs.sandbox.tls_certificates import fresh_faces
        from jobs.sandbox.tls_faults import listening_context

        faces = fresh_faces()
        self.authority_path.write_bytes(faces.authority)
        context = listening_context(faces, self.faults)
        return HttpServer(self._office(), self._controls(), self.options.max_body_bytes, tls=context)

    async def _serve(self, started: concurrent.futures.Future[None]) -> None:
        if self._http is None or self._sftp is None:
            return
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self._http.start()
            if self._https is not None:
                await self._https.start()
            await self._sftp.start()
        except OSError as error:
            await self._http.stop()
            started.set_exception(error)
            return
        started.set_result(None)
        while not self._stopping.is_set():
            self._mailbox.catch_up()
            self._brain.catch_up(self.clock.now())
            self.webhooks.catch_up()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK_SECONDS)
        await self._sftp.stop()
        if self._https is not None:
            await self._https.stop()
        await self._http.stop()
