"""One SFTP session, whose answers are read within bounds: no odd name, no absurd count breaks it or keeps it busy."""

import stat
import struct
from dataclasses import dataclass

import paramiko
from paramiko.sftp import CMD_ATTRS, CMD_CLOSE, CMD_HANDLE, CMD_LSTAT, CMD_NAME, CMD_OPENDIR, CMD_READDIR, CMD_STAT

MOST_NAMES = 100_000
MOST_NAME_BYTES = 512
"""A longer name is cut: it is no plain name either way, and is only shown."""

_HAS_SIZE, _HAS_OWNERS, _HAS_MODE, _HAS_TIMES, _HAS_MORE = 0x1, 0x2, 0x4, 0x8, 0x80000000


@dataclass(frozen=True, slots=True)
class RemoteName:
    """An entry of a remote folder. `is_file` is false for folders, links, and whatever else is not a plain file.

    `modified` is the time of its last change in seconds since 1970, by the server's clock; None is what it does not say.
    """

    name: str
    size: int | None
    is_file: bool
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteAttributes:
    """What the server says of a file; None is what it does not say."""

    st_size: int | None
    st_mode: int | None
    st_mtime: int | None = None


class SftpChannel(paramiko.SFTPClient):
    """One SFTP session. Its listing never fails for a name that is not UTF-8: such a name comes with escaped bytes."""

    def entries(self, folder: str) -> list[RemoteName]:
        """The entries of a remote folder, at most MOST_NAMES."""
        kind, message = self._request(CMD_OPENDIR, folder.encode())  # type: ignore[attr-defined]  # the public listing decodes strictly
        if kind != CMD_HANDLE:
            raise paramiko.SFTPError("the server gave no handle for the folder")
        handle = message.get_binary()
        found: list[RemoteName] = []
        while len(found) < MOST_NAMES:
            try:
                kind, message = self._request(CMD_READDIR, handle)  # type: ignore[attr-defined]
            except EOFError:
                break
            if kind != CMD_NAME:
                raise paramiko.SFTPError("the server gave no names for the folder")
            answer = _Answer(message.get_remainder())
            for _ in range(min(answer.number(), MOST_NAMES - len(found))):
                name = answer.text()[:MOST_NAME_BYTES].decode("utf-8", "surrogateescape")
                answer.text()
                attributes = answer.attributes()
                plain = attributes.st_mode is None or stat.S_ISREG(attributes.st_mode)
                if name not in {".", ".."}:
                    found.append(RemoteName(name, attributes.st_size, plain, attributes.st_mtime))
        self._request(CMD_CLOSE, handle)  # type: ignore[attr-defined]
        return found

    def stat(self, path: str) -> RemoteAttributes:  # type: ignore[override]
        """What the server says of a file, following links."""
        return self._ask_about(CMD_STAT, path)

    def lstat(self, path: str) -> RemoteAttributes:  # type: ignore[override]
        """What the server says of a file or of a link itself."""
        return self._ask_about(CMD_LSTAT, path)

    def _ask_about(self, question: int, path: str) -> RemoteAttributes:
        kind, message = self._request(question, path.encode())  # type: ignore[attr-defined]
        if kind != CMD_ATTRS:
            raise paramiko.SFTPError("the server gave no attributes")
        return _Answer(message.get_remainder()).attributes()


class _Answer:
    """The bytes of one answer, read from the front; what is not there is an SFTPError, never zeros (SFTP version 3)."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def number(self) -> int:
        return int(struct.unpack(">I", self._take(4))[0])

    def text(self) -> bytes:
        return self._take(self.number())

    def attributes(self) -> RemoteAttributes:
        flags = self.number()
        size = int(struct.unpack(">Q", self._take(8))[0]) if flags & _HAS_SIZE else None
        if flags & _HAS_OWNERS:
            self._take(8)
        mode = self.number() if flags & _HAS_MODE else None
        modified = int(struct.unpack(">II", self._take(8))[1]) if flags & _HAS_TIMES else None
        for _ in range(2 * self.number() if flags & _HAS_MORE else 0):
            self.text()
        return RemoteAttributes(size, mode, modified)

    def _take(self, count: int) -> bytes:
        piece = self._content[self._at : self._at + count]
        if len(piece) < count:
            raise paramiko.SFTPError("the server's answer ends before its end")
        self._at += count
        return piece
