"""One SFTP session, with a listing that no odd name can break."""

import stat
from dataclasses import dataclass

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR
from paramiko.sftp_attr import SFTPAttributes

MOST_NAMES = 100_000


@dataclass(frozen=True, slots=True)
class RemoteName:
    """An entry of a remote folder. `is_file` is false for folders, links, and whatever else is not a plain file."""

    name: str
    size: int | None
    is_file: bool


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
            for _ in range(min(message.get_int(), MOST_NAMES - len(found))):
                if not message.get_remainder():
                    raise paramiko.SFTPError("the server promised more names than it gave")
                name, _long = message.get_binary().decode("utf-8", "surrogateescape"), message.get_binary()
                attributes = SFTPAttributes._from_msg(message, name, "")  # type: ignore[attr-defined]
                plain = attributes.st_mode is None or stat.S_ISREG(attributes.st_mode)
                if name not in {".", ".."}:
                    found.append(RemoteName(name, attributes.st_size, plain))
        self._request(CMD_CLOSE, handle)  # type: ignore[attr-defined]
        return found
