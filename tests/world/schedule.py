"""What a seed lets happen: a short list of deeds, which is all that is needed to let it happen again."""

import json
import random
from dataclasses import asdict, dataclass
from typing import Literal, cast, get_args

from tests.world import chances
from tests.world.changes import changes_for
from tests.world.dice import dice
from tests.world.present import drawn_for

Kind = Literal[
    "crash",
    "power cut",
    "fault",
    "network",
    "engine",
    "disk full",
    "second run",
    "leap",
    "merchant",
    "paused",
    "stop",
    "commit",
    "locked",
    "orders",
    "job",
    "settings",
    "mode",
    "provider",
    "start",
    "row",
    "order",
    "backup",
    "restore",
    "files",
    "secret",
    "ledger",
    "webhooks",
    "told",
    "switch",
]
"""Kinds of deeds: each is done by the function of its name in `tests.world.deeds` or `tests.world.befores`."""

KINDS: tuple[Kind, ...] = get_args(Kind)


Ending = Literal["long", "soon"]
"""Whether a night beyond every expiry follows in any case, or only if the quiet night before it leaves something open."""

ENDINGS: tuple[Ending, ...] = ("long", "soon", "soon", "soon")
ORDERS = (1, 2, 2, 2, 3)
"""How many orders a story has, and how it ends: mostly few and soon, for what goes wrong needs many seeds, not many orders."""

BY_CALLS = 8
"""One seed of so many hands over by calls."""

DRAWN_APART = {"O-06"}
"""Ids that `tests.world.changes` draws, so that they need no draw here."""

AIMED = 90
"""So many of a hundred deeds are aimed at one id."""


@dataclass(frozen=True)
class Deed:
    """One thing that goes wrong in the `run`-th run (from 0).

    With a `label`, it happens at the at-th crossing (from 0) of points whose label begins so; without, at the at-th
    point of the run. A provider's fault goes by its `name` and lets `at` chances pass. Others happen before the run.
    """

    kind: Kind
    run: int
    at: int = 0
    name: str = ""
    label: str = ""


@dataclass(frozen=True)
class Schedule:
    """A whole story: the world's seed, how many orders, the deeds, and how it ends. As JSON it is what a corpus keeps."""

    seed: int
    orders: int
    deeds: tuple[Deed, ...]
    ending: Ending = "long"

    def as_json(self) -> str:
        """One line."""
        deeds = [{key: value for key, value in asdict(deed).items() if value != "" or key == "name"} for deed in self.deeds]
        ending = {"ending": self.ending} if self.ending != "long" else {}
        return json.dumps({"seed": self.seed, "orders": self.orders, "deeds": deeds, **ending}, ensure_ascii=True)


def from_json(text: str) -> Schedule:
    """The schedule that `as_json` wrote."""
    fields = json.loads(text)
    deeds = tuple(Deed(**each) for each in fields["deeds"])
    return Schedule(fields["seed"], fields["orders"], deeds, fields.get("ending", "long"))


def schedule_of(seed: int) -> Schedule:
    """What the seed decides: mostly one to three deeds, aimed at an id each, or of a random few kinds at random places."""
    from tests.world.aims import AIMS  # they need the sandbox's catalogue, which a corpus entry does not
    from tests.world.seldom import seldom_for

    chance = dice(seed, "schedule")
    kinds = chance.sample(chances.KINDS, 5)
    count = chance.choice(chances.COUNTS)
    deeds: list[Deed] = []
    for _ in range(count):
        aimed = chance.randrange(100) < AIMED
        drawn = (
            AIMS[chance.choice((*sorted(AIMS.keys() - DRAWN_APART), *chances.RARE))](chance)
            if aimed
            else chances.DRAWS[chance.choice(kinds)](chance)
        )
        deeds += [Deed(cast("Kind", kind), run, at, name, label) for kind, run, at, name, label in drawn]
    orders = chance.choice(ORDERS)
    seldom, is_alone = seldom_for(seed)
    apart = [Deed(*each) for each in (*drawn_for(seed), *changes_for(seed))]
    whole = seldom if is_alone else (*seldom, *_by_calls(chance), *apart, *deeds)
    return Schedule(seed, orders, whole, dice(seed, "ending").choice(ENDINGS))


def _by_calls(chance: random.Random) -> list[Deed]:
    """One seed of eight hands over by calls, from the first night on or from a later one; half of these die near a call.

    A third of them have an account of sync mode. Of those that die, half have somebody who lets a call in doubt be made again.
    """
    if chance.randrange(BY_CALLS):
        return []
    run = chance.choice((0, 0, 0, 1, 2))
    is_sync = chance.randrange(3) == 0
    deeds = [Deed("provider", 0, 0, 'account="sync"') if is_sync else Deed("settings", run, 0, 'channels.evaluate="api"')]
    if chance.randrange(2):
        label = chance.choice(("before HTTP evaluate", "after HTTP evaluate", "after commit ledger", "before commit ledger"))
        deeds.append(Deed("crash", run, chance.choice((0, 0, 1, 2, 5)), "", label))
        if chance.randrange(2):  # the key must be good for a repeat of what was taken and is not shown
            deeds += [Deed("provider", 0, 1, 'deduplicate="key_24h"'), Deed("job", run + 1, 0, "resolve repeat-call")]
    return deeds
