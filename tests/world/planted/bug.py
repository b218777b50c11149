"""What a planted bug is: one text of one file replaced, the invariant that it breaks, and where that shows."""

from dataclasses import dataclass
from pathlib import Path

from tests.world.schedule import Deed, Kind, Schedule

REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Happens:
    """An aim in the world: this schedule, as JSON, breaks the invariant when the bug is there, and nothing without it."""

    schedule: str

    @property
    def level(self) -> str:
        """Where it is judged."""
        return "world"


@dataclass(frozen=True)
class Fails:
    """An aim at another level: this very test fails. `words` must stand in what it says, where it judges several things.

    `copied` says that the test starts programs of its own, so that the bug is planted in a copy of the source.
    """

    node: str
    words: str = ""
    copied: bool = False

    @property
    def level(self) -> str:
        """The folder of the test."""
        return self.node.split("/")[1]


@dataclass(frozen=True)
class Planted:
    """One bug: what it does, where, the text that is replaced (it stands there exactly once), who notices, and where.

    `hunted` says that fresh seeds find it as well, without an aim.
    """

    slug: str
    does: str
    file: str
    old: str
    new: str
    invariant: str
    aim: Happens | Fails
    hunted: bool = False

    def patched(self, root: Path = REPOSITORY) -> str:
        """The file's text with the bug in it. Raises ValueError for a bug that no longer fits."""
        text = (root / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1 or self.old == self.new:
            message = f"{self.slug}: its text stands {text.count(self.old)} times in {self.file}"
            raise ValueError(message)
        return text.replace(self.old, self.new)


def quiet(seed: int = 1, orders: int = 4) -> Happens:
    """A schedule in which nothing goes wrong."""
    return Happens(Schedule(seed, orders, ()).as_json())


def when(kind: Kind, name: str = "", at: int = 0, run: int = 0, *, seed: int = 1, label: str = "") -> Happens:
    """A schedule in which one thing goes wrong."""
    return Happens(Schedule(seed, 4, (Deed(kind, run, at, name, label),)).as_json())
