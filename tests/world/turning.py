"""People who stop sending and let it go on, in the midst of runs or between them: `switch`, `pause`, `resume` in a world."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch.ledger.switches import SwitchWanted
from batch.switching import SENDING
from jobs.switches import carry_out
from schemas.errors import LedgerBusy, MitbatchError
from tests.world.points import PowerCut

if TYPE_CHECKING:
    from tests.world.story import Story

PERSON, REASON = "ada@desk", "the descriptor is wrong"
_LAST = "SELECT to_state FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True)
class Turned:
    """A switch that somebody turned: at which point of the world, under which label, and how many sends it had seen."""

    name: str
    on: bool
    point: int
    label: str
    sends: int


def turn(story: "Story", words: str, *, is_alone: bool = True) -> bool:
    """Turn a switch: `mit off`, `site:acme-us on`, `sending off`. Returns whether the ledger is locked, so that they try again.

    `is_alone`: no other run stands still in the midst of its calls, so that a loop may be begun in this thread.
    """
    if story.spoilt or story.restored:
        return False
    name, _, to = words.rpartition(" ")
    found: list[bool] = []
    if is_alone:
        found.append(_carry_out(story, name, on=to == "on"))
    else:
        person = threading.Thread(target=lambda: found.append(_carry_out(story, name, on=to == "on")))
        person.start()
        person.join()
    points, witness = story.world.points, story.world.witness
    if _stands(story, name) == to and not (story.turned and _same(story.turned, name, on=to == "on")):
        label = points.labels[-1] if witness.process else ""
        story.turned.append(Turned(name, to == "on", len(points.labels), label, len(witness.sends)))
    return found[0]


def turn_all_on(story: "Story") -> None:
    """Whoever turned something off turns it on again."""
    for name in sorted({turned.name for turned in story.turned}):
        if _stands(story, name) == "off":
            turn(story, f"{name} on")


def _same(turned: list[Turned], name: str, *, on: bool) -> bool:
    before = [each.on for each in turned if each.name == name]
    return bool(before) and before[-1] is on


def _carry_out(story: "Story", name: str, *, on: bool) -> bool:
    command = "switch" if name != SENDING else "resume" if on else "pause"
    try:
        with story.world.witness.of_a_person():
            carry_out(story.world.settings, story.world.surroundings(), command, SwitchWanted(name, on, REASON, PERSON))
    except LedgerBusy:
        return True
    except (MitbatchError, PowerCut):
        pass
    return False


def _stands(story: "Story", name: str) -> str:
    try:
        with closing(sqlite3.connect(story.world.ground.ledger_path, timeout=0)) as ledger:
            found = ledger.execute(_LAST, (f"switch:{name}",)).fetchone()
    except sqlite3.DatabaseError:
        return ""
    return str(found[0]) if found else ""
