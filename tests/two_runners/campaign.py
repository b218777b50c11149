"""T5: so many interleavings of two runs in the world."""

import time
from collections import Counter
from functools import partial

from tests.long.campaign import Campaign, on_all_cores
from tests.two_runners.interleaving import Told, interleave, plan_of


def campaign(size: int, seed: int) -> Campaign:
    """So many interleavings, by number."""
    began = time.monotonic()
    figures: Counter[str] = Counter()
    violations: list[str] = []
    for told in on_all_cores(partial(tell, seed), range(size), chunk=8):
        figures.update(told.figures)
        violations += told.violations
    return Campaign("T5", "two runs at once", dict(figures), tuple(violations), time.monotonic() - began)


def tell(seed: int, number: int) -> Told:
    """What becomes of one interleaving. Whatever breaks out of a run is a violation too."""
    plan = plan_of(number, seed)
    try:
        return interleave(plan)
    except Exception as error:  # noqa: BLE001 - whatever it is, a run must not end so
        return Told({"interleavings": 1}, (f"I20: {type(error).__name__}: {error} {plan.words()}",))
