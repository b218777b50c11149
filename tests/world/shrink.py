"""Making a failing schedule short: leave out deeds and orders as long as the same invariant is still broken."""

import hashlib
import json
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from tests.world.befores import world_of
from tests.world.oracle import judge
from tests.world.schedule import Schedule
from tests.world.story import Story


def happened(schedule: Schedule) -> tuple[Story, list[str]]:
    """Let a schedule happen and judge it. What breaks out of a run that should never do so is a violation too."""
    with world_of(schedule) as world:
        story = Story(world, schedule)
        try:
            story.tell()
            return story, judge(story)
        except AssertionError as error:
            return story, [str(error) or "an assertion of the world failed"]
        except Exception as error:  # noqa: BLE001 - whatever it is, a run must not end so
            return story, [f"I20: a run broke off with {type(error).__name__}: {traceback.format_exc(limit=-3)}"]


def violations_of(schedule: Schedule) -> list[str]:
    """What a schedule breaks."""
    return happened(schedule)[1]


def trace_of(schedule: Schedule) -> str:
    """A hash over everything that a schedule led to: each point, the provider's journal, every file and both databases."""
    with world_of(schedule) as world:
        Story(world, schedule).tell()
        digest = hashlib.sha256("\n".join(world.points.labels).encode())
        root = str(world.ground.folder)
        for row in world.provider.journal():
            digest.update(json.dumps(row, sort_keys=True).replace(root, "").encode())
        for path, content in sorted(world.disk.there.items()):
            digest.update(str(path.relative_to(world.disk.root)).encode() + content)
        for database in (world.ground.ledger_path, world.ground.orders_path):
            with closing(sqlite3.connect(database)) as connection:
                digest.update("\n".join(connection.iterdump()).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def ids_of(violations: list[str]) -> set[str]:
    """The invariants that are named."""
    return {words.partition(":")[0] for words in violations}


def shrunk(schedule: Schedule) -> Schedule:
    """The shortest schedule that can be reached by leaving things out, and that still breaks one of the same invariants."""
    wanted = ids_of(violations_of(schedule))
    again = True
    while again:
        again = False
        for smaller in _smaller(schedule):
            if ids_of(violations_of(smaller)) & wanted:
                schedule, again = smaller, True
                break
    return schedule


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    for leave in range(len(schedule.deeds)):
        yield replace(schedule, deeds=schedule.deeds[:leave] + schedule.deeds[leave + 1 :])
    if schedule.orders > 1:
        yield replace(schedule, orders=schedule.orders - 1)
