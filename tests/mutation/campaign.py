"""The campaign of the mutants: each judged by the tests that come to its line, the quickest first; those that live are named.

It goes by files, so that a run that was cut goes on with the files that are left, and those that live are named on the way.
"""

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from tests.in_memory import keep_bytecode
from tests.long.campaign import Campaign
from tests.mutation.bench import Bench, on_bench
from tests.mutation.children import in_each_child
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.judging import FILES, JUDGES
from tests.mutation.keeping import KEPT, keep, kept, verdict_on
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.reach import Likeliest, Reach
from tests.mutation.reach_kept import REACH, known
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import UNANSWERED, in_child

SHARE_SECONDS = 6 * 3600
"""A share of the mutants is judged by then."""
UNJUDGED = "it could not be judged"
"""How it begins what is said of a mutant with which the bench itself broke: that ends no run, and kills nothing."""


@dataclass(frozen=True)
class Fate:
    """What became of one mutant: who noticed it, nothing for one that lives."""

    mutant: Mutant
    noticed_by: str
    before: bool = False
    """An earlier run judged it."""

    @property
    def is_dead(self) -> bool:
        """Whether it was noticed."""
        return bool(self.noticed_by) and not self.noticed_by.startswith(UNJUDGED)


@cache
def mutants() -> tuple[Mutant, ...]:
    """Every mutant of every file, but for those that change nothing."""
    every = (mutant for file in FILES for mutant in mutants_of(REPOSITORY, file))
    return tuple(mutant for mutant in every if (mutant.file, mutant.change()) not in EQUIVALENT)


def files_of(size: int, seed: int) -> list[str]:
    """So many files, from the one on that the seed names: seeds that follow each other name files that do."""
    return [FILES[(seed + number) % len(FILES)] for number in range(min(size, len(FILES)))]


def campaign(size: int, seed: int, place: Path = KEPT, reach: Path = REACH) -> Campaign:
    """The mutants of so many files, from the one on that the seed names. Verdicts are kept as they come."""
    began, every, files = time.monotonic(), mutants(), files_of(size, seed)
    numbers = [number for number, mutant in enumerate(every) if mutant.file in files]
    before = kept(place)
    fates = {
        number: Fate(every[number], noticed, before=True) for number in numbers if (noticed := verdict_on(every[number], before))
    }
    todo = [number for number in numbers if number not in fates]
    failed: list[str] = []
    if todo:
        keep_bytecode()  # for all children, which end without putting anything away
        found = known(JUDGES, reach)
        failed = found.failed
        shares = min(os.cpu_count() or 1, len(todo))
        work = partial(judged, reach=found, judges=JUDGES, place=place)
        for verdicts in in_each_child(work, [todo[each::shares] for each in range(shares)]):
            fates |= {number: Fate(every[number], noticed_by) for number, noticed_by in verdicts.items()}
    return _told([fates[number] for number in sorted(fates)], files, failed, time.monotonic() - began)


def judged(numbers: Sequence[int], reach: Reach, judges: Sequence[str], place: Path) -> dict[int, str]:
    """By mutant: who noticed it. Each verdict is kept as soon as it is there."""
    every, likeliest = mutants(), Likeliest(reach.seconds)
    verdicts: list[tuple[int, str]] = []

    def work(bench: Bench) -> None:
        for number in numbers:
            mutant = every[number]
            names = likeliest.first(mutant.file, reach.judges_of(mutant))
            try:
                noticed_by = bench.noticed_by(mutant, names, reach.seconds, anew=reach.is_for_loading(mutant))
            except RuntimeError as error:
                noticed_by = f"{UNJUDGED}: {str(error).strip().rpartition(chr(10))[2]}"
            likeliest.learn(mutant.file, noticed_by)
            keep(mutant, noticed_by, place)
            verdicts.append((number, noticed_by))

    def share() -> list[tuple[int, str]]:
        on_bench(judges, work)
        return verdicts

    return dict(in_child(share, SHARE_SECONDS, waiting=SHARE_SECONDS))


def _told(fates: Sequence[Fate], files: Sequence[str], failed: Sequence[str], seconds: float) -> Campaign:
    living = [fate.mutant for fate in fates if not fate.is_dead]
    equivalent = sum(file in files for file, _ in EQUIVALENT)
    figures = {
        "mutants that can be made": len(fates) + equivalent,
        "of them that change nothing": equivalent,
        "mutants": len(fates),
        "killed": len(fates) - len(living),
        "of them as a test had no end": sum(fate.noticed_by.startswith(UNANSWERED) for fate in fates),
        "of them in an earlier run": sum(fate.before for fate in fates),
        "alive": len(living),
        **_by_file(fates),
    }
    failing = (f"a judge of the mutants fails without any: {name}" for name in failed)
    unjudged = (f"{fate.mutant.words()}: {fate.noticed_by}" for fate in fates if fate.noticed_by.startswith(UNJUDGED))
    notes = tuple(f"alive: {mutant.words()}" for mutant in living)
    return Campaign("T14", "mutation score", figures, (*failing, *unjudged), seconds, notes)


def _by_file(fates: Sequence[Fate]) -> Mapping[str, int]:
    per_file = Counter(fate.mutant.file for fate in fates if fate.is_dead)
    return {f"killed in {file}": count for file, count in sorted(per_file.items())}
