"""The campaign of the mutants: each judged by the tests that come to its line, the quickest first; those that live are named."""

import os
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from tests.long.campaign import Campaign
from tests.mutation.bench import Bench, on_bench
from tests.mutation.children import in_each_child
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.judging import FILES, JUDGES
from tests.mutation.keeping import KEPT, keep, kept, verdict_on
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.reach import Likeliest, Reach, learnt
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import in_child

LEAST_PERCENT = 95
SHARE_SECONDS = 6 * 3600
"""A share of the mutants is judged by then."""


@dataclass(frozen=True)
class Fate:
    """What became of one mutant: who noticed it, nothing for one that lives."""

    mutant: Mutant
    noticed_by: str


@cache
def mutants() -> tuple[Mutant, ...]:
    """Every mutant of every file, but for those that change nothing."""
    every = (mutant for file in FILES for mutant in mutants_of(REPOSITORY, file))
    return tuple(mutant for mutant in every if (mutant.file, mutant.change()) not in EQUIVALENT)


def campaign(size: int, seed: int, place: Path = KEPT) -> Campaign:
    """So many mutants, chosen by the seed; all of them, where there are not more. Verdicts are kept as they come."""
    began, every = time.monotonic(), mutants()
    numbers = sorted(random.Random(seed).sample(range(len(every)), min(size, len(every))))  # noqa: S311 - not for secrets
    before = kept(place)
    fates = {number: verdict_on(every[number], before) for number in numbers}
    todo = [number for number in numbers if not fates[number]]
    failed: list[str] = []
    if todo:
        reach = learnt(JUDGES)
        failed = reach.failed
        shares = min(os.cpu_count() or 1, len(todo))
        work = partial(judged, reach=reach, judges=JUDGES, place=place)
        for found in in_each_child(work, [todo[each::shares] for each in range(shares)]):
            fates |= found
    told = [Fate(every[number], noticed_by) for number, noticed_by in fates.items()]
    return _told(told, failed, time.monotonic() - began, f"campaign({size}, {seed})")


def judged(numbers: Sequence[int], reach: Reach, judges: Sequence[str], place: Path) -> dict[int, str]:
    """By mutant: who noticed it. Each verdict is kept as soon as it is there."""
    every, likeliest = mutants(), Likeliest(reach.seconds)
    verdicts: list[tuple[int, str]] = []

    def work(bench: Bench) -> None:
        for number in numbers:
            mutant = every[number]
            names = likeliest.first(mutant.file, reach.judges_of(mutant))
            noticed_by = bench.noticed_by(mutant, names, reach.seconds, anew=reach.is_for_loading(mutant))
            likeliest.learn(mutant.file, noticed_by)
            keep(mutant, noticed_by, place)
            verdicts.append((number, noticed_by))

    def share() -> list[tuple[int, str]]:
        on_bench(judges, work)
        return verdicts

    return dict(in_child(share, SHARE_SECONDS, waiting=SHARE_SECONDS))


def _told(fates: Sequence[Fate], failed: Sequence[str], seconds: float, command: str) -> Campaign:
    living = [fate.mutant for fate in fates if not fate.noticed_by]
    killed = len(fates) - len(living)
    figures = {
        "mutants that can be made": len(mutants()) + len(EQUIVALENT),
        "of them that change nothing": len(EQUIVALENT),
        "mutants": len(fates),
        "killed": killed,
        "alive": len(living),
        **_by_file(fates),
    }
    found = [f"a judge of the mutants fails without any: {name}" for name in failed]
    if killed * 100 < LEAST_PERCENT * len(fates):
        again = f'python -c "from tests.mutation.campaign import campaign; print({command})"'
        found.append(f"only {killed} of {len(fates)} mutants are noticed [{again}]")
    notes = tuple(f"alive: {mutant.words()}" for mutant in living)
    return Campaign("T14", "mutation score", figures, tuple(found), seconds, notes)


def _by_file(fates: Sequence[Fate]) -> Mapping[str, int]:
    per_file = Counter(fate.mutant.file for fate in fates if fate.noticed_by)
    return {f"killed in {file}": count for file, count in sorted(per_file.items())}
