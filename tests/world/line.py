"""The network to the provider's SFTP server, without SSH: real SFTP packets in memory, a real SFTP server at the other end.

paramiko's client speaks to paramiko's server over two buffers. Everything above the packets is the production code.
"""

import errno
import functools
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from paramiko.sftp import CMD_INIT, CMD_NAMES, CMD_VERSION, SFTP_OK

from jobs.sandbox import Sandbox
from jobs.sandbox.sftp_faults import ConnectCall, SftpCall
from jobs.sandbox.sftp_paths import inbound_name, place_of
from tests.world.points import Points

Given = TypeVar("Given")

CHANGING = {"open", "write", "close", "remove", "rename"}


class LineCut(Exception):
    """The line is gone in the midst of a request."""


class Stalled(Exception):
    """No answer comes, ever."""


def drive(work: Coroutine[Any, Any, None]) -> None:
    """Run what a fault does; none of those that are used here waits for anything but the line."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("a fault waits for something that this world does not have")


async def _never() -> None:
    raise Stalled


@functools.cache
def public_key(name: str) -> paramiko.PKey:
    """A host key that is the same in every run of every world."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    message = paramiko.Message()
    message.add_string(b"ssh-ed25519")
    message.add_string(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    return paramiko.Ed25519Key(data=message.asbytes())


class _Folders(paramiko.SFTPServerInterface):
    """The provider's two folders, with the sandbox's faults at each request."""

    def __init__(self, server: paramiko.ServerInterface, sandbox: Sandbox, points: Points) -> None:
        super().__init__(server)
        self.sandbox, self.witness = sandbox, points.witness

    def strike(self, point: str, where: str, path: str = "", **given: object) -> SftpCall:
        """Let the faults that are due at this point strike; what they change is in the call."""
        call = SftpCall(where=where, path=path, cut=_cut, gone=_never)
        for name, value in given.items():
            setattr(call, name, value)
        if not self.sandbox.faults._armed:
            return call
        moment = point.rpartition(".")[2]
        drive(self.sandbox.faults.strike(f"any.{moment}", call))
        drive(self.sandbox.faults.strike(point, call))
        return call

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        """A folder's files by name."""

        def work() -> list[paramiko.SFTPAttributes]:
            self.sandbox._mailbox.catch_up()
            call = self.strike("list.before", "list", path)
            folder = self.sandbox.folder / "sftp" / place_of(path.encode())[0]
            there = {} if call.elsewhere else {each.name.encode(): each for each in sorted(folder.iterdir())}
            shown = []
            for name in call.change_listing(sorted(there)):
                entry = paramiko.SFTPAttributes()
                entry.st_size, entry.st_mode = (there[name].lstat().st_size if name in there else 100), 0o100600
                if name in there:
                    entry.st_mode = there[name].lstat().st_mode
                entry.filename = name.decode("utf-8", "surrogateescape")
                shown.append(entry)
            return shown

        return self._answered(work)

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        """A file's attributes."""

        def work() -> paramiko.SFTPAttributes:
            self.sandbox._mailbox.catch_up()
            call = self.strike("stat.before", "stat", path)
            folder, name = place_of(path.encode())
            if call.elsewhere:
                raise FileNotFoundError(2, "no such file")
            found = (self.sandbox.folder / "sftp" / folder / name).lstat()
            entry = paramiko.SFTPAttributes()
            entry.st_mode = found.st_mode
            if call.size_change is not None:
                entry.st_size = found.st_size + call.size_change
            return entry

        return self._answered(work)

    stat = lstat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> "_OpenFile | int":
        """Open a file."""
        return self._answered(lambda: _OpenFile(self, path, flags))

    def remove(self, path: str) -> int:
        """Remove a file."""

        def work() -> int:
            self.witness.touches("remove", path)
            name = inbound_name(path.encode())
            self.strike("remove.before", "remove", path)
            (self.sandbox.inbound / name).unlink()
            self.witness.removed(name.removesuffix(".part"))
            self.strike("remove.after", "remove", path)
            return SFTP_OK

        return self._answered(work)

    def rename(self, oldpath: str, newpath: str) -> int:
        """Rename inside inbound, never onto an existing name."""

        def work() -> int:
            self.witness.touches("rename", f"{oldpath} {newpath}")
            old, new = (self.sandbox.inbound / inbound_name(path.encode()) for path in (oldpath, newpath))
            self.witness.sends_bytes("rename", new.name, old.read_bytes() if old.exists() else b"")
            call = self.strike("rename.before", "rename", newpath)
            if call.taken_before:
                new.write_bytes(b"somebody else's file")
            if call.copied:
                new.write_bytes(old.read_bytes()[: old.stat().st_size // 2])
                raise LineCut
            if new.exists():
                raise OSError(errno.EEXIST, "the new name exists already")
            old.replace(new)
            self.sandbox.faults.strike_now("rename.done", call)
            self.sandbox._mailbox.arrived(new.name, at_once=call.at_once)
            self.strike("rename.after", "rename", newpath)
            return SFTP_OK

        return self._answered(work)

    def _answered(self, work: Callable[[], Given]) -> Given | int:
        try:
            return work()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)


def _cut() -> None:
    raise LineCut


class _OpenFile(paramiko.SFTPHandle):
    """One open file of the provider's folders."""

    def __init__(self, folders: _Folders, path: str, flags: int) -> None:
        super().__init__(flags)
        folder, name = place_of(path.encode())
        self._folders = folders
        self._path = folders.sandbox.folder / "sftp" / folder / name
        self._written = bool(flags & 3)
        folders.witness.touches("write" if self._written else "read", path)
        if self._written:
            inbound_name(path.encode())
            folders.witness.sends_bytes("open", name.removesuffix(".part"), b"", creates=bool(flags & 0o100))
        call = folders.strike("open.before", "open", path, written=self._written)
        self._appending = call.appending
        is_new = flags & 0o100 and (flags & 0o200 or not self._path.exists())
        if flags & 0o200 and self._path.exists():
            raise FileExistsError(errno.EEXIST, "it is there")
        if not is_new and not self._path.is_file():
            raise FileNotFoundError(2, "no such file")
        self._content = bytearray(b"" if is_new else self._path.read_bytes())
        if not self._written:
            folders.witness.reads(name, bytes(self._content))
        if is_new:
            self._save()
        folders.strike("open.after", "open", path, written=self._written)

    def _save(self) -> None:
        if self._path.exists() or not self._content:
            self._path.write_bytes(bytes(self._content))

    def read(self, offset: int, length: int) -> Any:  # noqa: ANN401 - bytes or an error number
        """Bytes at an offset."""
        call = self._folders.strike("read.before", "read", offset=offset)
        return bytes(self._content[offset : offset + (length if call.most_bytes is None else min(length, call.most_bytes))])

    def write(self, offset: int, data: bytes) -> int:  # type: ignore[override]
        """Put bytes at an offset, or at the end on a server that appends."""
        if offset == 0:
            self._folders.witness.sends_bytes("write", self._path.name.removesuffix(".part"), data)
        try:
            call = self._folders.strike("write.before", "write", offset=offset, content=data)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)
        if call.cut_after_bytes is not None:
            data = data[: call.cut_after_bytes]
        kept = data[: len(data) - call.drop_bytes]
        at = len(self._content) if self._appending else offset
        self._content[at : at + len(kept)] = kept
        self._save()
        if call.cut_after_bytes is not None:
            raise LineCut
        self._folders.strike("write.after", "write", offset=offset, content=data)
        return SFTP_OK

    def stat(self) -> Any:  # noqa: ANN401 - attributes or an error number
        """Attributes of the open file."""
        return self._folders.lstat(f"/{self._path.parent.name}/{self._path.name}")

    def chattr(self, attr: paramiko.SFTPAttributes) -> int:
        """Cut the file, if that is asked; every other wish is ignored."""
        if attr.st_size is not None and not self._appending:
            del self._content[attr.st_size :]
            self._save()
        return SFTP_OK

    def close(self) -> None:
        """Close; a whole file written under its final name is noticed."""
        if not self._written:
            return
        self._folders.sandbox._mailbox.arrived(self._path.name)
        self._folders.strike("close.after", "close", written=True)


class _Server(paramiko.SFTPServer):
    """paramiko's server, fed by hand; what it sends goes back into the line."""

    def __init__(self, line: "Line", sandbox: Sandbox, points: Points) -> None:
        super().__init__(line, "sftp", None, _Folders, sandbox, points)  # type: ignore[arg-type]
        self.sock = line.back  # type: ignore[assignment]

    def _log(self, _level: int, _message: object) -> None:
        """Nobody reads this server's log."""

    def take(self, kind: int, message: paramiko.Message) -> None:
        """Answer one packet."""
        if kind == CMD_INIT:
            version = paramiko.Message()
            version.add_int(3)
            self._send_packet(CMD_VERSION, version)  # type: ignore[attr-defined]
            return
        self._process(kind, message.get_int(), message)  # type: ignore[attr-defined]


class _Back:
    """What the server sends: kept until the client reads it."""

    def __init__(self) -> None:
        self.content = bytearray()

    def send(self, content: bytes) -> int:
        """Add to what waits."""
        self.content += content
        return len(content)


class Line:
    """One SFTP session's channel as paramiko's client sees it, and the transport under it; both are one here."""

    def __init__(self, transport: "Transport", sandbox: Sandbox, points: Points) -> None:
        self._transport, self._points = transport, points
        self.back = _Back()
        self._there = bytearray()
        self._server = _Server(self, sandbox, points)

    def invoke_subsystem(self, _name: str) -> None:
        """The only subsystem is SFTP."""

    def get_transport(self) -> "Transport":
        """The transport that this session belongs to."""
        return self._transport

    def settimeout(self, _seconds: float) -> None:
        """Deadlines are the world's."""

    def get_name(self) -> str:
        """A name for logs."""
        return "world"

    def recv_ready(self) -> bool:
        """Whether an answer waits."""
        return bool(self.back.content)

    def close(self) -> None:
        """End of the session."""

    def send(self, content: bytes) -> int:
        """Take bytes of the client's; each whole packet is answered at once, unless the line breaks there."""
        if not self._transport.is_active():
            raise OSError("Socket is closed")
        self._there += content
        while len(self._there) >= 4 and len(self._there) >= 4 + int.from_bytes(self._there[:4], "big"):
            size = int.from_bytes(self._there[:4], "big")
            packet, self._there = bytes(self._there[4 : 4 + size]), self._there[4 + size :]
            self._one(packet[0], paramiko.Message(packet[1:]))
        return len(content)

    def _one(self, kind: int, message: paramiko.Message) -> None:
        name = CMD_NAMES[kind].lower()
        self._points.cross(f"SFTP {name}", "before")
        try:
            self._server.take(kind, message)
        except LineCut:
            self._transport.close()
        except Stalled:
            self._transport.stall()
        if name in CHANGING:
            self._points.cross(f"SFTP {name}", "asked")

    def recv(self, count: int) -> bytes:
        """What the server sent; nothing more on a line that is gone."""
        if not self._transport.is_active():
            return b""
        piece = bytes(self.back.content[:count])
        del self.back.content[:count]
        return piece


class Transport:
    """A connection: what paramiko's transport is to the production code, as far as that uses it."""

    def __init__(self, sandbox: Sandbox, points: Points, on_stall: Callable[[], None]) -> None:
        points.cross("SFTP connect", "before")
        self._sandbox, self._points, self._on_stall = sandbox, points, on_stall
        self.call = ConnectCall()
        sandbox.faults.strike_now("connect", self.call)
        if self.call.closed:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        self._active = True
        self.key_types: tuple[str, ...] = ("ssh-ed25519",)

    def get_security_options(self) -> "Transport":
        """Key types are asked of and set on this very object."""
        return self

    def start_client(self, timeout: float) -> None:
        """The handshake."""
        if self.call.weak or self.call.too_many:
            raise paramiko.SSHException("the handshake failed")

    def get_remote_server_key(self) -> paramiko.PKey:
        """The host key that the server shows."""
        return public_key("another host" if self.call.other_key else "the provider")

    def auth_publickey(self, _username: str, _key: paramiko.PKey) -> None:
        """The login."""
        if self.call.other_key:
            self._points.witness.breaches.append("I21: a login was sent to a server with another host key")
        if self.call.login_refused:
            raise paramiko.AuthenticationException("refused")

    def open_session(self, **_sizes: int) -> Line:
        """A new session."""
        return Line(self, self._sandbox, self._points)

    def get_hexdump(self) -> bool:
        """No dumps."""
        return False

    def get_log_channel(self) -> str:
        """Where paramiko's server would log."""
        return "world"

    def is_active(self) -> bool:
        """Whether the line still stands."""
        return self._active

    def stall(self) -> None:
        """No answer comes: the deadline passes, and whoever waits gives up."""
        self._on_stall()
        self._active = False

    def close(self) -> None:
        """The end of the line."""
        self._active = False
