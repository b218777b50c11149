"""Folders in memory, where the machine has such a place: what is synced there need not wait for a disk."""

import atexit
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - only private folders are made in it


def in_memory(room: int = 0, *, place: Path = IN_MEMORY) -> Path | None:
    """The place in memory if we may write there, it has so many bytes of room and lets programs run; else None."""
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    fits = found.f_bavail * found.f_frsize >= room and not found.f_flag & os.ST_NOEXEC
    return place if fits and os.access(place, os.W_OK) else None


def private_folder(name: str) -> Path:
    """A fresh folder for this process, in memory if it can be; it is gone when the process that made it has ended."""
    folder = Path(tempfile.mkdtemp(prefix=f"mitbatch-{name}-", dir=in_memory()))
    atexit.register(partial(_gone, folder, os.getpid()))
    return folder


def keep_bytecode() -> None:
    """Where nothing may be written beside the sources, modules are compiled into a folder of this process and those it starts.

    Else each command that a test starts compiles the program anew.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(private_folder("bytecode"))


def _gone(folder: Path, maker: int) -> None:
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)
