"""The provider's SFTP folders: write a part, prove that it is whole, rename it, look what is there, fetch answers.

Nothing here decides: every method says what the server answered, raises SftpLost for no clear answer, SftpRefused for no.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Protocol

import paramiko

from batch.sftp_channel import RemoteName, SftpChannel
from batch.sftp_connection import SftpConnections
from schemas.errors import SftpRefused

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_BLOCK = 32768


class ProviderFolder(Protocol):
    """What the flows need of the provider's SFTP server."""

    def write_part(self, name: str, content: bytes) -> None:
        """Write a new part, removing an older one, and prove that it is whole."""
        ...

    def rewrite_part(self, name: str, content: bytes, on_proof: Callable[[], None]) -> None:
        """Replace the content of a part that is still there; `on_proof` runs once it is in hand and before it changes."""
        ...

    def size_of(self, name: str) -> int | None:
        """The size of a file in the inbound folder; None when the server says that it is not there."""
        ...

    def publish(self, part: str, name: str) -> None:
        """Rename a part to its final name, never over another file."""
        ...

    def sha256_of(self, name: str, limit: int) -> str | None:
        """The SHA-256 of a file in the inbound folder, in hex; None when it is not there or is larger than `limit`."""
        ...

    def answers(self) -> list[RemoteName]:
        """What the outbound folder shows now."""
        ...

    def fetch(self, name: str, limit: int) -> bytes | None:
        """An outbound file's content; None when it is gone or larger than `limit` bytes."""
        ...


class SftpFolder:
    """`ProviderFolder` over SSH. `beat` is told of each block that goes or comes, so that a long file differs from a hang."""

    def __init__(
        self, connections: SftpConnections, *, inbound: str, outbound: str, beat: Callable[[], None] = lambda: None
    ) -> None:
        self._connections = connections
        self._beat = beat
        self._inbound = inbound.rstrip("/")
        self._outbound = outbound.rstrip("/")

    def write_part(self, name: str, content: bytes) -> None:
        """Write a new part. The file is created exclusively, so that bytes of an older part cannot stay inside it.

        A size that does not fit is written once more from the start; after that it is refused.
        """
        path = self._in(name)
        for last_try in (False, True):
            with self._connections.step(f"write {name}") as channel:
                _remove_if_there(channel, path)
                self._write_new(channel, path, content)
                if _is_whole(channel, path, content):
                    return
                _remove_if_there(channel, path)
            if last_try:
                raise SftpRefused(f"The server did not keep {name} as it was sent ({len(content)} bytes); the part was removed.")

    def rewrite_part(self, name: str, content: bytes, on_proof: Callable[[], None]) -> None:
        """Replace a part in place. Opening it without leave to create proves that it is there and was never renamed.

        On a server that appends, the part is removed, which must succeed, and written anew: removing it is the same proof.
        """
        path = self._in(name)
        with self._connections.step(f"rewrite {name}") as channel:
            with channel.open(path, "r+") as part:
                on_proof()
                part.truncate(0)
                part.seek(0)
                self._write(part, content)
            if _is_whole(channel, path, content):
                return
            channel.remove(path)
            self._write_new(channel, path, content)
            if not _is_whole(channel, path, content):
                raise SftpRefused(f"The server did not keep {name} as it was sent ({len(content)} bytes).")

    def size_of(self, name: str) -> int | None:
        """Ask for one file by name. A size that the server does not tell counts as -1: the file is there."""
        try:
            with self._connections.step(f"look at {name}") as channel:
                size = channel.lstat(self._in(name)).st_size
        except SftpRefused as error:
            if error.absent:
                return None
            raise
        return -1 if size is None else size

    def publish(self, part: str, name: str) -> None:
        """Plain SFTP rename, which refuses to replace an existing file."""
        with self._connections.step(f"rename {part}") as channel:
            channel.rename(self._in(part), self._in(name))

    def sha256_of(self, name: str, limit: int) -> str | None:
        """Read an inbound file back and hash it."""
        content = self._read(self._in(name), name, limit)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def answers(self) -> list[RemoteName]:
        """List the outbound folder. Nothing may be concluded from a name that is missing."""
        with self._connections.step("list the outbound folder") as channel:
            return channel.entries(self._outbound)

    def fetch(self, name: str, limit: int) -> bytes | None:
        """Read an outbound file. Only plain names are asked for; a remote name never becomes a local path."""
        if not PLAIN_NAME.fullmatch(name):
            raise SftpRefused(f"The outbound name {name!r} is not a plain name.")
        return self._read(f"{self._outbound}/{name}", name, limit)

    def _in(self, name: str) -> str:
        return f"{self._inbound}/{name}"

    def _read(self, path: str, name: str, limit: int) -> bytes | None:
        try:
            with self._connections.step(f"read {name}") as channel, channel.open(path, "rb") as remote:
                content = self._up_to(remote, limit + 1)
        except SftpRefused as error:
            if error.absent:
                return None
            raise
        return None if len(content) > limit else content

    def _up_to(self, remote: paramiko.SFTPFile, most: int) -> bytes:
        pieces, left = [], most
        while piece := remote.read(min(left, _BLOCK)):
            pieces.append(piece)
            left -= len(piece)
            self._beat()
        return b"".join(pieces)

    def _write_new(self, channel: SftpChannel, path: str, content: bytes) -> None:
        with channel.open(path, "wx") as part:
            part.set_pipelined(True)
            self._write(part, content)
        self._beat()  # closing waits until the server has confirmed every block

    def _write(self, part: paramiko.SFTPFile, content: bytes) -> None:
        for start in range(0, len(content), _BLOCK):
            part.write(content[start : start + _BLOCK])
            self._beat()


def _remove_if_there(channel: SftpChannel, path: str) -> None:
    try:
        channel.remove(path)
    except FileNotFoundError:
        return


def _is_whole(channel: SftpChannel, path: str, content: bytes) -> bool:
    size = channel.stat(path).st_size
    if size is not None:
        return size == len(content)
    with channel.open(path, "rb") as part:
        return part.read(len(content) + 1) == content
