"""Connections to the provider's SFTP server: the pinned host key first, then our key, then channels that several files share."""

import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import paramiko

from batch.sftp_channel import SftpChannel
from schemas.errors import HostKeyChanged, MitbatchError, SftpLoginRefused, SftpLost, SftpRefused, SftpUnreachable

Watch = Callable[[float, Callable[[], None]], AbstractContextManager[None]]
"""`watch(seconds, action)`: runs the action unless the block has ended by then."""


@dataclass(frozen=True, slots=True)
class SftpAccess:
    """How one merchant gets in. `connect` opens a line on which nothing was said yet; it raises OSError when there is none.

    `host_keys` are the only server keys that are believed.
    """

    name: str
    connect: Callable[[], paramiko.Transport]
    username: str
    key: paramiko.PKey
    host_keys: Sequence[paramiko.PKey]
    deadline_seconds: float
    transports: int
    channels: int
    watch: Watch


_NO_CLEAR_ANSWER = (EOFError, paramiko.SSHException, paramiko.SFTPError, UnicodeError, ValueError, IndexError, struct.error)
"""What comes of an answer that is none: cut off, of another protocol, or not what it says it is."""


class SftpConnections:
    """A few transports with a few channels each, opened when needed and shared between threads."""

    def __init__(self, access: SftpAccess) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._idle: list[SftpChannel] = []
        self._open: dict[paramiko.Transport, int] = {}
        self._refusal: HostKeyChanged | SftpLoginRefused | None = None

    @contextmanager
    def step(self, what: str) -> Iterator[SftpChannel]:
        """Lend a channel for one step, under the deadline. No clear answer is SftpLost, a no is SftpRefused."""
        channel = self._borrow()
        transport = channel.get_channel().get_transport()  # type: ignore[union-attr]
        try:
            with self._access.watch(self._access.deadline_seconds, transport.close):
                yield channel
        except MitbatchError:
            self._drop(transport)
            raise
        except (ConnectionError, TimeoutError) as error:
            self._drop(transport)
            raise self._lost(what) from error
        except OSError as error:
            if not transport.is_active() or str(error) == "Socket is closed":
                self._drop(transport)
                raise self._lost(what) from error
            self._give_back(channel)
            if error.errno is not None:
                raise SftpRefused(self._no(what, error.strerror or str(error)), absent=error.errno == 2) from error
            raise SftpRefused(self._no(what, str(error) or "no reason given")) from error
        except _NO_CLEAR_ANSWER as error:
            self._drop(transport)
            raise self._lost(what) from error
        except BaseException:
            self._drop(transport)
            raise
        else:
            self._give_back(channel)

    def close(self) -> None:
        """Close every connection; safe at any time."""
        with self._lock:
            transports, self._open, self._idle = list(self._open), {}, []
        for transport in transports:
            transport.close()

    def _lost(self, what: str) -> SftpLost:
        return SftpLost(f"The connection to {self._access.name} was lost, or took too long, while: {what}.")

    def _no(self, what: str, why: str) -> str:
        return f"{self._access.name} refused to {what} ({why[:200]})."

    def _borrow(self) -> SftpChannel:
        with self._lock:
            while self._idle:
                channel = self._idle.pop()
                transport = channel.get_channel().get_transport()  # type: ignore[union-attr]
                if transport.is_active():
                    return channel
            transport = self._transport_with_room()
            try:
                opened = SftpChannel.from_transport(transport)
            except (*_NO_CLEAR_ANSWER, OSError) as error:
                self._open.pop(transport, None)
                transport.close()
                raise SftpUnreachable(f"{self._access.name} accepted the login but opened no SFTP session.") from error
            if not isinstance(opened, SftpChannel):
                raise SftpUnreachable(f"{self._access.name} accepted the login but opened no SFTP session.")
            opened.get_channel().settimeout(self._access.deadline_seconds)  # type: ignore[union-attr]
            self._open[transport] = self._open.get(transport, 0) + 1
            return opened

    def _transport_with_room(self) -> paramiko.Transport:
        for transport, used in self._open.items():
            if used < self._access.channels and transport.is_active():
                enough = len(self._open) >= self._access.transports
                if enough or used == 0:
                    return transport
        if self._refusal is not None:
            raise self._refusal  # asking again would look like an attack, and could lock the account
        try:
            transport = log_in(self._access)
        except (HostKeyChanged, SftpLoginRefused) as refusal:
            self._refusal = refusal
            raise
        self._open[transport] = 0
        return transport

    def _give_back(self, channel: SftpChannel) -> None:
        with self._lock:
            self._idle.append(channel)

    def _drop(self, transport: paramiko.Transport) -> None:
        with self._lock:
            self._open.pop(transport, None)
            self._idle = [channel for channel in self._idle if channel.get_channel().get_transport() is not transport]  # type: ignore[union-attr]
        transport.close()


def fingerprint(key: paramiko.PKey) -> str:
    """A public key as people compare it: `SHA256:` and base64 without padding, as OpenSSH prints it."""
    return str(key.fingerprint)


def log_in(access: SftpAccess) -> paramiko.Transport:
    """Connect, check the host key before anything of ours is shown, and log in with our key.

    Raises SftpUnreachable, HostKeyChanged, SftpLoginRefused.
    """
    try:
        transport = access.connect()
    except OSError as error:
        raise SftpUnreachable(f"{access.name} cannot be reached ({error.strerror or error}).") from error
    try:
        with access.watch(access.deadline_seconds, transport.close):
            _prefer_known_types(transport, access.host_keys)
            transport.start_client(timeout=access.deadline_seconds)
            _check_host_key(access, transport.get_remote_server_key())
            transport.auth_publickey(access.username, access.key)
    except paramiko.AuthenticationException as error:
        transport.close()
        raise SftpLoginRefused(f"{access.name} refused the login of {access.username}.") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        raise SftpUnreachable(f"{access.name} broke off while the connection was being made ({str(error)[:200]}).") from error
    except HostKeyChanged:
        transport.close()
        raise
    return transport


def _prefer_known_types(transport: paramiko.Transport, keys: Sequence[paramiko.PKey]) -> None:
    options = transport.get_security_options()
    names = {key.get_name() for key in keys}
    if "ssh-rsa" in names:
        names |= {"rsa-sha2-512", "rsa-sha2-256"}
    wanted = tuple(name for name in options.key_types if name in names)
    options.key_types = (*wanted, *(name for name in options.key_types if name not in wanted))


def _check_host_key(access: SftpAccess, shown: paramiko.PKey) -> None:
    if any(known.get_name() == shown.get_name() and known.asbytes() == shown.asbytes() for known in access.host_keys):
        return
    was = ", ".join(fingerprint(known) for known in access.host_keys)
    raise HostKeyChanged(
        f"Could not log in to {access.name}: the server's host key changed (was {was}, now {fingerprint(shown)}).",
        now="Nothing was shown to it and nothing was sent; orders stay held.",
        next_step="If the provider announced a new key: mitbatch doctor sftp --show-key, then put it into known_hosts "
        '(sftp.known_hosts) and run: mitbatch lock update --reason "...".',
    )
