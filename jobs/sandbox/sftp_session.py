"""One SFTP session of the merchant: a small world of two folders, where faults strike on request (CONTRACT 6)."""

import os
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import asyncssh
from asyncssh.sftp import SFTPAttrs, SFTPName

from jobs.sandbox.faults import Faults
from jobs.sandbox.mailbox import Mailbox
from jobs.sandbox.sftp_faults import SftpCall
from jobs.sandbox.sftp_paths import PathRefused, inbound_name, place_of


@dataclass
class OpenFile:
    """A file that the client has open; `name` is set if it is being written in the inbound folder."""

    content: IO[bytes]
    name: str = ""
    appending: bool = False


class MerchantSession(asyncssh.SFTPServer):
    """What one SFTP session may do. Outbound is read-only; links and new folders are refused."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], root: Path, mailbox: Mailbox, faults: Faults) -> None:
        super().__init__(channel, chroot=os.fsencode(root))
        self._line = self.connection  # kept, since a closed channel no longer knows it
        self._mailbox = mailbox
        self._faults = faults

    def map_path(self, path: bytes) -> bytes:
        """The local path of a client's path; raises for one that leaves the folders."""
        place_of(path)
        return super().map_path(path)

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> OpenFile:
        """Open a file: any for reading, one in inbound for writing."""
        writing = bool(pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC))
        call = self._call("open", path, written=writing)
        name = inbound_name(path) if writing else ""
        await self._strike("open.before", call)
        if call.appending:
            pflags = (pflags & ~asyncssh.FXF_TRUNC) | asyncssh.FXF_APPEND
        attrs.permissions = 0o600
        opened = super().open(path, pflags, attrs)
        file = OpenFile(opened, name, appending=call.appending)  # type: ignore[arg-type]
        await self._strike("open.after", call)
        return file

    async def close(self, file_obj: object) -> None:
        """Close a file; a whole file written under its final name is noticed, as one renamed to it is."""
        file = _opened(file_obj)
        file.content.close()
        if file.name:
            self._mailbox.arrived(file.name)
        if self._is_cut():
            return
        await self._strike("close.after", self._call("close", written=bool(file.name)))

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read bytes at an offset."""
        file = _opened(file_obj)
        call = self._call("read", offset=offset)
        await self._strike("read.before", call)
        file.content.seek(offset)
        return file.content.read(size if call.most_bytes is None else min(size, call.most_bytes))

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write bytes at an offset."""
        file = _opened(file_obj)
        call = self._call("write", offset=offset, content=data)
        await self._strike("write.before", call)
        if call.cut_after_bytes is not None:
            data = data[: call.cut_after_bytes]
        file.content.seek(0 if file.appending else offset, os.SEEK_END if file.appending else os.SEEK_SET)
        file.content.write(data[: len(data) - call.drop_bytes])
        if call.cut_after_bytes is not None:
            call.cut()
        await self._strike("write.after", call)
        return len(data)

    async def stat(self, path: bytes) -> SFTPAttrs:
        """Attributes of a file or folder."""
        return await self._attributes(path, Path(os.fsdecode(self.map_path(path))).stat)

    async def lstat(self, path: bytes) -> SFTPAttrs:
        """The same as `stat`: there are no links."""
        return await self.stat(path)

    async def fstat(self, file_obj: object) -> SFTPAttrs:
        """Attributes of an open file."""
        file = _opened(file_obj)
        file.content.flush()
        return await self._attributes(b"", lambda: os.fstat(file.content.fileno()))

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """List a folder."""
        self._mailbox.catch_up()
        call = self._call("list", path)
        await self._strike("list.before", call)
        folder = Path(os.fsdecode(self.map_path(path)))
        there = {} if call.elsewhere else {os.fsencode(entry.name): entry.lstat() for entry in sorted(folder.iterdir())}
        for name in call.change_listing(sorted(there, key=lambda name: (there[name].st_mtime_ns, name))):
            yield SFTPName(name, attrs=SFTPAttrs.from_local(there[name]) if name in there else _made_up())

    async def remove(self, path: bytes) -> None:
        """Remove a file from the inbound folder."""
        inbound_name(path)
        call = self._call("remove", path)
        await self._strike("remove.before", call)
        super().remove(path)
        await self._strike("remove.after", call)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename inside inbound, never onto an existing name."""
        await self._rename(oldpath, newpath, overwrite=False)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename inside inbound, over an existing file if there is one (the OpenSSH extension)."""
        await self._rename(oldpath, newpath, overwrite=True)

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Take wishes about times and permissions of files in inbound, and ignore them."""
        inbound_name(path)

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """The same as `setstat`."""
        inbound_name(path)

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """Take wishes about an open file, and ignore them."""

    async def fsync(self, file_obj: object) -> None:
        """Flush a file to the disk."""
        os.fsync(_opened(file_obj).content.fileno())

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refuse: the account has its two folders."""
        raise PathRefused("folders cannot be made here")

    def rmdir(self, path: bytes) -> None:
        """Refuse: the account has its two folders."""
        raise PathRefused("folders cannot be removed here")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse links."""
        raise PathRefused("links cannot be made here")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse links."""
        raise PathRefused("links cannot be made here")

    def readlink(self, path: bytes) -> bytes:
        """Refuse links."""
        raise PathRefused("there are no links here")

    async def _attributes(self, path: bytes, look: Callable[[], os.stat_result]) -> SFTPAttrs:
        self._mailbox.catch_up()
        call = self._call("stat", path)
        await self._strike("stat.before", call)
        if call.elsewhere:
            raise FileNotFoundError(2, "no such file")
        found = look()
        attributes = SFTPAttrs.from_local(found)
        if not stat.S_ISDIR(found.st_mode):
            attributes.size = None if call.size_change is None else found.st_size + call.size_change
        return attributes

    async def _rename(self, oldpath: bytes, newpath: bytes, *, overwrite: bool) -> None:
        old_name, new_name = inbound_name(oldpath), inbound_name(newpath)
        call = self._call("rename", newpath)
        await self._strike("rename.before", call)
        folder = Path(os.fsdecode(self.map_path(b"inbound")))
        if call.taken_before:
            (folder / new_name).write_bytes(b"somebody else's file")
        if call.copied:
            self._copy_half(folder / old_name, folder / new_name)
        if not overwrite and (folder / new_name).exists():
            raise asyncssh.SFTPFailure("the new name exists already")
        (folder / old_name).replace(folder / new_name)
        self._faults.strike_now("rename.done", call)
        self._mailbox.arrived(new_name, at_once=call.at_once)
        await self._strike("rename.after", call)

    def _copy_half(self, old: Path, new: Path) -> None:
        content = old.read_bytes()
        new.write_bytes(content[: len(content) // 2])
        self._cut()

    def _call(self, where: str, path: bytes = b"", **given: object) -> SftpCall:
        call = SftpCall(where=where, path=path.decode("utf-8", "replace"), cut=self._cut, gone=self._gone)
        call.half_close = self._half_close
        for name, value in given.items():
            setattr(call, name, value)
        return call

    async def _strike(self, point: str, call: SftpCall) -> None:
        if self._is_cut():
            raise ConnectionResetError
        moment = point.rpartition(".")[2]
        await self._faults.strike(f"any.{moment}", call)
        await self._faults.strike(point, call)

    def _is_cut(self) -> bool:
        # requests that arrived before the cut are still in the reader's buffer, and must not be carried out
        return self._line.get_extra_info("is_cut") is True

    def _cut(self) -> None:
        self._line.set_extra_info(is_cut=True)
        self._line.abort()
        raise ConnectionResetError

    def _half_close(self) -> None:
        self._line.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def _gone(self) -> None:
        await self._line.wait_closed()
        raise ConnectionResetError


def _made_up() -> SFTPAttrs:
    now = int(time.time())
    return SFTPAttrs(permissions=stat.S_IFREG | 0o600, size=100, atime=now, mtime=now)


def _opened(file_obj: object) -> OpenFile:
    if not isinstance(file_obj, OpenFile):
        message = "not an open file"
        raise TypeError(message)
    return file_obj
