"""Connections to the provider's SFTP server: the pinned host key first, then our key, then channels that several files share."""

import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum, auto

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


class Place(Enum):
    """Where a channel is to come from that nobody has opened yet."""

    LOGIN = auto()


class SftpConnections:
    """A few transports with a few channels each, opened when needed and shared between threads.

    Logins are made one after the other, so that a key that is refused is shown once; channels are opened side by side. A server
    that gives fewer sessions than the settings ask for is used with as many as it gives.
    """

    def __init__(self, access: SftpAccess) -> None:
        self._access = access
        self._changed = threading.Condition()
        self._idle: list[SftpChannel] = []
        self._open: dict[paramiko.Transport, int] = {}
        self._given: dict[paramiko.Transport, int] = {}
        self._is_logging_in = False
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
        with self._changed:
            transports, self._open, self._idle = list(self._open), {}, []
            self._changed.notify_all()
        for transport in transports:
            transport.close()

    def _lost(self, what: str) -> SftpLost:
        return SftpLost(f"The connection to {self._access.name} was lost, or took too long, while: {what}.")

    def _no(self, what: str, why: str) -> str:
        return f"{self._access.name} refused to {what} ({why[:200]})."

    def _borrow(self) -> SftpChannel:
        """A channel for one step: one that nobody uses, else a new one, else the next that is given back."""
        while True:
            with self._changed:
                place = self._changed.wait_for(self._place)
            if place is Place.LOGIN:
                self._log_in()
            elif isinstance(place, SftpChannel):
                return place
            elif place is not None and (channel := self._opened(place)) is not None:
                return channel

    def _place(self) -> "SftpChannel | paramiko.Transport | Place | None":
        """An idle channel, a transport on which room for one more was taken, or a login to be made; None: wait for others."""
        while self._idle:
            channel = self._idle.pop()
            if channel.get_channel().get_transport().is_active():  # type: ignore[union-attr]
                return channel
        if self._refusal is not None:
            raise self._refusal  # asking again would look like an attack, and could lock the account
        active = {transport: used for transport, used in self._open.items() if transport.is_active()}
        is_enough = len(active) >= self._access.transports or self._is_logging_in or 0 in active.values()
        if not is_enough:
            self._is_logging_in = True
            return Place.LOGIN
        for transport, used in active.items():
            if used < self._given.get(transport, self._access.channels):
                self._open[transport] += 1
                return transport
        return None

    def _log_in(self) -> None:
        try:
            transport = log_in(self._access)
        except (HostKeyChanged, SftpLoginRefused) as refusal:
            self._refusal = refusal
            raise
        else:
            with self._changed:
                self._open[transport] = 0
        finally:
            with self._changed:
                self._is_logging_in = False
                self._changed.notify_all()

    def _opened(self, transport: paramiko.Transport) -> SftpChannel | None:
        """A new session; None where the server gives this login no more of them than those that there are."""
        try:
            with self._access.watch(self._access.deadline_seconds, transport.close):
                opened = SftpChannel.from_transport(transport)
        except (*_NO_CLEAR_ANSWER, OSError) as error:
            if transport.is_active() and self._has_others(transport):
                return None
            raise self._without_session(transport) from error
        if not isinstance(opened, SftpChannel):
            raise self._without_session(transport)
        opened.get_channel().settimeout(self._access.deadline_seconds)  # type: ignore[union-attr]
        return opened

    def _has_others(self, transport: paramiko.Transport) -> bool:
        """Give the place back that was taken for a session; whether this transport has others, and no more are asked for then."""
        with self._changed:
            if self._open.get(transport, 0) < 2:
                return False
            self._open[transport] -= 1
            self._given[transport] = self._open[transport]
            self._changed.notify_all()
            return True

    def _without_session(self, transport: paramiko.Transport) -> SftpUnreachable:
        self._drop(transport)
        return SftpUnreachable(f"{self._access.name} accepted the login but opened no SFTP session.")

    def _give_back(self, channel: SftpChannel) -> None:
        with self._changed:
            self._idle.append(channel)
            self._changed.notify()

    def _drop(self, transport: paramiko.Transport) -> None:
        with self._changed:
            self._open.pop(transport, None)
            self._idle = [channel for channel in self._idle if channel.get_channel().get_transport() is not transport]  # type: ignore[union-attr]
            self._changed.notify_all()
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
