"""Whatever order the provider's messages arrive in, and however often, the ledger ends in one state (I7, I8)."""

from dataclasses import replace

import pytest

from tests.confluence.campaign import _every, _some, campaign
from tests.confluence.kit import Kit
from tests.confluence.runs import EXPLORED, SAMPLED, SOME, TWICE, explore_kit, run_case, run_kit
from tests.confluence.stories import EIGHTS, KITS

_EXPLORED = (
    "copies-completed-cancelled",
    "life-completed-then-returned",
    "same-size-correction-unseen",
    "one-id-in-two-files",
    "file-refused-and-accepted",
    "file-refused-after-completion",
    "cancelled-then-called-expired",
    "webhook-by-key-only",
    "webhook-in-doubt",
    "rows-contradict",
    "ids-that-do-not-fit",
)
"""Some of the kits, among them those by which planted bugs are caught; T8 of `.ci/run` explores every one."""


def kit_named(name: str) -> Kit:
    """The kit of this name."""
    return next(kit for kit in (*KITS, *EIGHTS) if kit.name == name)


@pytest.mark.parametrize("name", _EXPLORED)
def test_every_order_of_arrival_ends_alike(name: str) -> None:
    """Every possible order of a kit's messages, and the replay of what was stored, end in one state, row and set of items."""
    kit = kit_named(name)

    verdict = explore_kit(kit)

    assert verdict.sentences() == []
    assert verdict.arrivals == sum(1 for _ in kit.arrivals())


def test_exploring_says_what_running_each_order_says() -> None:
    """Going on once from equal ledgers finds the same ends and the same disagreements as running every order by itself."""
    whole = kit_named("copies-completed-other-amount")
    small = [replace(whole, messages=(whole.messages[0], *whole.messages[3:]))]
    wrong = [replace(kit, ends=(("a", "declined"),)) for kit in small]

    explored = [explore_kit(kit) for kit in (*small, *wrong)]
    run = [run_kit(kit, kit.arrivals()) for kit in (*small, *wrong)]

    assert [(each.arrivals, each.counts) for each in explored] == [(each.arrivals, each.counts) for each in run]
    assert run[1].counts["ends a review"] + run[1].counts["ends a completed"] == run[1].arrivals == 6


@pytest.mark.parametrize("name", ["rows-twice", "late-in-doubt", "webhook-completed"])
def test_a_message_may_come_twice(name: str) -> None:
    """A repeated file, hint or answer changes nothing, whenever it comes."""
    verdict = run_case((name, TWICE, 3, 1))

    assert verdict.sentences() == []
    assert (verdict.arrivals, verdict.repeated) == (4, 3)


def test_eight_messages_end_alike() -> None:
    """Sampled orders of eight messages end as the first one does."""
    assert [run_case((kit.name, SAMPLED, 1, 1)).sentences() for kit in EIGHTS] == [[]] * len(EIGHTS)


def test_a_small_campaign_meets_every_kit() -> None:
    """Below the full size the campaign is a sample of exactly that many orders of arrival, in which each kit is met."""
    cases = _some(2 * len(KITS), 7)

    assert {name for name, _, _, _ in cases} == {kit.name for kit in KITS}
    assert sum(count for _, _, count, _ in cases) == 2 * len(KITS)
    assert all(count <= sum(1 for _ in kit_named(name).arrivals()) for name, _, count, _ in cases)


def test_the_whole_campaign_is_all_orders_and_more() -> None:
    """From its full size on every kit is explored whole, and what lies above is sampled, longer or with repetitions."""
    cases = _every(20_000, 7)

    assert {name for name, manner, _, _ in cases if manner == EXPLORED} == {kit.name for kit in KITS}
    assert sum(count for _, manner, count, _ in cases if manner != EXPLORED) == 20_000
    assert len(set(cases)) == len(cases)


def test_a_campaign_counts_what_it_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its figures are those of the kits that it ran."""
    monkeypatch.setattr(
        "tests.confluence.campaign._some", lambda size, seed: [("file-refused", SOME, 2, seed), ("rows-twice", SOME, 1, seed)]
    )

    found = campaign(3, 7)

    assert found.violations == ()
    assert (found.figures["kits"], found.figures["orders of arrival"], found.figures["distinct ends"]) == (2, 3, 2)


def test_the_provider_s_own_time_is_kept() -> None:
    """Answers about one order come in the provider's order unless copies answer; a file's beginning comes before the whole."""
    completed, copies, half = kit_named("life-completed"), kit_named("copies-completed-cancelled"), kit_named("half-written")

    def places(kit: Kit, label: str) -> list[int]:
        index = next(n for n, message in enumerate(kit.messages) if message.label == label)
        return [arrival.index(index) for arrival in kit.arrivals()]

    assert all(a < b for a, b in zip(places(completed, "a is PROCESSING"), places(completed, "a is COMPLETED"), strict=True))
    assert {a < b for a, b in zip(places(copies, "a is COMPLETED"), places(copies, "a is CANCELLED"), strict=True)} == {
        True,
        False,
    }
    assert all(a < b for a, b in zip(places(half, "beginning"), places(half, "all accepted"), strict=True))


def test_the_kits_are_many() -> None:
    """At least 40 kits of two to six messages stand for every fault F-03 to F-12 and give at least 28,800 orders of arrival."""
    faults = {fault for kit in KITS for fault in kit.faults}

    assert len(KITS) >= 40
    assert len({kit.name for kit in (*KITS, *EIGHTS)}) == len(KITS) + len(EIGHTS)
    assert {len(kit.messages) for kit in KITS} <= {2, 3, 4, 5, 6}
    assert {f"F-{number:02}" for number in range(3, 13)} <= faults
    assert sum(sum(1 for _ in kit.arrivals()) for kit in KITS) >= 28_800
