"""A disk that remembers what was synced, and what it may hold when the power is cut now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from random import Random

from tests.power.record import Effect

SECTOR = 512
MODELS = ("ordered", "single")
"""How a file system keeps names: in one order, or each by itself. See the package's own words."""


@dataclass(frozen=True)
class Change:
    """A write (`content` at `offset`) or, without content, a truncation to `offset`, that was not synced yet."""

    offset: int
    content: bytes | None


@dataclass
class File:
    """One file: its content now, at its last sync, and what was done to it since."""

    now: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    since: list[Change] = field(default_factory=list)
    grown_at: int = 0

    def do(self, change: Change) -> None:
        """Change it, unsynced."""
        _apply(self.now, change)
        self.since.append(change)

    def sync(self) -> None:
        """Secure its content."""
        if self.since:
            self.safe, self.since = bytes(self.now), []

    def survivor(self, chance: Random) -> bytes:
        """What it may hold after a cut: the synced content with a subset of what came later, the last one torn."""
        keep = chance.choice((0.0, 0.3, 0.7, 1.0, -1.0))
        kept = self.since[: chance.randint(0, len(self.since))] if keep < 0 else []
        kept = kept or [change for change in self.since if chance.random() < keep]
        content = bytearray(self.safe)
        for change in kept[:-1]:
            _apply(content, change)
        for change in kept[-1:]:
            _apply(content, _torn(change, chance))
        if self.since and len(self.now) > len(content) and chance.random() < 0.2:
            content.extend(bytes(len(self.now) - len(content)))
        return bytes(content)


def _apply(content: bytearray, change: Change) -> None:
    if change.content is None:
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + len(change.content)] = change.content


def _torn(change: Change, chance: Random) -> Change:
    if change.content is None or chance.random() < 0.5:
        return change
    first = SECTOR - change.offset % SECTOR
    return Change(change.offset, change.content[: chance.choice(range(first, len(change.content) + first, SECTOR))])


@dataclass
class Naming:
    """One change of names: "made", "folder", "renamed" (from `old`), "removed"."""

    kind: str
    path: str
    file: File | None
    old: str = ""
    safe: bool = False


class Disk:
    """What a record's effects make of a folder, given as its files by relative path; all of these are safe."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.names = {path: File(bytearray(content), content) for path, content in files.items()}
        self.versions: dict[str, set[bytes]] = {}
        self._base = dict(self.names)
        self._namings: list[Naming] = []
        self._inodes: dict[int, File] = {}
        self._secured = 0

    def do(self, effect: Effect) -> None:
        """Let one effect of the record happen."""
        if effect.kind in "CO":
            self._opened(effect)
        elif effect.kind == "W":
            self._change(effect.inode, Change(effect.number, effect.content))
        elif effect.kind == "T":
            self._change(effect.inode, Change(effect.number, None))
        elif effect.kind == "S":
            self._sync(effect)
        elif effect.kind == "R":
            self._renamed(effect.path, effect.content.decode())
        elif effect.kind == "U":
            self._namings.append(Naming("removed", effect.path, self.names.pop(effect.path, None)))
        elif effect.kind == "D":
            self._namings.append(Naming("folder", effect.path, None))

    def files(self) -> dict[str, bytes]:
        """What a program that runs on sees."""
        return {path: bytes(file.now) for path, file in self.names.items()}

    def survivors(self, chance: Random, model: str) -> dict[str, bytes]:
        """What the disk may hold if the power is cut now."""
        names = dict(self._base)
        for naming in self._surviving(chance, model):
            if naming.kind == "removed" and names.get(naming.path) is naming.file:
                names.pop(naming.path, None)
            elif naming.kind in {"made", "renamed"} and naming.file is not None:
                if names.get(naming.old) is naming.file:
                    del names[naming.old]
                names[naming.path] = naming.file
        return {path: file.survivor(chance) for path, file in sorted(names.items()) if not path.endswith("-shm")}

    def _opened(self, effect: Effect) -> None:
        if effect.kind == "C":
            self.names[effect.path] = self._inodes[effect.inode] = File()
            self._namings.append(Naming("made", effect.path, self._inodes[effect.inode]))
        elif effect.path in self.names:
            self._inodes[effect.inode] = self.names[effect.path]

    def _change(self, inode: int, change: Change) -> None:
        file = self._inodes[inode]
        before = len(file.now)
        file.do(change)
        if len(file.now) != before:
            file.grown_at = len(self._namings)

    def _sync(self, effect: Effect) -> None:
        file = self._inodes.get(effect.inode) if effect.path in self.names or effect.path.endswith(" (deleted)") else None
        for number, naming in enumerate(self._namings, start=1):
            secured = naming.file is file if file is not None else _parent(naming.path) == effect.path
            above = naming.kind == "folder" and f"{effect.path}/".startswith(f"{naming.path}/")
            if secured or above:
                naming.safe = True
                self._secured = max(self._secured, number)
        if file is not None:
            self._secured = max(self._secured, file.grown_at if file.since else 0)
            file.sync()

    def _renamed(self, old: str, new: str) -> None:
        file = self.names.pop(old)
        self.names[new] = file
        self.versions.setdefault(new, set()).add(bytes(file.now))
        self._namings.append(Naming("renamed", new, file, old))

    def _surviving(self, chance: Random, model: str) -> list[Naming]:
        if model == "ordered":
            least, most = self._secured, len(self._namings)
            return self._namings[: chance.choice((least, most, chance.randint(least, most)))]
        keep = chance.choice((0.0, 0.5, 1.0))
        return [naming for naming in self._namings if naming.safe or chance.random() < keep]


def _parent(path: str) -> str:
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent
