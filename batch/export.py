"""The exported CSV that is kept for a time: one file per batch, the rows as they were sent; readable by us alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from batch.disk import Disk
from schemas.errors import FileNotWritten

_DATE, _NAME = re.compile(r"\d{4}-\d{2}-\d{2}"), re.compile(r"(?:evaluate|transmit)_([0-9a-f]+)\.csv")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the folder, and the batch whose rows it has."""

    path: Path
    batch_id: str


class ExportFolder:
    """Where the exported CSV files lie, by business date. Files are written whole, synced, and then named."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root = root
        self._disk = disk

    def path_of(self, business_date: str, batch_id: str, kind: str) -> Path:
        """Where the CSV of a batch lies."""
        return self._root / business_date / f"{kind}_{batch_id}.csv"

    def write(self, business_date: str, batch_id: str, kind: str, content: bytes) -> Path:
        """Keep the CSV of a batch with mode 0600; the same content is left as it is. Raises FileNotWritten."""
        path = self.path_of(business_date, batch_id, kind)
        try:
            self._write(path, content)
        except OSError as error:
            raise FileNotWritten(f"The export {path.name} could not be written ({error.strerror or error}).") from error
        return path

    def up_to(self, business_date: str) -> Iterator[Kept]:
        """The files of this business date and of every one before it, oldest first."""
        for day in self._disk.names(self._root):
            if _DATE.fullmatch(day) and day <= business_date:
                for name in self._disk.names(self._root / day):
                    if found := _NAME.fullmatch(name):
                        yield Kept(self._root / day / name, found[1])

    def forget(self, kept: Kept) -> None:
        """Remove a file for good. Raises FileNotWritten."""
        try:
            self._disk.remove(kept.path)
            self._disk.sync_folder(kept.path.parent)
        except OSError as error:
            raise FileNotWritten(f"The export {kept.path.name} could not be removed ({error.strerror or error}).") from error

    def _write(self, path: Path, content: bytes) -> None:
        if self._disk.read(path) == content:
            return
        self._disk.make_folder(self._root, 0o700)
        self._disk.make_folder(path.parent, 0o700)
        temporary = path.with_suffix(".tmp")
        file = self._disk.create(temporary, 0o600)
        try:
            file.write(content)
            file.close()
        finally:
            file.abandon()
        self._disk.replace(temporary, path)
        self._disk.sync_folder(path.parent)
