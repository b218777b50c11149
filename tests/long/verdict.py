"""Whether a long run is good: a sentence for everything that is not."""

from collections.abc import Iterable, Mapping

from tests.long.outcome import Outcome
from tests.long.parts import Part

SHOWN = 20
"""So many violations of one part are printed; the results beside the page have all."""


def again(outcome: Outcome, *, is_ci: bool) -> str:
    """The command that runs a whole part again."""
    return f"python -m tests.long --only {outcome.part} --seed {outcome.seed}{' --ci' if is_ci else ''}"


def complaints(part: Part, outcome: Outcome, *, is_ci: bool) -> list[str]:
    """What is wrong with one part: violations, figures below their target, an end before its end. Empty for a good one."""
    found = [f"{part.name}: {words}" for words in outcome.violations[:SHOWN]]
    if len(outcome.violations) > SHOWN:
        found.append(f"{part.name}: and {len(outcome.violations) - SHOWN:,} more violations; {part.name}.json has all.")
    if outcome.broken:
        found.append(f"{part.name} did not come to its end: {outcome.broken}")
    else:
        found += [f"{part.name}: {words}" for words in shortfalls(part, outcome.figures, is_ci=is_ci)]
        found += [f"{part.name}: {words}" for words in missed_shares(part, outcome.figures)]
    if found and part.campaign:
        found.append(f"{part.name} again: {again(outcome, is_ci=is_ci)}")
    return found


def shortfalls(part: Part, figures: Mapping[str, int], *, is_ci: bool) -> list[str]:
    """A sentence for each figure that is below what is asked for."""
    asked = {name: amount.of(is_ci=is_ci) for name, amount in part.floors.items()}
    return [
        f"{figures.get(name, 0):,} {name}, and {floor:,} are asked for."
        for name, floor in asked.items()
        if figures.get(name, 0) < floor
    ]


def missed_shares(part: Part, figures: Mapping[str, int]) -> list[str]:
    """A sentence for each figure that is a smaller share of another than is asked for."""
    return [
        f"{in_hundred(figures, name, whole):.1f} % of the {whole} {name}, and {percent} % are asked for."
        for name, (percent, whole) in part.shares.items()
        if in_hundred(figures, name, whole) < percent
    ]


def in_hundred(figures: Mapping[str, int], name: str, whole: str) -> float:
    """How many of a hundred of the one figure count to the other, to a tenth and never rounded up."""
    return 1000 * figures.get(name, 0) // max(1, figures.get(whole, 0)) / 10


def is_good(part: Part, outcome: Outcome, *, is_ci: bool) -> bool:
    """Whether nothing is wrong with a part."""
    return not complaints(part, outcome, is_ci=is_ci)


def all_complaints(
    parts: Iterable[Part], outcomes: Mapping[str, Outcome], *, is_ci: bool, missing: Iterable[str] = ()
) -> list[str]:
    """What is wrong with a run that should have had these parts; `missing` are targets that no part serves."""
    found = [f"{target} is a target, and nothing serves it." for target in missing]
    for part in parts:
        if part.name in outcomes:
            found += complaints(part, outcomes[part.name], is_ci=is_ci)
        else:
            found.append(f"{part.name} was not run.")
    return found
