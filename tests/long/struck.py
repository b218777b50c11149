"""T10: how often each fault of the catalogue struck in the worlds of T1, and where those strike that cannot strike there.

And how often the worlds went each way of recovering ("sometimes"), with the tests that go those that no world goes.
"""

import re
from collections.abc import Collection, Mapping

from tests.long.outcome import Outcome
from tests.long.parts import STRUCK, Amount
from tests.world.faults import FAULTS
from tests.world.known import Known
from tests.world.reached import ELSEWHERE, WAYS

LEAST = Amount(40, 200)
"""So often each fault of the worlds must have struck."""

SOMETIMES = Amount(50, 50)
"""So often the worlds must have gone each way of recovering."""

ID = re.compile(r"\b([NHWFPDO]-\d\d)$")


def struck(worlds: Outcome, *, is_ci: bool, faults: Mapping[str, Known] = FAULTS, ways: Collection[str] = WAYS) -> Outcome:
    """The outcome of T10 by the figures of T1, which end with the fault's id or name the way of recovering.

    A fault that struck too seldom is a violation, and a way that was gone too seldom.
    """
    counts = {match.group(1): count for name, count in worlds.figures.items() if (match := ID.search(name))}
    least, inside = LEAST.of(is_ci=is_ci), {fault_id for fault_id, known in faults.items() if known.world}
    seldom = {fault_id for fault_id in inside if counts.get(fault_id, 0) < least}
    gone, sometimes = _gone(worlds, ways), SOMETIMES.of(is_ci=is_ci)
    elsewhere = {fault_id for fault_id, known in faults.items() if known.tests} - inside
    figures = {
        "faults of the catalogue": len(faults),
        f"struck in the worlds, each at least {least} times": len(inside - seldom),
        "struck by tests on other levels": len(elsewhere),
        "waiting for a door": len(set(faults) - inside - elsewhere),
        f"ways of recovering, each gone at least {sometimes} times": sum(count >= sometimes for count in gone.values()),
        "ways of recovering that tests go": len(ELSEWHERE),
    }
    return Outcome(
        STRUCK.name,
        STRUCK.target,
        STRUCK.title,
        worlds.size,
        worlds.seed,
        worlds.commit,
        worlds.date,
        worlds.machine,
        figures=figures | {f"times struck: {fault_id}": counts.get(fault_id, 0) for fault_id in faults if fault_id in inside},
        violations=tuple(
            f"{fault_id} ({faults[fault_id].sentence}) struck {counts.get(fault_id, 0)} times, and {least} are asked for"
            for fault_id in sorted(seldom)
        )
        + tuple(
            f"worlds went this way of recovering {count} times, and {sometimes} are asked for: {way}"
            for way, count in gone.items()
            if count < sometimes
        ),
        notes=tuple(_notes(faults)),
        broken=worlds.broken,
    )


def _gone(worlds: Outcome, ways: Collection[str]) -> dict[str, int]:
    return {way: worlds.figures.get(f"reached: {way}", 0) for way in ways}


def _notes(faults: Mapping[str, Known]) -> list[str]:
    """Where the faults strike that worlds cannot have, and what those wait for that cannot strike at all."""
    found = [f"a way of recovering, {way}, is gone in {tests}" for way, tests in ELSEWHERE.items()]
    for fault_id, known in faults.items():
        if not known.world and known.tests:
            found.append(f"{fault_id} ({known.sentence}) strikes in {', '.join(known.tests)}")
        elif known.door:
            found.append(f"{fault_id} ({known.sentence}): {'the rest of it' if known.world else 'it'} waits for {known.door}")
    return found
