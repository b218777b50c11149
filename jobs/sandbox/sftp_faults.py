"""Faults of the provider's SFTP server. `where` limits one to an operation: open, write, close, rename, list, stat, remove."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jobs.sandbox.faults import Call, fault


@dataclass
class ConnectCall(Call):
    """A new connection, before its first byte."""

    closed: bool = False
    other_key: bool = False
    login_refused: bool = False


@dataclass
class SftpCall(Call):
    """One request of a session: `cut` drops the connection, `gone` waits until the client has given up."""

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


def _denied() -> None:
    message = "refused on purpose"
    raise PermissionError(13, message)


@fault("connect")
def refuse_connection(call: ConnectCall) -> None:
    """The connection is closed before a word is said."""
    call.closed = True


@fault("connect")
def other_host_key(call: ConnectCall) -> None:
    """The next connections see another host key."""
    call.other_key = True


@fault("connect")
def refuse_login(call: ConnectCall) -> None:
    """The right key is refused."""
    call.login_refused = True


@fault("write.before")
def refuse_write(call: SftpCall) -> None:
    """A write is answered with permission denied."""
    _denied()


@fault("rename.before")
def refuse_rename(call: SftpCall) -> None:
    """A rename is answered with permission denied, and does not happen."""
    _denied()


@fault("list.before")
def refuse_list(call: SftpCall) -> None:
    """A directory listing is answered with permission denied."""
    _denied()


@fault("rename.done")
def take_file_at_once(call: SftpCall) -> None:
    """The file is picked up and gone from inbound inside the rename."""
    call.at_once = True


def _reaches(call: SftpCall) -> bool:
    return call.after is None or call.offset + len(call.content) >= call.after


@fault("write.before", wants=_reaches)
def drop_connection_halfway(call: SftpCall) -> None:
    """The connection is cut once the file has `after` bytes, or half-way through the first write."""
    call.cut_after_bytes = len(call.content) // 2 if call.after is None else max(call.after - call.offset, 0)


@fault("rename.before")
def drop_before_rename(call: SftpCall) -> None:
    """The connection is cut on a rename that does not happen."""
    call.cut()


@fault("rename.after")
def drop_after_rename(call: SftpCall) -> None:
    """The rename happens, and the connection is cut before the reply."""
    call.cut()


@fault("close.after", wants=lambda call: call.written)
def drop_after_close(call: SftpCall) -> None:
    """A written file is closed, and the connection is cut before the reply."""
    call.cut()


@fault("open.before", wants=lambda call: call.written)
def append_instead_of_truncate(call: SftpCall) -> None:
    """A file that is opened for writing keeps its content, and every write goes to its end."""
    call.appending = True


@fault("stat.before")
def size_missing(call: SftpCall) -> None:
    """The attributes of a file do not say its size."""
    call.size_change = None


@fault("stat.before")
def wrong_size(call: SftpCall) -> None:
    """The attributes of a file say one byte more than it has."""
    call.size_change = 1


@fault("any.before")
async def stall(call: SftpCall) -> None:
    """No answer, and no effect, until the client gives up."""
    if call.gone is not None:
        await call.gone()


@fault("any.after")
async def stall_after(call: SftpCall) -> None:
    """The effect happens, and no answer comes until the client gives up."""
    if call.gone is not None:
        await call.gone()
