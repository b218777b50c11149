"""The SFTP listener: one account, key login only, a host key that can change (CONTRACT 6)."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from jobs.sandbox.credentials import SFTP_USERNAME, KeyPair
from jobs.sandbox.faults import Faults
from jobs.sandbox.mailbox import Mailbox
from jobs.sandbox.sftp_faults import ConnectCall
from jobs.sandbox.sftp_session import MerchantSession

_LOGIN_SECONDS = 30
_WEAK = {"kex_algs": ["diffie-hellman-group1-sha1"], "encryption_algs": ["aes128-cbc"], "mac_algs": ["hmac-sha1"]}


class _Door(asyncssh.SSHServer):
    """Who may come in: the one user with the one key."""

    def __init__(self, client_key: asyncssh.SSHKey, open_connections: set[asyncssh.SSHServerConnection]) -> None:
        self._client_key: asyncssh.SSHKey | None = client_key
        self._open_connections = open_connections
        self._connection: asyncssh.SSHServerConnection | None = None
        self.is_full = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._open_connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._open_connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        if self.is_full:
            raise asyncssh.DisconnectError(asyncssh.DISC_TOO_MANY_CONNECTIONS, "too many connections")
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == SFTP_USERNAME and self._client_key is not None and key == self._client_key

    def refuse_everybody(self) -> None:
        """Let the right key be refused too."""
        self._client_key = None


@dataclass
class SftpServer:
    """Serve the account's folders on a loopback port until stopped. `start` and `stop` run on the sandbox's loop."""

    root: Path
    mailbox: Mailbox
    faults: Faults
    client_key: KeyPair
    host_key: KeyPair
    port: int = 0
    _other_host_key: KeyPair = field(default_factory=KeyPair.fresh)
    _listener: socket.socket | None = None
    _accepting: asyncio.Task[None] | None = None
    _connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    _logins: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listen; `port` is the real one afterwards. Raises `OSError` if the port is taken."""
        # asyncio sends without delay only on sockets that name their protocol; else each answer waits 40 ms
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(128)
            listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._accepting = asyncio.create_task(self._accept(listener))

    async def stop(self) -> None:
        """Close the port and every connection."""
        tasks = [task for task in (self._accepting, *self._logins) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in connections), return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            call = ConnectCall()
            await self.faults.strike("connect", call)
            if call.closed:
                client.close()
                continue
            login = asyncio.create_task(self._serve(client, call))
            self._logins.add(login)
            login.add_done_callback(self._logins.discard)

    async def _serve(self, client: socket.socket, call: ConnectCall) -> None:
        host_key = self._other_host_key if call.other_key else self.host_key
        door = _Door(asyncssh.import_public_key(self.client_key.public), self._connections)
        if call.login_refused:
            door.refuse_everybody()
        door.is_full = call.too_many
        with contextlib.suppress(asyncssh.Error, OSError, TimeoutError):
            await asyncssh.run_server(
                client,
                server_factory=lambda: door,
                **(_WEAK if call.weak else {}),
                server_host_keys=[asyncssh.import_private_key(host_key.private)],
                sftp_factory=self._session,
                login_timeout=_LOGIN_SECONDS,
                password_auth=False,
                kbdint_auth=False,
                gss_host=None,
                allow_pty=False,
                allow_scp=False,
                agent_forwarding=False,
                x11_forwarding=False,
                encoding=None,
            )

    def _session(self, channel: asyncssh.SSHServerChannel[bytes]) -> MerchantSession:
        return MerchantSession(channel, self.root, self.mailbox, self.faults)
