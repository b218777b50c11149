"""Many power cuts: each image is judged as it lies there, and a share of them with the rest of the night."""

import gc
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.crash.crossings import Crossings, _without_delay
from tests.crash.provider import START
from tests.crash.runs import Job, run_here
from tests.long.campaign import Campaign, on_all_cores
from tests.power.going_on import Continued
from tests.power.provider import Provider
from tests.power.record import build_shim
from tests.power.story import STORIES, Cut, Story, cut_of, put_files
from tests.power.verdicts import judge_image

MANY = 200
CONTINUED, FEW_CONTINUED = 0.1, 0.3
"""The share of images that the rest of the night runs on, of many images; of few, a larger one."""


@dataclass(frozen=True)
class Share:
    """The images of one story that one worker makes, by number."""

    story: str
    numbers: tuple[int, ...]
    seed: int
    continued: float


@dataclass
class Tally:
    """What one worker counted and found."""

    figures: Counter[str]
    violations: list[str]


def campaign(size: int, seed: int) -> Campaign:
    """So many images. Every fourth is of a run that sends copies, the others of a night and of the poll after it."""
    began = time.monotonic()
    total = Tally(Counter(), [])
    for tally in on_all_cores(judge_share, shares(range(size), seed, CONTINUED if size > MANY else FEW_CONTINUED)):
        total.figures += tally.figures
        total.violations += tally.violations
    seconds = time.monotonic() - began
    return Campaign("T4", "power-loss images", dict(sorted(total.figures.items())), tuple(total.violations), seconds)


def judge_again(number: int, seed: int) -> list[str]:
    """The violations of one image alone, with the rest of the night."""
    (share,) = shares([number], seed, 1.0)
    return judge_share(share).violations


def shares(numbers: Sequence[int], seed: int, continued: float) -> list[Share]:
    """Images by story: copies for every fourth number; the rescues of many images in three shares."""
    copies = tuple(number for number in numbers if number % 4 == 3)
    rescues = [number for number in numbers if number % 4 != 3]
    parts = 3 if len(rescues) > MANY else 1
    split = [("rescues", tuple(rescues[part::parts])) for part in range(parts)] + [("copies", copies)]
    return [Share(story, part, seed, continued) for story, part in split if part]


def judge_share(share: Share) -> Tally:
    """Record the story in a fresh folder, in memory where the machine has such, and judge each of the share's images."""
    memory = Path("/dev/shm")  # noqa: S108 - a fresh folder of our own is made inside
    base = Path(tempfile.mkdtemp(prefix="mitbatch-power-", dir=memory if memory.is_dir() else None)).resolve()
    try:
        with Provider(base / "provider") as provider:
            story = Story(share.story, base / "merchant", provider, build_shim(base))
            _warm_up(story)
            return _judge_all(story, share, base / "image")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _warm_up(story: Story) -> None:
    """Run the jobs once in this process, so that its forks find everything loaded."""
    _without_delay()
    for job in STORIES[story.name]:
        put_files(story.folder, story.chapters[0].before)
        story.provider.restore([], {}, 0)
        run_here(Crossings(), story.folder / "mitbatch.toml", Job(job, START))
    gc.collect()
    gc.freeze()


def _judge_all(story: Story, share: Share, folder: Path) -> Tally:
    tally = Tally(Counter({"stories recorded": 1}), [])
    tally.figures["effects recorded"] = sum(len(chapter.recording.effects) for chapter in story.chapters)
    for number in share.numbers:
        chance = Random(f"{share.seed} {number}")  # noqa: S311 - not for secrets
        cut = cut_of(story, number, chance)
        found = judge_image(story, cut, folder)
        _count(tally.figures, story, cut)
        goes_on, later, engine = chance.random() < share.continued, chance.random() < 0.5, chance.random() < 0.5
        if goes_on:
            found += _go_on(Continued(story, cut, later=later, engine=engine))
            tally.figures["nights continued"] += 1
        again = f"judge_again({number}, {share.seed})"
        tally.violations += [f"{cut.words()}: {words} [{again}]" for words in found]
    return tally


def _go_on(night: Continued) -> list[str]:
    try:
        return night.judge()
    except (sqlite3.DatabaseError, OSError, AssertionError, LookupError, ValueError) as error:
        return [f"the night cannot go on: {type(error).__name__}: {error}"[:500]]


def _count(figures: Counter[str], story: Story, cut: Cut) -> None:
    figures["images"] += 1
    figures[f"images, {cut.model} names"] += 1
    figures["images that lost something"] += cut.lost
    figures["images after bytes had left"] += bool(story.received(cut.chapter, cut.chapter.moments(cut.at)[1]).orders())
