"""T2: every point of every scenario is a death and a power cut, and every pair of points of two scenarios two deaths.

In CI every point is a death all the same; by the seed, every fourth is a power cut as well, and every n-th pair two deaths.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tests.crash_points.exploring import Chosen, Found, crash_free, die_once, die_twice, labels_of, state_of
from tests.crash_points.forks import watching
from tests.crash_points.scenarios import SCENARIOS, Scenario
from tests.long.campaign import Campaign, on_all_cores
from tests.world.dice import dice
from tests.world.equivalence import Ending

Run = tuple[str, int]
"""A scenario, and which of its runs, from 0."""
PAIRS = ("pairs: night", "pairs: stale part")
WHOLE = 25_000
CUTS = 4
"""In CI every so-manieth point is a power cut as well."""
SHARE = 60
"""So many points one after another are one case."""


@dataclass(frozen=True)
class Case:
    """Some of one step's points, or (`first`) of those of the run after one death.

    `stands_for`: so many first deaths, one after the other, leave the same world behind as this one.
    """

    scenario: str
    step: int
    chosen: Chosen
    cut: bool = False
    first: int = 0
    stands_for: int = 1


def campaign(size: int, seed: int) -> Campaign:
    """About so many pairs, spread evenly by the seed, and every single point as a death, a quarter of them as a power cut.

    From 25,000 on, every pair of both scenarios, and every point as a power cut. A point at which nobody died is told.
    """
    began = time.monotonic()
    singles, pairs = Found(), Found()
    labels = dict(zip(SCENARIOS, on_all_cores(_points, list(SCENARIOS)), strict=True))
    leaders = dict(zip(PAIRS, on_all_cores(_leaders, PAIRS), strict=True))
    cases = [*_singles(labels, seed, is_whole=size >= WHOLE), *_pairs(labels, leaders, size, seed)]
    died: dict[Run, set[int]] = defaultdict(set)
    for case, found in zip(cases, on_all_cores(explore, cases), strict=True):
        (pairs if case.first else singles).add(found)
        if not case.first and not case.cut:
            died[case.scenario, case.step] |= found.points
    alive = survived(labels, died)
    points = sum(len(points) for of_steps in labels.values() for points in of_steps)
    figures = {
        "scenarios": len(SCENARIOS),
        "points": points,
        "points died at": points - len(alive),
        "deaths and power cuts": singles.deaths,
        "of them carried on for themselves": singles.carried_on,
        "pairs": pairs.deaths,
        "pairs carried on for themselves": pairs.carried_on,
    }
    seconds = time.monotonic() - began
    violations = singles.violations + pairs.violations + tuple(alive)
    return Campaign("T2", "crash points and pairs", figures, violations, seconds)


def survived(labels: Mapping[str, list[list[str]]], died: Mapping[Run, set[int]]) -> list[str]:
    """A sentence for each point of the scenarios at which nobody died."""
    return [
        f"T2: nobody died at point {at} ({label}) of run {step + 1} of {name}"
        for name, steps in labels.items()
        for step, points in enumerate(steps)
        for at, label in enumerate(points, start=1)
        if at not in died.get((name, step), ())
    ]


def explore(case: Case) -> Found:
    """What the deaths of one case lead to."""
    scenario = SCENARIOS[case.scenario]
    expected = _expected(scenario)
    if case.first:
        found = die_twice(scenario, case.step, case.first, case.chosen, expected)
        return replace(found, deaths=found.deaths * case.stands_for)
    return die_once(scenario, case.step, case.chosen, expected, cut=case.cut)


_EXPECTED: dict[str, Ending] = {}


def _expected(scenario: Scenario) -> Ending:
    if scenario.name not in _EXPECTED:
        _EXPECTED[scenario.name] = crash_free(scenario)
    return _EXPECTED[scenario.name]


def _points(name: str) -> list[list[str]]:
    return labels_of(SCENARIOS[name])


def _leaders(name: str) -> list[int]:
    """For each point of the first step, the first of those right before it that leave the same world behind."""
    scenario, states = SCENARIOS[name], list[bytes]()
    with scenario.world() as world:
        scenario.steps[0].before(world)
        with watching(world, lambda _label: states.append(state_of(world))):
            world.run(scenario.steps[0].job)
    leaders: list[int] = []
    for at, state in enumerate(states, start=1):
        leaders.append(leaders[-1] if leaders and state == states[at - 2] else at)
    return leaders


def _singles(labels: dict[str, list[list[str]]], seed: int, *, is_whole: bool) -> Iterator[Case]:
    """Every point as a death, and each, or every fourth from a place that the seed decides, as a power cut."""
    every = 1 if is_whole else CUTS
    for name, steps in labels.items():
        for step, points in enumerate(steps):
            offset = dice(seed, "power cuts", name, step).randrange(every)
            for first in range(1, len(points) + 1, SHARE):
                last = min(first + SHARE - 1, len(points))
                yield Case(name, step, Chosen(first, last))
                yield Case(name, step, Chosen(first, last, every, offset), cut=True)


def _pairs(labels: dict[str, list[list[str]]], leaders: dict[str, list[int]], size: int, seed: int) -> Iterator[Case]:
    """One case for each first death. Every n-th second death is tried, beginning elsewhere after each first one."""
    whole = sum(len(labels[name][0]) ** 2 for name in PAIRS)
    every = 1 if size >= WHOLE else max(1, whole // size)
    for name in PAIRS:
        for at, count in sorted(Counter(leaders[name]).items()):
            offset = dice(seed, "second deaths", name, at).randrange(every)
            yield Case(name, 0, Chosen(1, 0, every, offset), first=at, stands_for=count)
