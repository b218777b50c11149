"""The exported CSV that is kept: one file per batch, the rows as they were sent, without the token; readable by us alone."""

import os
from pathlib import Path


class ExportFolder:
    """Where the exported CSV files lie, by business date. Files are written whole, synced, and then named."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path_of(self, business_date: str, batch_id: str, kind: str) -> Path:
        """Where the CSV of a batch lies."""
        return self._root / business_date / f"{kind}_{batch_id}.csv"

    def write(self, business_date: str, batch_id: str, kind: str, content: bytes) -> Path:
        """Keep the CSV of a batch with mode 0600; the same content is left as it is."""
        path = self.path_of(business_date, batch_id, kind)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.is_file() and path.read_bytes() == content:
            return path
        temporary = path.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        return path
