"""T3: so many real processes killed with SIGKILL: at every labelled point, twice, after random delays; by strace at syscalls."""

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from tests.crash.kills import SYSCALLS, why_not_traced
from tests.crash.pool import Pool
from tests.crash.races import race_of
from tests.crash.world import STEPS, Case, Verdict
from tests.in_memory import private_folder
from tests.long.campaign import Campaign
from tests.world.dice import dice

TRACED = 10
"""One more case in so many is killed by strace: 200 beside 2,000, of which some have ended before."""


def campaign(size: int, seed: int, *, bug: str = "") -> Campaign:
    """So many kills: at every labelled point, and of pairs of points and after random delays a third each; some by strace.

    The runs have this `bug`, if one is named (tests/crash/planted.py).
    """
    began = time.monotonic()
    folder = private_folder("kills")
    reason = why_not_traced()
    try:
        with Pool(folder, bug) as pool:
            singles = pool.try_all(_points(pool.labels, size // 3, seed))
            others = [*_pairs(singles, size // 3, seed), *_delays(pool.durations_ms, size // 3, seed)]
            others += [] if reason else _traced(-(-size // TRACED), seed)
            verdicts = singles + pool.try_all(others)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = _figures(verdicts)
    notes = (f"no kills by strace: {reason}",) if reason else ()
    violations = tuple(f"{verdict.words()} [{verdict.case}]" for verdict in verdicts if verdict.violations)
    return Campaign("T3", "real processes killed", figures, violations, time.monotonic() - began, notes)


def races(size: int, seed: int, *, bug: str = "") -> Campaign:
    """T5 with real processes: so many pairs of runs on one ledger, each judged by the provider's journal."""
    began = time.monotonic()
    folder = private_folder("races")
    try:
        with Pool(folder, bug) as pool:
            night, milliseconds = pool.labels["night"][0], pool.durations_ms["night"][0]
            asked = [race_of(number, seed, night, milliseconds) for number in range(size)]
            answers = pool.ask_all([asdict(race) for race in asked])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    violations = tuple(f"{words} [{race}]" for race, said in zip(asked, answers, strict=True) for words in said["violations"])
    figures = Counter("halted at a point" if race.at else "stopped by SIGSTOP" for race in asked)
    late = sum(race.seconds > 0 for race in asked)
    counts = {"pairs of real processes": size, "the second after the lease": late, **figures}
    counts["stopped in the midst"] = sum(said["in_the_midst"] for said in answers)
    counts["refused for a token that was over"] = sum(said["token_over"] for said in answers)
    counts["parts written by an overtaken run"] = sum(said["late_part"] for said in answers)
    return Campaign("T5", "two real processes on one ledger", counts, violations, time.monotonic() - began)


def _figures(verdicts: Sequence[Verdict]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        case = verdict.case
        kind = "syscall" if case.syscall else "delay" if case.delay_ms else "pair of points" if case.again else "point"
        killed = not verdict.label.startswith("ended before")
        counts[f"runs killed at a {kind}"] += killed
        counts["runs that ended before their kill"] += not killed
        counts["kills by SIGKILL"] += (killed and not case.syscall) + bool(case.again)
    return dict(counts)


def _points(labels: dict[str, list[list[str]]], count: int, seed: int) -> list[Case]:
    """Every point of all jobs of all scenarios once, and up to so many with and without the merchant's own retry."""
    points = [
        (scenario, step, at)
        for scenario, jobs in labels.items()
        for step, points in enumerate(jobs)
        for at in range(1, len(points) + 1)
    ]
    once = [Case(*point, engine=point[0] != "transmit") for point in points]
    again = [Case(*point, engine=False) for point in points if point[0] != "transmit"]
    return once + dice(seed, "points").sample(again, min(max(0, count - len(once)), len(again)))


def _pairs(singles: Sequence[Verdict], count: int, seed: int) -> list[Case]:
    chance = dice(seed, "pairs")
    firsts = [verdict for verdict in singles if verdict.recovery and not verdict.case.gap]
    chosen = chance.choices(firsts, k=count)
    return [
        Case(one.case.scenario, one.case.step, one.case.at, one.case.engine, again=chance.randrange(1, one.recovery + 1))
        for one in chosen
    ]


def _delays(durations_ms: dict[str, list[int]], count: int, seed: int) -> list[Case]:
    """Delays that are shares of the time which each job takes, spread evenly from none of it to all of it."""
    chance = dice(seed, "delays")
    cases = []
    for number in range(count):
        name = chance.choice([name for name in STEPS if name != "first use"])
        step = chance.randrange(len(STEPS[name]))
        share = (number + chance.random()) / count
        delay = max(1, round(share * durations_ms[name][step]))
        cases.append(Case(name, step, 0, engine=name != "transmit", delay_ms=delay))
    return cases


def _traced(count: int, seed: int) -> list[Case]:
    chance = dice(seed, "syscalls")
    cases = []
    for number in range(count):
        syscall = list(SYSCALLS)[number % len(SYSCALLS)]
        name = chance.choice([name for name in STEPS if name != "first use"])
        at = chance.randrange(1, SYSCALLS[syscall] + 1)
        cases.append(Case(name, chance.randrange(len(STEPS[name])), at, engine=name != "transmit", syscall=syscall))
    return cases
