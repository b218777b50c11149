"""What everything else that a seed draws brings about too seldom: a share of the seeds has one of these, in full.

Each is drawn whole, cause and all, so that it mostly comes to what its name says. It has chance of its own, and so shifts
nothing else that a seed draws.
"""

import random
from typing import TYPE_CHECKING, cast

from tests.world.aims import AIMS
from tests.world.chances import Draw, Drawn
from tests.world.dice import dice
from tests.world.schedule import Deed

if TYPE_CHECKING:
    from tests.world.schedule import Kind

SELDOM = 7
"""One seed of so many has one of these."""
ALONE = 4
"""One of so many of those has other deeds beside it, which mostly keep it from coming about."""

_DEATHS = ("before SFTP open", "before SFTP write", "asked SFTP write")
_COMPLETED: tuple[Drawn, ...] = tuple(("row", 0, at, "completes", "") for at in range(4))
_REFUND: Drawn = ("job", 2, 0, "refund part", "")
_NOTHING_DONE: Drawn = ("fault", 2, 1, "server_error_before", "")
_DONE_UNHEARD: Drawn = ("fault", 2, 1, "gateway_timeout_after", "")
_SHOWS_NO_REFUNDS: Drawn = ("provider", 0, 0, "shows_refunds=false", "")
_CALLED_IN_VAIN: tuple[Drawn, ...] = (
    ("settings", 0, 0, 'channels.evaluate="api"', ""),
    ("fault", 0, 0, "server_error_before*2", ""),
)
_NEVER_TAKEN: tuple[Drawn, ...] = (
    ("provider", 0, 0, "pickup_delay_seconds=40000", ""),
    ("files", 1, 0, "inbound deleted", ""),
)
_RENAME_IN_DOUBT: tuple[Drawn, ...] = (
    ("fault", 0, 0, "drop_before_rename*3", ""),
    ("fault", 0, 2, "refuse_connection*9", ""),
)
_OTHER_AMOUNT: Drawn = ("row", 0, 0, "completed for less", "")
_TWO_WORDS: Drawn = ("fault", 0, 0, "contradictory_rows", "")


def _always(*drawn: Drawn) -> Draw:
    return lambda _chance: list(drawn)


def _decided(word: str, run: int, *cause: Drawn) -> dict[str, Draw]:
    return {f"decided: {word}": _always(*cause, ("job", run, 0, f"resolve {word}", ""))}


def _fewer_rows(chance: random.Random) -> list[Drawn]:
    """A night dies with its file under way, and the merchant changes a row before the next makes the file anew."""
    change = chance.choice(("paid", "cancelled"))
    return [
        ("crash", 0, 0, "", chance.choice(_DEATHS)),
        ("merchant", 1, chance.choice((0, 1)), change, "before commit ledger"),
        ("order", 0, 0, "", ""),
    ]


BY_WAY: dict[str, Draw] = {
    "item: action_refused": _always(*_COMPLETED, _REFUND, _NOTHING_DONE),
    "a file goes with fewer rows": _fewer_rows,
    "review: refused after it was accepted": _always(("fault", 0, 0, "same_name_other_content", "")),
    "item: capture_due": _always(*(("row", 0, at, "capture required", "") for at in (0, 1)), ("order", 12, 9, "", "")),
    "D-05": AIMS["D-05"],
    "H-03": AIMS["H-03"],
    "H-16": AIMS["H-16"],
    "P-17": AIMS["P-17"],
    "O-03": AIMS["O-03"],
    **_decided("noted", 2, _TWO_WORDS),
    **_decided("provider-is-right", 2, _TWO_WORDS),
    **_decided("other-amount-accepted", 2, _OTHER_AMOUNT),
    **_decided("uploaded-by-hand", 1, *_RENAME_IN_DOUBT),
    **_decided("support-confirmed-not-taken", 2, *_NEVER_TAKEN),
    **_decided("repeat-call", 1, *_CALLED_IN_VAIN),
    **_decided("support-confirmed-no-rescue", 2, *_CALLED_IN_VAIN),
    **_decided("support-confirmed-it-happened", 3, _SHOWS_NO_REFUNDS, *_COMPLETED, _REFUND, _DONE_UNHEARD),
    **_decided("support-confirmed-it-did-not", 3, _SHOWS_NO_REFUNDS, *_COMPLETED, _REFUND, _NOTHING_DONE),
}
"""By what mostly comes of it: a way of recovering as `tests.world.reached` names it, or the id of a fault."""


def deeds_of(draw: Draw, chance: random.Random) -> tuple[Deed, ...]:
    """What is drawn so, as deeds."""
    return tuple(Deed(cast("Kind", kind), run, at, name, label) for kind, run, at, name, label in draw(chance))


def seldom_for(seed: int) -> tuple[tuple[Deed, ...], bool]:
    """What is drawn for this seed, mostly nothing, and whether it is all that happens."""
    chance = dice(seed, "seldom")
    if chance.randrange(SELDOM):
        return (), False
    return deeds_of(BY_WAY[chance.choice(sorted(BY_WAY))], chance), chance.randrange(ALONE) > 0
