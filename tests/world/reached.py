"""Which ways of recovering a story went: read from the ledger's own events, the runs' endings, and what the world saw leave."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from schemas.reasons import ItemKind
from schemas.resolutions import Resolution
from tests.world.witness import rows

if TYPE_CHECKING:
    from tests.world.story import Story

BY_REASON: dict[str, str] = {
    "a rename is found done by the missing part": "the part is gone: the rename happened",
    "a rename is confirmed": "the server confirms the rename",
    "a copy counts as the rename": "the server copied the part instead of renaming it",
    "a doubted rename is asked for again": "the part is still there: no rename happened",
    "an old part gets a fresh token": "the part is in hand: no rename happened",
    "a rename is doubted": "a rename may have been asked for",
    "an acknowledgement stays away": "no acknowledgement within the ingest window",
    "a search settles a doubt": "the provider's listing shows it",
    "every order of a file is found by asking": "every order of it was found by asking",
    "no hold could be placed": "no hold could be placed",
    "a whole file is withdrawn": "every order was withdrawn",
    "a file goes with fewer rows": "its line in the file is now",
    "a stray hold is lifted": "its row still bore our hold",
    "an order found elsewhere is left out": "it is left out of the file",
}
"""By name: how the reason of an event begins."""

BY_REVIEW: dict[str, str] = {
    "review: completed for another amount": "completed for another amount",
    "review: completed after the end": "completed after it had ended",
    "review: withdrawn, and there all the same": "the provider has it all the same",
    "review: an acknowledgement says two things": "its acknowledgement says two things",
    "review: refused after it was accepted": "refused after it was accepted",
    "review: refused, then worked on": "refused before, yet",
    "review: an id that belongs to another": "the provider gave its id",
    "review: refused as a whole after it was accepted": "although the provider accepted",
    "review: accepted as a whole after it was refused": "although the provider refused",
}
"""By name: words in the reason for which an order went to review."""


CODES = {10: "a person is needed", 11: "doubt remains", 20: "nothing was sent", 21: "another run is active", 30: "refused"}
CODES |= {78: "not fit", 130: "interrupted", 143: "terminated"}
DOUBTS = ("pending", "rejected", "sending")
"""The states in which a doubt about a rename ends."""

ELSEWHERE: dict[str, str] = {
    "a copy counts as the rename": "tests/table/test_delivery_branches.py",
    "a stray hold is lifted": "tests/night/test_corrections.py",
    "an order found elsewhere is left out": "tests/night/test_corrections.py",
    "review: withdrawn, and there all the same": "tests/table/test_conclusions_table.py",
    "review: refused, then worked on": "tests/confluence/test_confluence.py",
    "review: an id that belongs to another": "tests/night/test_corrections.py",
    "review: refused as a whole after it was accepted": "tests/night/test_corrections.py",
    "review: accepted as a whole after it was refused": "tests/night/test_corrections.py",
    f"item: {ItemKind.UNUSUAL_NIGHT}": "tests/night/test_paging.py",
    f"item: {ItemKind.RUN_MISSED}": "tests/schedule/test_process.py",
}
"""Ways that no world goes as things are, and the tests that go them.

A copy counts as the rename only where the server has copied the whole part, left it there, and answered that it failed.
The fault `copied_rename` breaks off after half, as the catalogue has it (N-15): the line is lost, the next rename finds the
name taken by half a file, and the file is in doubt. A fault that copies all of it is not let into worlds: a run that dies
between such a copy and its next look, with the copy taken meanwhile, finds the part still there, which proves by every
other server that no rename happened. No client could know better, and the seeds would tell nothing but that.

A night is unusual only after seven with twenty candidates or more, where worlds have few orders so that seeds are many. A
night is late for `mitbatch schedule` and `nightly --once` only, and the nights of worlds are started by hand.
"""

WAYS: tuple[str, ...] = tuple(
    way
    for way in (
        *BY_REASON,
        *BY_REVIEW,
        *(f"item: {kind}" for kind in ItemKind),
        *(f"decided: {each}" for each in Resolution),
        *(f"ended: {how}" for how in CODES.values()),
        *(f"a doubt ends as {state}" for state in DOUBTS),
        "withdrawn at hold",
        "withdrawn at send",
        "a lease is taken over",
        "an order is claimed again",
        "an older ledger is refused",
        "a part is written anew",
    )
    if way not in ELSEWHERE
)
"""Every way of recovering that worlds have to go."""


def reached(story: "Story") -> Counter[str]:
    """The ways that this story went, each counted once."""
    ledger = story.world.ground.reader(story.world.ground.ledger_path)
    events = rows(ledger, "SELECT kind, source, reason, from_state, to_state FROM event ORDER BY rowid")
    runs = rows(ledger, "SELECT finished_at FROM run ORDER BY fencing_token")
    items = {row["kind"] for row in rows(ledger, "SELECT DISTINCT kind FROM item")}
    again = rows(ledger, "SELECT 1 FROM submission WHERE attempt > 1")
    found = _by_events(events)
    found |= {f"item: {kind}" for kind in items}
    found |= {f"decided: {each.resolution}" for each in story.decided}
    found |= {f"ended: {CODES[ended.code]}" for _, ended in story.world.runs if ended.code in CODES}
    if any(run["finished_at"] is None for run in runs[:-1]):
        found.add("a lease is taken over")
    if again:
        found.add("an order is claimed again")
    if any("older than what was sent" in ended.refusal for _, ended in story.world.runs):
        found.add("an older ledger is refused")
    opened = Counter(send.name for send in story.world.witness.sends if send.kind == "open" and send.creates)
    if any(count > 1 for count in opened.values()):
        found.add("a part is written anew")
    return Counter(found)


def _by_events(events: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for row in events:
        reason = row["reason"]
        found |= {name for name, start in BY_REASON.items() if reason.startswith(start)}
        if row["to_state"] == "review" and row["from_state"] != "review":
            found |= {name for name, words in BY_REVIEW.items() if words in reason}
        if row["kind"] == "transition" and row["to_state"] == "withdrawn":
            found.add(f"withdrawn at {row['source']}")
        if row["kind"] == "transition" and row["from_state"] == "in_doubt":
            found.add(f"a doubt ends as {row['to_state']}")
    return found
