"""T15: fresh schedules and fresh fuzzed inputs, round after round, until the time is over."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.long.circumstances import Circumstances, number_of
from tests.long.outcome import Outcome
from tests.long.parts import Amount, Part

SOAK = Part("T15", "Soak", "", Amount(0, 0))
"""The part under whose name the result is kept and shown. It has no floor: who asks for hours gets hours."""

ROUND = (
    Part("T1", "schedules", "tests.world.campaign:campaign", Amount(1_000, 1_000), {"schedules": Amount(0, 1_000_000)}),
    Part("T6", "fuzzed inputs", "tests.fuzz.campaign:campaign", Amount(20_000, 20_000), {"inputs": Amount(0, 10_000_000)}),
)
"""What one round does, with the figure that is a target of the soak."""

A_HANG = 3600.0
"""A round that takes so many seconds hangs."""


def soak(
    hours: float,
    seed: int,
    around: Circumstances,
    run: Callable[[Part, int, int, float], Outcome],
    watch: Callable[[Outcome], None],
    *,
    parts: Sequence[Part] = ROUND,
) -> Outcome:
    """Run rounds until the hours are over. `watch` sees the sum after each, so that a cut leaves what was done."""
    began, whole = time.monotonic(), Outcome(SOAK.name, SOAK.target, SOAK.title, 0, seed, *_place(around))
    while time.monotonic() - began < hours * 3600:
        whole = replace(whole, size=whole.size + 1)
        for part in parts:
            done = run(part, part.size.full, number_of(f"{seed} round {whole.size}"), A_HANG)
            whole = _sum(whole, done)
        whole = replace(whole, notes=tuple(_reached(parts, whole)))
        watch(whole)
    return whole


def _place(around: Circumstances) -> tuple[str, str, str]:
    return around.commit, around.date, around.machine


def _sum(whole: Outcome, done: Outcome) -> Outcome:
    """The soak with one more result; an end before the end is told like a violation."""
    broken = (
        [f"{done.part} with size {done.size}, seed {done.seed} did not come to its end: {done.broken}"] if done.broken else []
    )
    return replace(
        whole,
        seconds=whole.seconds + done.seconds,
        cpu_seconds=whole.cpu_seconds + done.cpu_seconds,
        figures=dict(Counter(whole.figures) + Counter(done.figures)),
        violations=(*whole.violations, *done.violations, *broken),
    )


def _reached(parts: Sequence[Part], whole: Outcome) -> list[str]:
    """How far the soak came on the way to its targets."""
    return [
        f"{whole.figures.get(name, 0):,} {name} in {whole.size:,} rounds; the target of a whole night is {amount.full:,}"
        for part in parts
        for name, amount in part.floors.items()
    ]
