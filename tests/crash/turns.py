"""A night that waits at a point while others start: they leave, and the one that follows a dead night works at once."""

import os
import signal

from tests.crash.picture import take_picture
from tests.crash.runs import Child
from tests.crash.world import HOURS_LATER, World, point_of


def two_at_once(world: World, part: str) -> list[str]:
    """A night waits at the first point whose label matches this while others start: they exit 21, and it goes on."""
    child = _halted(world, part)
    before = take_picture(world._folder, world._provider.record()).events
    for name in ("nightly", "poll", "transmit"):
        second = world._run(name)
        world._need(second.code == 21, f"a second {name} ended with {second.code}: {second.problems}")
    after = take_picture(world._folder, world._provider.record()).events
    world._need(before == after, "the second run changed the ledger")
    child.go_on()
    first = child.ending()
    world._need((first.killed, first.code) == (False, 10), f"the first run ended with {first.code}: {first.problems}")
    return _closing(world)


def taken_over(world: World, part: str) -> list[str]:
    """A night dies while another starts: that one exits 21 while the first is alive, and works at once when it is dead."""
    child = _halted(world, part)
    second = world._run("nightly")
    world._need(second.code == 21, f"beside a living run, the second ended with {second.code}")
    os.kill(child.pid, signal.SIGKILL)
    world._need(child.ending().killed, "the first run did not die")
    world._provider.settle()
    world._run_well("nightly")
    return _closing(world)


def _halted(world: World, part: str) -> Child:
    world._begin("night")
    child = world._child("nightly", point_of(world.labels["night"][0], part))
    child.await_halt()
    return child


def _closing(world: World) -> list[str]:
    world._pass(HOURS_LATER)
    world._run_well("poll")
    return [*world._problems, *world._judge("night", world._picture())]
