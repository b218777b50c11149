"""What a round has made and not removed yet, written down before it is made: a round that is killed leaves nothing for ever.

In the folder of each round lies `unfinished.txt`, locked as long as the round lives; the system lets the lock go when the
process ends, however it ends. Each line is one account's, synced before its scratch table and scratch folder are made. So whoever
gets the lock of such a file looks at a round that is dead, and removes what its lines name:

* killed before the file has its name: nothing was made; before a line: nothing of that account was;
* killed after a line: what it names is there or not, and goes if it is;
* killed while that is removed: the lines stay until all of it is gone, and the next round goes on.

A round that ends by itself goes the same way, so what it could not remove stays written down as well.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

NAME = "unfinished.txt"
_LINE = re.compile(r"^([0-9a-f]{8}) (managed|sync) ?(.*)$", re.MULTILINE)
_SCRATCH = re.compile(r"(managed|sync)-\w+")

DropTable = Callable[[str, str, str], str]
"""Drop the scratch table of a run and mode in the database at this place; why it was left, or nothing."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The file of a round that is going on."""

    file: IO[str]

    def note(self, run: str, mode: str, place: str) -> None:
        """Write down, synced, that this account's scratch folder, and its table in the database at `place`, will be made."""
        self.file.write(f"{run} {mode} {place}\n")
        self.file.flush()
        os.fsync(self.file.fileno())


@dataclass
class Swept:
    """What was removed of rounds that were killed, and what could not be: sentences for people."""

    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@contextmanager
def unfinished(folder: Path, drop: DropTable) -> Iterator[Unfinished]:
    """The file of this round, held until it ends; it goes when everything that it names has gone."""
    part, path = folder / f".{NAME}.new", folder / NAME
    with open(part, "x+", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        part.rename(path)  # locked before anybody can find it
        try:
            yield Unfinished(file)
        finally:
            _remove(path, file, drop)


def dead_rounds(root: Path) -> list[Path]:
    """The folders of rounds that were killed and left something, oldest first."""
    return [path.parent for path in sorted(root.glob(f"*/{NAME}")) if _is_dead(path)]


def sweep(root: Path, drop: DropTable) -> Swept:
    """Remove what rounds that were killed left; those that are going on are not touched."""
    swept = Swept()
    for path in sorted(root.glob(f"*/{NAME}")):
        with suppress(OSError), path.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                continue  # somebody else was faster
            if left := _remove(path, file, drop):
                swept.left += left
            else:
                with suppress(OSError):  # a pack may lie in it
                    path.parent.rmdir()
                swept.removed.append(f"what the round of {path.parent.name} left when it was killed")
    return swept


def _remove(path: Path, file: IO[str], drop: DropTable) -> list[str]:
    """Remove what the lines name, then the file. What was left, each with why."""
    file.seek(0)
    left = [why for found in _LINE.finditer(file.read()) if (why := drop(*found.groups()))]
    for each in list(path.parent.iterdir()):
        if _SCRATCH.fullmatch(each.name) and each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
            left += [f"The folder {each} could not be removed: remove it by hand."] if each.exists() else []
    if not left:
        path.unlink()
    return left


def _is_dead(path: Path) -> bool:
    try:
        with path.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
