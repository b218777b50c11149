"""Two real runs on one real ledger: the first stands still at a point or under SIGSTOP, the second works, the first goes on."""

import os
import signal
import time
from dataclasses import dataclass, replace

from tests.crash.picture import Picture
from tests.crash.runs import Child, Ending
from tests.crash.verdicts import judge_night, judge_refused_night, was_refused_for_its_token
from tests.crash.world import HOURS_LATER, World
from tests.world.dice import dice

LEASE_LASTS = 900
LEASE_OVER = 1000
"""Seconds after which a lease (900) is over, and a token in a part (600) too old."""

CODES = {0, 10, 11, 20, 21}
"""How either of two runs may end: one of them may find the ledger locked, the other run active, or its lease gone."""

TOKEN_LIVES = 600
RENAMES = "; before SFTP rename"
"""The end of the label of the point before a night's rename; a run that halts there late has looked at the time."""

_BOTH_SIDES = "; before "


@dataclass(frozen=True)
class Race:
    """Two jobs of a night. The first stands still at point `at` (`late`: see Crossings), or (0) after `delay_ms`.

    The second runs "meanwhile", and the first goes on after `pause_ms`; or "before" the first goes on; or "after" it ended.
    `seconds` is how much later it is by every clock when the first goes on; after 900 its lease is over, although it lives.
    The provider has this `fault`, once.
    """

    number: int
    first: str
    second: str
    at: int
    late: bool
    delay_ms: int
    pause_ms: int
    seconds: int
    second_runs: str = "meanwhile"
    fault: str = ""


@dataclass(frozen=True)
class RaceVerdict:
    """What became of a race. `in_the_midst`: the first had begun and not ended when it stood still.

    `token_over`: the first stood still between its last look at the time and its rename until its token was over, so the
    provider refused the file. No code can prevent that; it is judged as what it is. `late_part`: it was overtaken before it
    wrote its part, wrote it when the file had long left, and had to leave it: only who holds the lease may rename or remove.
    """

    violations: list[str]
    in_the_midst: bool
    token_over: bool
    late_part: bool


def race_of(number: int, seed: int, labels: list[str], milliseconds: int) -> Race:
    """The race of this number: in every second one the first run stands still at a point, in no transaction.

    `labels` and `milliseconds` are the points of a nightly and how long it takes alone.
    """
    chance = dice(seed, "race", number)
    points = [at for at, label in enumerate(labels, start=1) if not label.startswith("before commit")]
    jobs = chance.choice((("nightly", "nightly"), ("nightly", "poll"), ("nightly", "transmit"), ("nightly", "rerun")))
    at = chance.choice(points) if number % 2 else 0
    return Race(
        number,
        *jobs,
        at=at,
        late=bool(at) and _BOTH_SIDES in labels[at - 1] and chance.random() < 0.5,
        delay_ms=round(milliseconds * chance.uniform(0.02, 0.9)),
        pause_ms=round(milliseconds * chance.uniform(0.1, 2.0)),
        seconds=chance.choice((0, 0, LEASE_OVER)),
        second_runs="before" if at and chance.random() < 0.3 else "meanwhile",
    )


def run_race(world: World, race: Race) -> RaceVerdict:
    """The violations: by the provider's journal, the order rows, the books, and how both runs ended."""
    world._begin("night")
    if race.fault:
        world._provider.switch_on(race.fault, where="")
    first, in_the_midst = _stands_still(world, race)
    world._pass(race.seconds)
    endings = _both(world, race, first)
    for name, ending in zip((race.first, race.second), endings, strict=True):
        world._need(ending.code in CODES, f"I20: {name} ended with {ending.code}: {ending.problems}")
    world._provider.settle()
    world._pass(HOURS_LATER)
    for name in ("nightly", "poll"):
        world._run_well(name)
        world._pass(HOURS_LATER)
    picture = world._picture()
    copies = {key: count for key, count in picture.count("accepted", "transmit").items() if count > 1}
    world._need(not copies, f"I2: the provider has more than one copy of {copies}")
    tokens = [row["fencing_token"] for row in picture.runs]
    world._need(len(set(tokens)) == len(tokens), f"I11: runs shared a token: {tokens}")
    may_be_late = in_the_midst and race.seconds > TOKEN_LIVES and _may_have_looked_before(world, race)
    token_over = may_be_late and was_refused_for_its_token(picture)
    judge = judge_refused_night if token_over else judge_night
    is_overtaken = in_the_midst and race.seconds > LEASE_LASTS
    left = _without_late_part(picture) if is_overtaken else picture
    violations = [*world._problems, *judge(left, world._charges)]
    return RaceVerdict(violations, in_the_midst, token_over, left.inbound != picture.inbound)


def _without_late_part(picture: Picture) -> Picture:
    """The same without parts of files that the provider has picked up."""
    received = picture.count("file_received")
    left = [name for name in picture.inbound if not (name.endswith(".part") and received[name.removesuffix(".part")] == 1)]
    return replace(picture, inbound=left)


def _may_have_looked_before(world: World, race: Race) -> bool:
    """Whether the first may have looked at the time before it stood still, with nothing but its rename to come."""
    if not race.at:
        return True
    return race.late and world.labels["night"][0][race.at - 1].endswith(RENAMES)


def _stands_still(world: World, race: Race) -> tuple[Child, bool]:
    """The first run where it stands still, and whether that is in the midst of it."""
    first = world._child(race.first, race.at or 1, late=race.late)
    first.await_halt()
    if race.at:
        return first, True
    first.go_on()
    time.sleep(race.delay_ms / 1000)
    return first, first.stop()


def _both(world: World, race: Race, first: Child) -> tuple[Ending, Ending]:
    """How both ended."""
    if race.second_runs == "after":
        _go_on(race, first)
        ending = first.ending()
        return ending, Child(world._crossings, world._settings, world._job(race.second)).ending()
    second = Child(world._crossings, world._settings, world._job(race.second))
    if race.second_runs == "before":
        other = second.ending()
        _go_on(race, first)
        return first.ending(), other
    time.sleep(race.pause_ms / 1000)
    _go_on(race, first)
    return first.ending(), second.ending()


def _go_on(race: Race, first: Child) -> None:
    if race.at:
        first.go_on()
    else:
        os.kill(first.pid, signal.SIGCONT)
