"""The world's disk: what was not synced before a power cut is gone, and every touch is a point.

The model: a file's content survives a cut once it was closed (which syncs it); a name, new or replaced or removed,
survives once its folder was synced. A cut keeps or loses each unsynced name by the dice.
"""

import errno
import hashlib
import os
import random
import re
from collections.abc import Sequence
from pathlib import Path

from tests.world.points import Moment, Points

_WRITER = re.compile(r"\.[0-9a-f]{12}(?=\.new\Z)")
"""Whose draft a file is: the beginning of a run's id."""


def _is_view(path: Path) -> bool:
    """Whether a path is the metrics' folder or in it: everybody may read that, and no run ever does.

    So nothing can follow from where its writing was cut off, and its touches are no points of a schedule.
    """
    return "metrics" in (path.name, path.parent.name)


class _File:
    def __init__(self, disk: "WorldDisk", path: Path) -> None:
        self._disk, self._path = disk, path
        self._label = f"write {disk.shown(path)}"
        self._is_point = not _is_view(path)
        self._content = bytearray()
        self._open = True

    def write(self, content: bytes) -> None:
        self._disk.cross_unless_full(self._label, is_point=self._is_point)
        self._content += content
        self._disk.there[self._path] = bytes(self._content)

    def close(self) -> None:
        if not self._open:
            return
        label = f"sync {self._disk.shown(self._path)}"
        self._disk.cross(label, "before", is_point=self._is_point)
        self._open = False
        self._disk.synced.add(bytes(self._content))
        self._disk.cross(label, "after", is_point=self._is_point)

    def abandon(self) -> None:
        self._open = False


class WorldDisk:
    """`Disk` in memory. `there` is what a running program sees, `kept` what a power cut leaves for sure."""

    def __init__(self, root: Path, points: Points) -> None:
        self.root, self.points = root, points
        self.there: dict[Path, bytes] = {}
        self.kept: dict[Path, bytes] = {}
        self.synced: set[bytes] = set()
        self._ours: set[str] = set()
        self.full = False
        self.refused = 0

    def make_folder(self, path: Path, mode: int) -> None:
        """Folders are there when something is in them."""
        self.touch(f"folder {self.shown(path)}", path)

    def names(self, path: Path) -> Sequence[str]:
        """The names in a folder, sorted."""
        above = f"{path}{os.sep}"
        return sorted({text[len(above) :].partition(os.sep)[0] for each in self.there if (text := str(each)).startswith(above)})

    def read(self, path: Path) -> bytes | None:
        """A file's content."""
        return self.there.get(path)

    def sha256_of(self, path: Path) -> str | None:
        """A file's SHA-256."""
        content = self.there.get(path)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def create(self, path: Path, mode: int) -> _File:
        """Begin a file; none may be readable by all."""
        assert mode & 0o007 == 0 or _is_view(path), f"I18: {path} would be readable by everybody"
        self.touch(f"create {self.shown(path)}", path)
        self.there[path] = b""
        return _File(self, path)

    def replace(self, old: Path, new: Path) -> None:
        """Rename over. Raises FileNotFoundError when another run took the file away."""
        self.cross(f"replace {self.shown(new)}", "before", is_point=not _is_view(new))
        if old not in self.there:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(old))
        self.there[new] = self.there.pop(old)
        self.cross(f"replace {self.shown(new)}", "after", is_point=not _is_view(new))

    def remove(self, path: Path) -> None:
        """Remove, if there."""
        if path in self.there:
            self.cross(f"remove {self.shown(path)}", "before", is_point=not _is_view(path))
            self.there.pop(path, None)  # another run may have been quicker

    def sync_folder(self, path: Path) -> None:
        """Keep the folder's names as they are now."""
        self.points.cross(f"sync folder {self.shown(path)}", "before")
        folder = str(path)
        mine = {each: content for each, content in self.there.items() if str(each).rpartition(os.sep)[0] == folder}
        self.kept = {each: content for each, content in self.kept.items() if str(each).rpartition(os.sep)[0] != folder} | mine

    def power_cut(self, chance: random.Random) -> None:
        """Forget what was not synced: each changed name by the dice, and what was never synced of a content in any case."""
        left = dict(self.kept)
        for path in sorted(self.there.keys() | self.kept.keys()):
            if self.there.get(path) != self.kept.get(path) and chance.random() < 0.5:
                content = self.there.get(path)
                left.pop(path, None)
                if content is not None:
                    left[path] = content if content in self.synced else content[: chance.randrange(len(content) + 1)]
        self.there, self.kept = left, dict(left)

    def touch(self, what: str, path: Path) -> None:
        """A point before something new is written. Raises OSError when the disk is full, or the place not ours: that is told."""
        if str(path) not in self._ours:
            if not path.is_relative_to(self.root) or ".." in path.parts:
                self.points.witness.breaches.append(f"I24: {path} lies outside {self.root}")
                raise OSError(errno.EACCES, "Permission denied")
            self._ours.add(str(path))
        self.cross_unless_full(what, is_point=not _is_view(path))

    def cross(self, what: str, moment: Moment, *, is_point: bool) -> None:
        """A point, unless it is one of a view that nothing is decided by."""
        if is_point:
            self.points.cross(what, moment)

    def cross_unless_full(self, what: str, *, is_point: bool = True) -> None:
        """The point before something new is written into a place that is ours. Raises OSError when the disk is full."""
        self.cross(what, "before", is_point=is_point)
        if self.full:
            self.refused += is_point
            raise OSError(errno.ENOSPC, "No space left on device")

    def shown(self, path: Path) -> str:
        """A path for labels: without what is random in it."""
        kind = path.name.split("_")[0] if path.suffix in {".csv", ".tmp"} and "_" in path.name else path.name
        return _WRITER.sub("", kind) or str(path)
