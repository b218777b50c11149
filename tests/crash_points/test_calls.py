"""Dying in a night by calls: whatever point it is, every invariant holds, each order is called once, and doubt is told."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.world.befores import world_of
from tests.world.oracle import judge
from tests.world.schedule import Deed, Kind, Schedule
from tests.world.story import Story
from tests.world.world import leave_ground

BY_CALLS = Deed("settings", 0, 0, 'channels.evaluate="api"')
COPIES_TOO = Deed("settings", 0, 1, 'channels.transmit="api"')
NIGHT = range(7, 125, 17)
"""A share of the points of a night with three orders."""


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    leave_ground()


def told(*deeds: Deed) -> Story:
    """What became of three orders that are handed over by calls, when these things go wrong."""
    schedule = Schedule(5, 3, (BY_CALLS, *deeds))
    with world_of(schedule) as world:
        story = Story(world, schedule)
        story.tell()
        assert judge(story) == []
        return story


@pytest.mark.parametrize("kind", ["crash", "power cut"])
@pytest.mark.parametrize("at", NIGHT)
def test_a_night_by_calls_may_die_anywhere(kind: Kind, at: int) -> None:
    """Killed there, or without power there: at most one evaluate of each order is taken, with one key."""
    story = told(Deed(kind, 0, at))
    assert story.world.runs[0][1].killed
    calls = [send for send in story.world.witness.sends if send.kind == "call"]
    assert max(Counter(send.name for send in calls).values(), default=0) <= 1


@pytest.mark.parametrize("label", ["before HTTP evaluate", "after HTTP evaluate"])
def test_dying_at_a_call_leaves_doubt_that_is_settled_by_asking(label: str) -> None:
    """The call that was made is found by our id; those that were not are in doubt, held, and a person is told."""
    story = told(Deed("crash", 0, 1, "", label))
    states = Counter(story.world.states().values())
    accepted = {row["order_id"] for row in story.world.provider.journal() if row["event"] == "accepted"}
    assert states["in_doubt"] == 3 - len(accepted) > 0
    assert [item["kind"] for item in story.items() if item["closed_at"] is None] == ["missing_acknowledgement"]


def test_dying_twice() -> None:
    """The run after a death dies as well, in the midst of asking: the third settles it, and nothing is called twice."""
    story = told(Deed("crash", 0, 0, "", "after HTTP evaluate"), Deed("crash", 1, 0, "", "after HTTP orders"))
    assert [ended.killed for _, ended in story.world.runs[:2]] == [True, True]


def test_a_second_run_beside_the_calls() -> None:
    """Another night begins while the first is calling, and stands back; each order is called once."""
    story = told(Deed("second run", 0, 0, "", "after HTTP evaluate"))
    assert Counter(send.name for send in story.world.witness.sends).most_common(1)[0][1] == 1


def test_a_paused_run_calls_no_order_twice() -> None:
    """A run is paused at a call for longer than its lease, another takes over: no order is called by both."""
    story = told(Deed("paused", 0, 0, "nightly", "before HTTP evaluate"))
    answered = [send.name for send in story.world.witness.sends if send.kind == "call" and send.status != 401]
    assert max(Counter(answered).values()) == 1
    assert len({send.process for send in story.world.witness.sends if send.kind == "call"}) == 1


def test_copies_by_calls_die_too() -> None:
    """A transmit that dies at a call sends no copy twice, and tells of what nobody can know."""
    paid = Deed("merchant", 0, 1, "paid")
    story = told(COPIES_TOO, paid, Deed("job", 1, 0, "transmit"), Deed("crash", 1, 0, "", "after HTTP transmit"))
    taken = [row for row in story.world.provider.journal() if row["event"] == "accepted"]
    copies = [row["order_id"] for row in taken if row["kind"] == "transmit"]
    assert len(copies) == len(set(copies))


def test_a_night_by_calls_is_the_same_each_time() -> None:
    """The same seed gives the same points and the same journal, although calls go out side by side."""
    first, second = told(), told()
    assert first.world.points.labels == second.world.points.labels
