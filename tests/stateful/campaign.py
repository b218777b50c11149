"""T7: so many examples of fifty steps, a hundred to a seed, on all cores."""

import time
import traceback
from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from tests.long.campaign import Campaign, on_all_cores
from tests.stateful.machine import STEPS_DONE, LedgerBesideModel

STEPS = 50
AT_A_TIME = 100


class SeedAlone(HypothesisProvider):
    """Draws as Hypothesis does, but never a constant out of the source of whatever modules happen to be loaded."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - the library's own signature
        return None


AVAILABLE_PROVIDERS["seed-alone"] = SeedAlone


@dataclass(frozen=True)
class Share:
    """So many examples from one seed."""

    examples: int
    seed: int


def examine(share: Share) -> tuple[Counter[str], str]:
    """Run the examples of one seed: what was done, and the first violation with its shortest steps, empty for none."""
    STEPS_DONE.clear()
    machine = type(LedgerBesideModel.__name__, (LedgerBesideModel,), {})
    chosen = settings(
        max_examples=share.examples,
        stateful_step_count=STEPS,
        backend="seed-alone",
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(share.seed)(machine), settings=chosen)
    except Exception as error:  # noqa: BLE001 - whatever ends an example is a violation, told with its steps
        lines = "\n".join(getattr(error, "__notes__", [])).splitlines()
        steps = "\n".join(line for line in lines if "()" not in line)
        where = traceback.format_exception_only(error)[0].strip()[:500]
        return Counter(STEPS_DONE), f"tests.stateful.campaign.examine({share}): {where}\n{steps}"
    return Counter(STEPS_DONE), ""


def campaign(size: int, seed: int) -> Campaign:
    """Run `size` examples of fifty steps each, decided by size and seed alone."""
    started = time.monotonic()
    shares = [Share(min(AT_A_TIME, size - first), seed + first) for first in range(0, size, AT_A_TIME)]
    done, violations = Counter[str](), []
    for counted, violation in on_all_cores(examine, shares):
        done += counted
        violations += [violation] if violation else []
    figures = {"examples": size, "steps": sum(done.values()), **dict(sorted(done.items()))}
    return Campaign("T7", "the ledger beside its model", figures, tuple(violations), time.monotonic() - started)
