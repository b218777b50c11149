"""Faults of the provider's SFTP server.

`where` limits one to an operation: open, read, write, close, rename, list, stat, remove.
"""

import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jobs.sandbox.faults import Call, fault


@dataclass
class ConnectCall(Call):
    """A new connection, before its first byte."""

    closed: bool = False
    other_key: bool = False
    login_refused: bool = False
    weak: bool = False
    too_many: bool = False


@dataclass
class SftpCall(Call):
    """One request of a session: `cut` drops the connection, `gone` waits until the client has given up.

    `change_listing` takes a folder's names, oldest first, and returns those that are shown, in their order.
    """

    cut: Callable[[], None] = lambda: None
    gone: Callable[[], Awaitable[None]] | None = None
    path: str = ""
    appending: bool = False
    size_change: int | None = 0
    at_once: bool = False
    offset: int = 0
    content: bytes = b""
    cut_after_bytes: int | None = None
    written: bool = False
    half_close: Callable[[], None] = lambda: None
    elsewhere: bool = False
    change_listing: Callable[[list[bytes]], list[bytes]] = sorted
    most_bytes: int | None = None
    drop_bytes: int = 0
    taken_before: bool = False
    copied: bool = False


def denied() -> None:
    """Answer with permission denied."""
    message = "refused on purpose"
    raise PermissionError(13, message)


def _reaches(call: SftpCall) -> bool:
    return call.after is None or call.offset + len(call.content) >= call.after


@fault("connect")
def refuse_connection(call: ConnectCall) -> None:
    """The connection is closed before a word is said (N-01, N-17)."""
    call.closed = True


@fault("connect")
def other_host_key(call: ConnectCall) -> None:
    """The next connections see another host key (N-08)."""
    call.other_key = True


@fault("connect")
def refuse_login(call: ConnectCall) -> None:
    """The right key is refused (N-17)."""
    call.login_refused = True


@fault("connect")
def weak_algorithms(call: ConnectCall) -> None:
    """The server offers only a key exchange of 1024 bits with SHA-1, and CBC ciphers (N-09)."""
    call.weak = True


@fault("connect")
def too_many_sessions(call: ConnectCall) -> None:
    """The login is ended with the words "too many connections" (N-17)."""
    call.too_many = True


@fault("write.before")
def refuse_write(call: SftpCall) -> None:
    """A write is answered with permission denied (N-07)."""
    denied()


@fault("list.before")
def refuse_list(call: SftpCall) -> None:
    """A directory listing is answered with permission denied (N-07)."""
    denied()


@fault("remove.before")
def refuse_remove(call: SftpCall) -> None:
    """A removal is answered with permission denied, and does not happen (N-07)."""
    denied()


@fault("write.before", wants=_reaches)
def disk_full(call: SftpCall) -> None:
    """A write is answered with no space left once the file has `after` bytes (N-06)."""
    raise OSError(errno.ENOSPC, "no space left, on purpose")


@fault("write.before")
def short_write(call: SftpCall) -> None:
    """The second half of a write is lost, and the answer says that all is well (N-12)."""
    call.drop_bytes = len(call.content) // 2


@fault("write.before", wants=_reaches)
def drop_connection_halfway(call: SftpCall) -> None:
    """The connection is cut once the file has `after` bytes, or half-way through the first write (N-02)."""
    call.cut_after_bytes = len(call.content) // 2 if call.after is None else max(call.after - call.offset, 0)


@fault("close.after", wants=lambda call: call.written)
def drop_after_close(call: SftpCall) -> None:
    """A written file is closed, and the connection is cut before the reply (N-03)."""
    call.cut()


@fault("open.before", wants=lambda call: call.written)
def append_instead_of_truncate(call: SftpCall) -> None:
    """A file that is opened for writing keeps its content, and every write goes to its end (N-13)."""
    call.appending = True


@fault("stat.before")
def size_missing(call: SftpCall) -> None:
    """The attributes of a file do not say its size (N-12)."""
    call.size_change = None


@fault("stat.before")
def wrong_size(call: SftpCall) -> None:
    """The attributes of a file say one byte more than it has (N-12)."""
    call.size_change = 1


@fault("any.before")
async def stall(call: SftpCall) -> None:
    """No answer, and no effect, until the client gives up (N-10)."""
    if call.gone is not None:
        await call.gone()


@fault("any.after")
async def stall_after(call: SftpCall) -> None:
    """The effect happens, and no answer comes until the client gives up (N-10)."""
    if call.gone is not None:
        await call.gone()
