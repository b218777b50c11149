"""The machine's own disk, as runs are given it."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 20


class SyncedFile:
    """A file that is being written; `close` syncs it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, content: bytes) -> None:
        """Add to its end."""
        self._file.write(content)

    def close(self) -> None:
        """Sync everything that was written to the disk, and close; closing again does nothing."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def abandon(self) -> None:
        """Close without syncing."""
        self._file.close()


class MachineDisk:
    """`Disk` on the machine's file system."""

    def make_folder(self, path: Path, mode: int) -> None:
        """Make a folder and those above it, with this mode, unless it is there."""
        path.mkdir(mode=mode, parents=True, exist_ok=True)

    def names(self, path: Path) -> Sequence[str]:
        """The names in a folder, sorted; none when there is no such folder."""
        return sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []

    def read(self, path: Path) -> bytes | None:
        """A file's content; None when there is no such file."""
        return path.read_bytes() if path.is_file() else None

    def sha256_of(self, path: Path) -> str | None:
        """The SHA-256 of a file in hex, read in pieces; None when there is no such file."""
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def create(self, path: Path, mode: int) -> SyncedFile:
        """Begin a new file with this mode, in place of one that has the name; never through a link."""
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        return SyncedFile(os.fdopen(descriptor, "wb", buffering=_BLOCK))

    def replace(self, old: Path, new: Path) -> None:
        """Give a file another name, over a file that has it."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder survive a power cut."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
