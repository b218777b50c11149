"""The permutation campaign (T8): the provider's messages in every possible order, and many longer or repeated ones."""

import time
from collections import Counter

from tests.confluence.bench import End
from tests.confluence.kit import Kit
from tests.confluence.runs import EXPLORED, SAMPLED, SOME, TWICE, Case, run_case
from tests.confluence.stories import EIGHTS, KITS
from tests.long.campaign import Campaign, on_all_cores

EVERY = 28_800
"""From this size on, every order of arrival of every kit is compared (there are some more); what lies above it is sampled."""

_SHARE = 125


def campaign(size: int, seed: int) -> Campaign:
    """At least `size` orders of arrival. Below EVERY they are a sample in which each kit is met.

    To run a case again: `run_case` in tests.confluence.runs with the case that the sentence ends with.
    """
    start = time.monotonic()
    cases = _every(size - EVERY, seed) if size >= EVERY else _some(size, seed)
    figures: Counter[str] = Counter({"kits": len({case[0] for case in cases})})
    ends: set[tuple[str, End]] = set()
    violations: list[str] = []
    for case, verdict in zip(cases, on_all_cores(run_case, cases), strict=True):
        figures["orders of arrival"] += verdict.arrivals
        figures[f"orders of arrival: {case[1]}"] += verdict.arrivals
        figures["messages"] += verdict.steps
        figures["replays of the evidence"] += verdict.replayed
        ends |= {(case[0], end) for end in verdict.ends}
        violations += [f"{sentence} (case {case})" for sentence in verdict.sentences()]
    figures["distinct ends"] = len(ends)
    return Campaign("T8", "Confluence", dict(figures), tuple(violations), time.monotonic() - start)


def _every(sampled: int, seed: int) -> list[Case]:
    """Every order of each kit, and half as many of eight messages as with repetitions, in small shares."""
    longer = _shares(EIGHTS, SAMPLED, sampled - sampled // 2, seed)
    repeated = _shares(KITS, TWICE, sampled // 2, seed)
    return [*longer, *((kit.name, EXPLORED, 0, seed) for kit in KITS), *repeated]


def _shares(kits: tuple[Kit, ...], manner: str, count: int, seed: int) -> list[Case]:
    cases: list[Case] = []
    for number, kit in enumerate(kits):
        left = count // len(kits) + (number < count % len(kits))
        shares = enumerate(range(0, left, _SHARE))
        cases += [(kit.name, manner, min(_SHARE, left - begun), seed * 1000 + share) for share, begun in shares]
    return cases


def _some(size: int, seed: int) -> list[Case]:
    """One order of each kit, and what is left of the size by how many orders a kit has."""
    counts = {kit.name: sum(1 for _ in kit.arrivals()) for kit in KITS}
    spare, every = max(0, size - len(counts)), sum(counts.values())
    shares = {name: 1 + (count - 1) * spare // every for name, count in counts.items()}
    missing = max(len(counts), size) - sum(shares.values())
    for name in sorted(counts, key=lambda name: shares[name] - counts[name])[:missing]:
        shares[name] += 1
    return [(name, SOME, share, seed) for name, share in shares.items()]
