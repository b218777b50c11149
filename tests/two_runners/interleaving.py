"""One interleaving, decided by a number: which two runs, who moves how far in turn, how time passes, and who dies."""

import functools
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta

from schemas.errors import LeaseLost
from schemas.reasons import ItemKind
from tests.crash_points.scenarios import COMPLETES, DECLINES, EXPIRES, REFUSED
from tests.two_runners.runners import Runner, SharedWorld
from tests.world.dice import dice
from tests.world.equivalence import Ending, differences, ending_of
from tests.world.oracle import judge
from tests.world.schedule import Schedule
from tests.world.story import Story

JOBS = (
    ("nightly", "nightly"),
    ("nightly", "nightly"),
    ("nightly", "rerun"),
    ("nightly", "poll"),
    ("poll", "nightly"),
    ("nightly", "transmit"),
    ("transmit", "nightly"),
    ("poll", "poll"),
)
FAULTS = ("drop_after_rename", "drop_before_rename", "drop_connection_halfway", "refuse_connection", "no_acknowledgement")
LEAPS = (0, 0, 0, 100, 890, 905, 1000, 4000)
"""Seconds that a runner is paused; its lease lasts 900."""

TOKENS = (COMPLETES, DECLINES, REFUSED, EXPIRES, COMPLETES, DECLINES, COMPLETES)
_LATE_PART = (
    r"I12: a part of .* was made anew",
    r"I4: .* while a power cut would leave it (rejected|pending|completed|declined)$",
    r"I9: inbound: too much \['\.part'\], missing \[\]$",
)
"""What a part that an overtaken run writes late looks like: never renamed, and of orders that another run has brought on."""

_REVIEW = re.compile(r"/review\.csv$")

PAID = 4
"""Which order is a good charge."""
LATER = (5, 6)
"""Which orders are declined only after the earlier night, where there is one."""

FAR = 100_000
"""More points than any run has."""


@dataclass(frozen=True)
class Plan:
    """What is decided beforehand. `turns`: whose turn (0 or 1), for how many points, and how many seconds pass then."""

    number: int
    seed: int
    jobs: tuple[str, str]
    turns: tuple[tuple[int, int, int], ...]
    dies: int | None
    hosts: tuple[str, str]
    blind: bool
    fault: str
    earlier: str

    def words(self) -> str:
        """One line, and the command that lets it happen again."""
        return f"[python -m tests.two_runners {self.number} {self.seed}: {self}]"


@dataclass
class Told:
    """What one interleaving counts, and what it breaks."""

    figures: dict[str, int] = field(default_factory=dict)
    violations: tuple[str, ...] = ()


def plan_of(number: int, seed: int) -> Plan:
    """The plan of this number: mostly one or two pauses, the first anywhere in the first run."""
    chance = dice(seed, "interleaving", number)
    jobs = chance.choice(JOBS)
    turns = [(0, chance.randrange(1, 120), chance.choice(LEAPS))]
    for turn in range(chance.choice((1, 1, 1, 2, 3, 5))):
        far = FAR if chance.random() < 0.4 else chance.randrange(1, 150)
        turns.append(((turn + 1) % 2, far, chance.choice(LEAPS)))
    return Plan(
        number,
        seed,
        jobs,
        tuple(turns),
        dies=chance.choice((None, None, None, None, 0, 1)),
        hosts=("a", chance.choice(("a", "a", "b"))),
        blind=chance.random() < 0.3,
        fault=chance.choice(("", "", "", *FAULTS)),
        earlier=chance.choice(("", "", "nightly")) if "poll" not in jobs else "nightly",
    )


def interleave(plan: Plan) -> Told:
    """Let it happen, and then quiet runs; judge it by the oracle, and by the end of the same runs one after the other."""
    one_after_the_other(plan.jobs, plan.earlier)
    with _world(plan.earlier, blind=plan.blind) as world:
        if plan.fault:
            world.provider.faults.switch_on(plan.fault)
        first, second = (Runner(f"run {n}", world, plan.jobs[n], plan.hosts[n]) for n in (0, 1))
        runners = (first, second)
        switches = _take_turns(world, plan, runners)
        if plan.dies is not None:
            runners[plan.dies].die()
        _to_the_end(runners)
        world.provider.faults.clear()
        told = _count(world, plan, runners, switches)
        _settle(world)
        lost = told.figures["stale tokens refused"] > 0
        story = Story(world, Schedule(1, len(TOKENS), ()), {world.order_ids[PAID]: "paid"})
        broken = [*judge(story), *_copied_twice(world)]
        if not plan.fault and "transmit" not in plan.jobs and not _came_too_late(world):
            found = without_the_wait(ending_of(world)) if world.locked_out else ending_of(world)
            broken += differences(one_after_the_other(plan.jobs, plan.earlier), found)
        broken = [words for words in broken if not (lost and _is_the_step_in_hand(words))]
        told.violations = tuple(f"{words} {plan.words()}" for words in broken)
        return told


