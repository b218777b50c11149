"""The exported CSV that is kept: one file per batch, the rows as they were sent, without the token; readable by us alone."""

from pathlib import Path

from batch.disk import Disk
from schemas.errors import FileNotWritten


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
