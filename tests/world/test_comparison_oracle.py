"""The judge of comparisons: books are made to differ, and a comparison that passes over any of it is named."""

import pytest

from batch import comparing, comparison_strangers
from tests.world.oracle_comparison import i5_comparison_names_each
from tests.world.schedule import Schedule
from tests.world.story import Story
from tests.world.world import World


def judged_after(seed: int, orders: int = 6) -> list[str]:
    """What the judge says after one night in which all went well."""
    with World(seed, orders=orders) as world:
        world.run("nightly")
        world.pass_time(hours=2)
        return i5_comparison_names_each(Story(world, Schedule(seed, orders, ())))


@pytest.mark.parametrize("seed", range(4))
def test_a_comparison_that_names_all_passes(seed: int) -> None:
    """Whatever was made to differ, the product's comparison says so."""
    assert judged_after(seed) == []


def test_a_comparison_that_sees_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes every order for equal misses the lost, the changed and the charged one."""
    monkeypatch.setattr(comparing, "differences", lambda *_: [])
    found = judged_after(1)
    assert sum("was made missing_at_provider" in words for words in found) == 1
    assert sum("was made amount_differs" in words for words in found) == 1
    assert sum("charged in-house" in words for words in found) == 1


def test_a_comparison_that_knows_no_strangers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that looks only at orders of the ledger misses what nobody handed over."""
    monkeypatch.setattr(comparison_strangers, "strangers_page", lambda *_args, **_more: [])
    assert any("stranger was made missing_in_ledger" in words for words in judged_after(1))