def _is_the_step_in_hand(words: str) -> bool:
    """A run that lost its lease in the midst of one step finishes it: nobody can take the part back that it then writes.

    What it must never lead to, a second rename, is judged by I2.
    """
    return any(re.match(pattern, words) for pattern in _LATE_PART)


@functools.cache
def one_after_the_other(jobs: tuple[str, str], earlier: str) -> Ending:
    """The end of the same runs without any pause, death or fault."""
    with _world(earlier) as world:
        for job in jobs:
            world.run(job)
        _settle(world)
        return ending_of(world)


def without_the_wait(found: Ending) -> Ending:
    """The end without the item of a run that was locked out of the orders table, where a later run has written and closed it.

    It said the truth when it stood: the outcomes were known and no row showed them. Runs one after the other never wait so.
    """
    return {
        name: [row for row in book if not _is_the_wait(row)] if _REVIEW.search(name) else book for name, book in found.items()
    }


def _is_the_wait(row: list[tuple[str, str]]) -> bool:
    cells = dict(row)
    return (
        cells["kind"] == ItemKind.WRITE_BACK_CONFLICT
        and cells["orders_say"].startswith("orders:results:")
        and cells["resolution"] == "done by a later run"
    )


def _copied_twice(world: SharedWorld) -> list[str]:
    """A good charge is copied once, ever."""
    copies = Counter(str(row["order_id"]) for row in world.provider.accepted("transmit"))
    return [f"I2: the provider has {count} copies of {order_id}" for order_id, count in copies.items() if count > 1]


def _came_too_late(world: SharedWorld) -> bool:
    """A run was paused between the part and its rename for longer than the token lives, so the provider refused the file."""
    return any(row["event"] == "file_refused" for row in world.provider.journal())


def _world(earlier: str, *, blind: bool = False) -> SharedWorld:
    world = SharedWorld(1, orders=len(TOKENS), blind=blind)
    for order_id, token in zip(world.order_ids, TOKENS, strict=True):
        world.merchant.change(order_id, payment_token=token)
    world.merchant.change(world.order_ids[PAID], status="paid", response_code="100")
    if earlier:
        for number in LATER:
            world.merchant.change(world.order_ids[number], status="open")
        world.run(earlier)
        world.pass_time(hours=2)
        for number in LATER:
            world.merchant.change(world.order_ids[number], status="declined")
    return world


def _take_turns(world: SharedWorld, plan: Plan, runners: tuple[Runner, Runner]) -> int:
    switches = 0
    for whose, points, seconds in plan.turns:
        runners[whose].move(points)
        switches += not runners[whose].has_ended
        world.clock.advance(timedelta(seconds=seconds))
        world.wake_engine()
    return switches


def _to_the_end(runners: tuple[Runner, Runner]) -> None:
    """Whoever sleeps gives the other its turn, until both have ended."""
    while not all(runner.has_ended for runner in runners):
        for runner in runners:
            runner.move(FAR)


def _settle(world: SharedWorld) -> None:
    world.pass_time(minutes=20)  # the lease of a run that died on another machine is over
    for job, hours in (("nightly", 3), ("poll", 24 * 24), ("nightly", 3)):
        world.run(job)
        world.pass_time(hours=hours)


def _count(world: SharedWorld, plan: Plan, runners: tuple[Runner, Runner], switches: int) -> Told:
    ended = [ended for job, ended in world.runs]
    lost = sum(any(isinstance(problem, LeaseLost) for problem in each.report.findings.problems) for each in ended if each.report)
    with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
        unfinished = connection.execute("SELECT count(*) FROM run WHERE finished_at IS NULL").fetchone()[0]
    return Told(
        {
            "interleavings": 1,
            "switches": switches,
            "runs that died": plan.dies is not None and runners[plan.dies].is_dead,
            "leases taken over": unfinished,
            "stale tokens refused": lost,
            "runs turned away": sum("is active" in each.refusal for each in ended),
        }
    )
