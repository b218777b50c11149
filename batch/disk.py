"""What the edges need of a disk: files that are private, whole and synced before they get their names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class NewFile(Protocol):
    """A file that is being written, from its beginning."""

    def write(self, content: bytes) -> None:
        """Add to its end."""
        ...

    def close(self) -> None:
        """Sync everything that was written to the disk, and close; closing again does nothing."""
        ...

    def abandon(self) -> None:
        """Close without a promise: the file is not wanted any more."""
        ...


class Disk(Protocol):
    """A disk as a run is given it. Whatever the operating system refuses is raised as OSError."""

    def make_folder(self, path: Path, mode: int) -> None:
        """Make a folder and those above it, with this mode, unless it is there."""
        ...

    def names(self, path: Path) -> Sequence[str]:
        """The names in a folder, sorted; none when there is no such folder."""
        ...

    def read(self, path: Path) -> bytes | None:
        """A file's content; None when there is no such file."""
        ...

    def sha256_of(self, path: Path) -> str | None:
        """The SHA-256 of a file in hex, read in pieces; None when there is no such file."""
        ...

    def create(self, path: Path, mode: int) -> NewFile:
        """Begin a new file with this mode, in place of one that has the name; never through a link."""
        ...

    def replace(self, old: Path, new: Path) -> None:
        """Give a file another name, over a file that has it."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder survive a power cut."""
        ...
