"""What was recorded: jobs one after the other on one merchant's folder, and what the provider had at every moment of them."""

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.crash.merchant import PAID, SENDABLE, make_orders
from tests.crash.picture import Picture, take_picture
from tests.crash.provider import START
from tests.power.disk import Disk
from tests.power.provider import Provider
from tests.power.record import Effect, Recording, run_recorded

HOURS_LATER = 7200
STORIES = {"rescues": ("nightly", "poll"), "copies": ("transmit",)}
"""The jobs of each story, from the first use of an empty folder; two hours pass between two jobs."""


@dataclass(frozen=True)
class Received:
    """What the provider had at a moment: files that it took (name, Latin-1 text), files that lie in its inbound folder."""

    taken: list[list[str]]
    inbound: dict[str, str]

    def orders(self) -> set[str]:
        """Orders of which a line had come."""
        texts = [content for _, content in self.taken] + list(self.inbound.values())
        known = (*SENDABLE, *PAID)
        return {key for key in known if any(re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", text) for text in texts)}


@dataclass(frozen=True)
class Chapter:
    """One recorded job: the folder's files before it, and how many seconds after START it ran."""

    job: str
    before: dict[str, bytes]
    recording: Recording
    seconds: int

    def disk_at(self, cut: int) -> Disk:
        """The disk after so many effects."""
        disk = Disk(self.before)
        for effect in self.recording.effects[:cut]:
            disk.do(effect)
        return disk

    def moments(self, cut: int) -> tuple[int, int]:
        """The provider's states that are possible after so many effects, first and last.

        Between two changes of the disk several sendings may have left; whether the last of them arrived is open. Once the
        disk changes again, their answers were read.
        """
        effects = self.recording.effects
        sent = sum(effect.kind == "N" for effect in effects[:cut])
        return sent - _sendings(reversed(effects[:cut])), sent + (_sendings(effects[cut:]) if _leaves(effects[:cut]) else 0)


def _leaves(effects: Sequence[Effect]) -> bool:
    return _sendings(reversed(effects)) > 0


def _sendings(effects: Any) -> int:  # noqa: ANN401 - an iterable of effects, forwards or backwards
    count = 0
    for effect in effects:
        if effect.kind not in "NO":
            break
        count += effect.kind == "N"
    return count


class Story:
    """Recorded once for a provider; the cuts are made from it."""

    def __init__(self, name: str, folder: Path, provider: Provider, shim: Path) -> None:
        self.name, self.folder = name, folder
        self.provider = provider
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        one_file_at_a_time = "[sftp]\ntransports = 1\nchannels = 1\n"
        settings = provider.settings_toml.replace("[sftp]\n", one_file_at_a_time)
        (folder / "mitbatch.toml").write_text(settings, encoding="utf-8")
        make_orders(folder / "orders.db")
        provider.restore([], {}, 0)
        self.chapters: list[Chapter] = []
        for number, job in enumerate(STORIES[name]):
            seconds = number * HOURS_LATER
            self.chapters.append(self._record(job, seconds, shim))
            provider.advance(HOURS_LATER)
        self.end: Picture = take_picture(folder, provider.record())
        self.files = _files(folder)
        self._texts = self._all_texts()

    def received(self, chapter: Chapter, moment: int) -> Received:
        """What the provider had at a moment of a chapter."""
        state = chapter.recording.provider[moment]
        rows = [row for row in state["journal"] if row["event"] == "file_received"]
        taken = [[row["file"], self._texts[row["sha256"]]] for row in rows]
        return Received(taken, dict(state["inbound"]))

    def _record(self, job: str, seconds: int, shim: Path) -> Chapter:
        before = _files(self.folder)
        now = (START + timedelta(seconds=seconds)).isoformat()
        wanted = {"name": job, "now": now, "everything": job == "poll", "seed": f"{self.name} {job}"}
        recording = run_recorded(shim, self.folder, self.provider, wanted)
        chapter = Chapter(job, before, recording, seconds)
        seen, after = chapter.disk_at(len(recording.effects)).files(), _files(self.folder)
        missed = {path for path in seen | after if seen.get(path) != after.get(path)}
        assert not {path for path in missed if not path.endswith("-shm")}, f"the record of {job} is not whole: {missed}"
        assert recording.code in {0, 10}, f"{job} ended with {recording.code}"
        return chapter

    def _all_texts(self) -> dict[str, str]:
        states = [state for chapter in self.chapters for state in chapter.recording.provider]
        texts = {text for state in states for text in state["inbound"].values()}
        return {hashlib.sha256(text.encode("latin-1")).hexdigest(): text for text in texts}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def put_files(folder: Path, files: dict[str, bytes]) -> None:
    """Make a folder that holds these files and nothing else, all private."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o600)


@dataclass(frozen=True)
class Cut:
    """One power cut: after `at` effects of a chapter; `model` says how names survive, `moment` what the provider had.

    `image` is what the disk holds, `versions` are the contents that each name was ever given by a rename, `lost` says
    whether anything of what the program saw is gone.
    """

    number: int
    chapter: Chapter
    at: int
    model: str
    moment: int
    image: dict[str, bytes]
    versions: dict[str, set[bytes]]
    lost: bool

    def words(self) -> str:
        """Where the power was cut."""
        effect = self.chapter.recording.effects[self.at - 1].words() if self.at else "the start"
        return f"{self.chapter.job}, cut after effect {self.at} ({effect}), {self.model} names"


def cut_of(story: Story, number: int, chance: Random) -> Cut:
    """Choose where to cut, and what of the disk survives. Two of three cuts fall where bytes are leaving or about to."""
    chapter = story.chapters[0] if chance.random() < 0.7 else story.chapters[-1]
    effects = chapter.recording.effects
    sends = [place for place, effect in enumerate(effects) if effect.kind == "N"]
    at = chance.randint(0, len(effects))
    if sends and chance.random() < 0.66:
        at = min(len(effects), max(0, chance.randint(sends[0] - 20, sends[-1] + 40)))
    if sends and chance.random() < 0.2:
        at = chance.choice(sends) + 1
    return make_cut(chapter, number, at, chance)


def make_cut(chapter: Chapter, number: int, at: int, chance: Random) -> Cut:
    """Cut at this place."""
    model = chance.choice(("ordered", "single"))
    disk = chapter.disk_at(at)
    moment = chance.randint(*chapter.moments(at))
    image = disk.survivors(chance, model)
    lost = any(image.get(path) != content for path, content in disk.files().items() if not path.endswith("-shm"))
    return Cut(number, chapter, at, model, moment, image, disk.versions, lost)
