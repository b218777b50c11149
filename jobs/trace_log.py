"""The trace of an internal error, for whoever mends it: where it happened, and nothing of what was being worked on.

No values of variables, no message of a foreign exception (it may repeat a row), mode 0600.
"""

import traceback
from pathlib import Path

from batch.disk import Disk


def write_trace(disk: Disk, folder: Path, run_id: str, error: BaseException) -> Path:
    """Write the chain of exceptions as types and places, and return the file."""
    disk.make_folder(folder, 0o700)
    path = folder / f"internal-{run_id[:8]}.log"
    lines = []
    current: BaseException | None = error
    while current is not None:
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(current.__traceback__)]
        current = current.__cause__ or current.__context__
    file = disk.create(path, 0o600)
    file.write(("\n".join(lines) + "\n").encode())
    file.close()
    return path
