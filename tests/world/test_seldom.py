"""What is drawn because it is seldom: it comes about where it is all that happens, and breaks nothing."""

import pytest

from tests.world.dice import dice
from tests.world.faults import FAULTS
from tests.world.reached import WAYS
from tests.world.schedule import ORDERS, Schedule, schedule_of
from tests.world.seldom import BY_WAY, deeds_of, seldom_for
from tests.world.shrink import happened

TRIES = 5
"""So many seeds at most, of which one at least must go that way."""


@pytest.mark.parametrize("way", sorted(BY_WAY))
def test_each_comes_about(way: str) -> None:
    """Each is a way that worlds have to go, or a fault that has to strike there, and its deeds lead to it."""
    assert way in WAYS or FAULTS[way].world
    for seed in range(TRIES):
        chance = dice(seed, "trying", way)
        deeds = deeds_of(BY_WAY[way], chance)
        story, violations = happened(Schedule(seed, chance.choice(ORDERS), deeds, "soon"))
        assert violations == []
        if way in story.reached or way in story.fired:
            return
    pytest.fail(f"none of {TRIES} seeds went this way: {way}")


def test_a_share_of_the_seeds_has_one() -> None:
    """Most seeds have none, those that have one mostly nothing else, and what is drawn stands first in the schedule."""
    drawn = {seed: seldom_for(seed) for seed in range(400)}
    having = {seed: found for seed, found in drawn.items() if found[0]}
    assert 30 < len(having) < 90
    assert 0 < sum(not is_alone for _, is_alone in having.values()) < len(having) / 2
    for seed, (deeds, is_alone) in having.items():
        told = schedule_of(seed).deeds
        assert told[: len(deeds)] == deeds
        assert not is_alone or len(told) == len(deeds)
