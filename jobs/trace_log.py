"""The trace of an internal error, for whoever mends it: where it happened, and nothing of what was being worked on.

No values of variables, no message of a foreign exception (it may repeat a row), mode 0600.
"""

import os
import traceback
from pathlib import Path


def write_trace(folder: Path, run_id: str, error: BaseException) -> Path:
    """Write the chain of exceptions as types and places, and return the file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"internal-{run_id[:8]}.log"
    lines = []
    current: BaseException | None = error
    while current is not None:
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(current.__traceback__)]
        current = current.__cause__ or current.__context__
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    return path
