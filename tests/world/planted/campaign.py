"""The campaign of the planted bugs (T9): each by its aim, each aim without its bug, and fresh seeds that look without an aim."""

import importlib
import pkgutil
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import batch
import jobs
import schemas
from tests.compiled import share_compiled_statements
from tests.long.campaign import Campaign, on_all_cores
from tests.world.planted import PLANTED
from tests.world.planted.bug import Fails, Planted
from tests.world.planted.planting import in_child
from tests.world.planted.verdicts import MOST_SECONDS, Verdict, aimed, happened, hunted
from tests.world.schedule import schedule_of
from tests.world.shrink import violations_of
from tests.world.world import leave_ground

WITHIN = 2000
"""So many fresh seeds must be enough for a bug that they are said to find."""


@dataclass(frozen=True)
class Case:
    """One thing to judge: a bug by its aim, a schedule without any bug, or a bug by fresh seeds from one on."""

    slug: str = ""
    schedule: str = ""
    first: int = 0
    most: int = 0


def campaign(size: int, seed: int) -> Campaign:
    """Every bug by its aim; then at most `size` fresh seeds for each that they find as well, from the seed on.

    With a size of 1, as in CI, none is looked for so: one seed finds nothing, and costs a process for each bug.
    """
    began = time.monotonic()
    _load_everything()
    found = list(zip(cases := list(_cases(size, seed)), on_all_cores(judged, cases), strict=True))
    verdicts = [verdict for case, verdict in found if case.slug and not case.most]
    hunts = [verdict for case, verdict in found if case.most]
    clean = [verdict for case, verdict in found if not case.slug]
    return Campaign(
        "T9",
        "planted bugs",
        _figures(verdicts, clean, hunts),
        (*_violations(verdicts, clean), *(_unfound(hunts) if size >= WITHIN else ())),
        time.monotonic() - began,
        _notes(hunts, size, seed),
    )


def _load_everything() -> None:
    """Load what the children need and let one story happen, so that they find modules loaded and statements compiled."""
    share_compiled_statements()
    for package in (batch, jobs, schemas):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and not module.name.startswith("schemas.migrations."):
                importlib.import_module(module.name)
    violations_of(schedule_of(1))
    leave_ground()


def _cases(size: int, seed: int) -> Iterator[Case]:
    """Those that take longest first."""
    for bug in sorted(PLANTED, key=lambda bug: not (isinstance(bug.aim, Fails) and bug.aim.copied)):
        yield Case(bug.slug)
    for schedule in sorted({bug.aim.schedule for bug in PLANTED if not isinstance(bug.aim, Fails)}):
        yield Case(schedule=schedule)
    if size > 1:
        yield from (Case(bug.slug, first=seed, most=size) for bug in PLANTED if bug.hunted)


def judged(case: Case) -> Verdict:
    """One case; a judge that breaks off has caught nothing."""
    bug = next((each for each in PLANTED if each.slug == case.slug), None)
    try:
        if bug is None:
            said = in_child(partial(happened, None, case.schedule), MOST_SECONDS)
            return Verdict(case.schedule, not said, tuple(said))
        return hunted(bug, case.first, case.most) if case.most else aimed(bug)
    except (RuntimeError, ValueError, OSError) as error:
        return Verdict(case.slug or case.schedule, caught=False, said=(f"the judge broke off: {error}",))


def _figures(verdicts: list[Verdict], clean: list[Verdict], hunts: list[Verdict]) -> dict[str, int]:
    levels = {bug.slug: bug.aim.level for bug in PLANTED}
    killed = [verdict.slug for verdict in verdicts if verdict.caught]
    by_level = Counter(levels[slug] for slug in killed)
    seeds = [verdict.seeds for verdict in hunts if verdict.caught]
    return {
        "planted bugs": len(verdicts),
        "killed": len(killed),
        **{f"killed in {level}": count for level, count in sorted(by_level.items())},
        "invariants that killed": len({_bug(slug).invariant for slug in killed}),
        "aims that break nothing without the bug": sum(verdict.caught for verdict in clean),
        "hunted by fresh seeds": len(hunts),
        "found by fresh seeds": len(seeds),
        "seeds to find one, median": int(statistics.median(seeds)) if seeds else 0,
        "seeds to find one, most": max(seeds, default=0),
    }


def _violations(verdicts: list[Verdict], clean: list[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        if not verdict.caught:
            bug = _bug(verdict.slug)
            said = " / ".join(words[:200] for words in verdict.said[:2]) or "nothing"
            yield f"{bug.invariant} does not catch {bug.slug}; said was: {said} [python -m tests.world.planted {bug.slug}]"
    for verdict in clean:
        if not verdict.caught:
            said = " / ".join(words[:200] for words in verdict.said[:2])
            yield f"a schedule breaks something without a bug: {said} [python -m tests.world judge '{verdict.slug}']"


def _unfound(hunts: list[Verdict]) -> Iterator[str]:
    for verdict in hunts:
        if not verdict.caught:
            command = f"python -m tests.world.planted {verdict.slug} --seeds 0 {WITHIN}"
            yield f"{WITHIN} fresh seeds do not find {verdict.slug} [{command}]"


def _notes(hunts: list[Verdict], size: int, seed: int) -> tuple[str, ...]:
    """How many seeds each hunted bug took."""
    words = [f"{verdict.slug} {verdict.seeds}" if verdict.caught else f"{verdict.slug} not in {size}" for verdict in hunts]
    return (f"fresh seeds from {seed} on until a bug was found: {', '.join(words)}",) if words else ()


def _bug(slug: str) -> Planted:
    return next(bug for bug in PLANTED if bug.slug == slug)
