"""What the seed lets happen with orders of customers who were present: their switches turned on, and off again, and a death."""

from typing import Literal

from tests.world.dice import dice

PRESENT = 8
"""One seed of so many has such orders."""

WAYS = (
    "website approved",
    "website declined",
    "website challenged",
    "call centre approved",
    "call centre failed",
    "call centre captured",
)
"""Traits of rows by which such an order comes in."""

Drawn = tuple[Literal["settings", "row", "order", "crash"], int, int, str, str]
_OFF = ("switches.cit_website=false", "switches.cit_call_center=false", "switches.mit=false", "site.acme-us=false")
_DEATHS = ("before HTTP evaluate", "after HTTP evaluate", "after commit ledger", "after commit orders")


def drawn_for(seed: int) -> list[Drawn]:
    """What is drawn for this seed, apart from everything else that is: mostly nothing."""
    chance = dice(seed, "customers present")
    if chance.randrange(PRESENT):
        return []
    switches = ("cit_website", "cit_call_center") if chance.randrange(4) else (chance.choice(("cit_website", "cit_call_center")),)
    deeds: list[Drawn] = [("settings", 0, 0, f"switches.{name}=true", "") for name in switches]
    deeds += [("row", 0, at, chance.choice(WAYS), "") for at in range(chance.choice((1, 1, 2, 3)))]
    if chance.randrange(2):
        deeds.append(("order", chance.choice((1, 2)), 7, chance.choice(WAYS), ""))
    if not chance.randrange(3):
        deeds.append(("crash", chance.choice((0, 1)), chance.choice((0, 0, 1, 2, 5)), "", chance.choice(_DEATHS)))
    if not chance.randrange(4):
        deeds.append(("settings", chance.choice((1, 2)), 0, chance.choice(_OFF), ""))
    return deeds
