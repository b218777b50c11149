"""Dying in the world: a share of a night's points, a share of its pairs, and a bug that nothing but a death shows."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from batch import settling
from batch.delivery import Delivery
from batch.ledger import Writing
from batch.ledger.operations import Operation, move_operation
from schemas.operations import OperationStep
from tests.crash_points.campaign import CUTS, SHARE, Case, _singles, explore, survived
from tests.crash_points.exploring import Chosen, crash_free, die_once, die_twice, labels_of, only, state_of
from tests.crash_points.forks import in_a_fork, watching
from tests.crash_points.scenarios import SCENARIOS, Scenario
from tests.world.equivalence import Ending, differences, ending_of
from tests.world.world import World, ground

NIGHT = SCENARIOS["pairs: night"]
SOME = Case(NIGHT.name, 0, Chosen(every=19, offset=5))
TWICE = Case(NIGHT.name, 0, Chosen(every=21, offset=14), first=60)


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    ground().leave()
    ground.cache_clear()


BY_PEOPLE = ("cancel", "refund", "capture", "a decision about an order", "a decision about a file")


@pytest.mark.parametrize("name", BY_PEOPLE)
@pytest.mark.parametrize("cut", [False, True], ids=["death", "power cut"])
def test_dying_while_somebody_asks_changes_nothing(name: str, *, cut: bool) -> None:
    """Before and after each commit and call of a cancel, a refund, a capture, a decision: once, and never untold."""
    found = explore(Case(name, 0, Chosen(2, 16, every=3), cut=cut))
    assert found.violations == ()
    assert found.deaths >= 3


@pytest.mark.parametrize("name", ["calls", "calls without an answer", "copies by calls"])
def test_dying_among_calls_changes_nothing(name: str) -> None:
    """A share of the points of a night, or of copies, by calls: no order is called twice, and doubt is told."""
    found = explore(Case(name, 0, Chosen(every=11, offset=4)))
    assert found.violations == ()
    assert found.deaths >= 2


def test_a_repetition_that_only_a_death_shows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a refund whose run died counts as refused, it is asked for again, and the provider gives back twice: I2 says so."""
    refund = SCENARIOS["refund"]
    expected, (labels, *_) = crash_free(refund), labels_of(refund)

    def forget(writing: Writing, asked: Operation) -> Operation:
        return move_operation(writing, asked, OperationStep.REFUSED, reason="its run died")

    monkeypatch.setattr(settling, "_doubted", forget)
    found = die_once(refund, 0, only(labels.index("after HTTP refund") + 1), expected, cut=False)
    assert {words.partition(":")[0] for words in found.violations} >= {"I2"}


@pytest.mark.parametrize(
    "case",
    [SOME, Case(NIGHT.name, 0, Chosen(every=21, offset=5), cut=True), Case("transmit", 0, Chosen(every=13, offset=3)), TWICE],
)
def test_dying_changes_nothing(case: Case) -> None:
    """After a death, a power cut, or a second death in the run that comes after, the books end as without."""
    found = explore(case)
    assert found.violations == ()
    assert found.deaths >= 4


def test_dying_around_the_rename_changes_nothing() -> None:
    """After a death right before the rename of a verified part, or right after it, the next run goes on with that part."""
    expected, (labels, *_) = crash_free(NIGHT), labels_of(NIGHT)
    before = labels.index("before SFTP rename") + 1
    for at in (before, before + 1):
        found = die_once(NIGHT, 0, only(at), expected, cut=False)
        assert (found.violations, found.deaths) == ((), 1)


def test_a_bug_that_only_a_death_shows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a run after a death leaves a verified part alone, I9 says so, after one death and after the second of two."""
    monkeypatch.setattr(Delivery, "_resume", lambda _delivery, batch: batch)
    expected, (labels, *_) = crash_free(NIGHT), labels_of(NIGHT)
    rename, holds = (labels.index(label) + 1 for label in ("before SFTP rename", "after commit orders"))
    for found in (
        die_once(NIGHT, 0, only(rename), expected, cut=False),
        die_twice(NIGHT, 0, holds, Chosen(rename - 8, rename), expected),
    ):
        assert {words.partition(":")[0] for words in found.violations} >= {"I9", "I13"}


def test_equal_states_have_equal_futures() -> None:
    """Of two deaths that leave the same world behind, one speaks for both: carried on, both come to the same end."""
    with NIGHT.world() as world:
        ends: list[tuple[bytes, Ending]] = []

        def at_each(_label: str) -> None:
            ends.append((state_of(world), in_a_fork(world, lambda: _end(world, NIGHT), died="nightly")))

        counted = Counter[bytes]()

        def at_some(label: str) -> None:
            counted[state_of(world)] += 1
            if sum(counted.values()) in range(41, 54):
                at_each(label)

        with watching(world, at_some):
            world.run("nightly")
    doubles = [pair for pair in pairwise(ends) if pair[0][0] == pair[1][0]]
    assert len(doubles) >= 3
    assert all(first[1] == second[1] for first, second in doubles)
    assert len(counted) > 40


def test_a_death_speaks_for_the_points_after_it_that_leave_the_same_world() -> None:
    """All of some points one after another are died at, with fewer lives than points."""
    found = explore(Case(NIGHT.name, 0, Chosen(41, 60)))

    assert (found.points, found.violations) == (set(range(41, 61)), ())
    assert found.carried_on < found.deaths == 20


def test_every_point_is_in_one_case() -> None:
    """The deaths of a campaign are every point of every run; of the power cuts it has a part, by the seed."""
    labels = {"a": [["x"] * (2 * SHARE + 1), ["y"]], "b": [["z"] * SHARE]}
    cases = list(_singles(labels, 7, is_whole=False))
    spans = {True: Counter[tuple[str, int, int]](), False: Counter[tuple[str, int, int]]()}
    for case in cases:
        spans[case.cut].update((case.scenario, case.step, at) for at in range(case.chosen.first, case.chosen.last + 1))
    points = {(name, step, at + 1) for name, steps in labels.items() for step, of in enumerate(steps) for at in range(len(of))}

    assert set(spans[False]) == set(spans[True]) == points
    assert {*spans[False].values(), *spans[True].values()} == {1}
    assert {case.chosen.every for case in cases if case.cut} == {CUTS}
    assert {case.chosen.every for case in cases if not case.cut} == {1}
    assert {case.chosen.every for case in _singles(labels, 7, is_whole=True)} == {1}


def test_a_point_at_which_nobody_died_is_told() -> None:
    """Whatever was not died at is named, and nothing else."""
    labels = {"a": [["before x", "after x"], ["before y"]], "b": [["z"]]}

    assert survived(labels, {("a", 0): {1, 2}, ("a", 1): {1}, ("b", 0): {1}}) == []
    assert survived(labels, {("a", 0): {1}, ("b", 0): {1}}) == [
        "T2: nobody died at point 2 (after x) of run 1 of a",
        "T2: nobody died at point 1 (before y) of run 2 of a",
    ]


def _end(world: World, scenario: Scenario) -> Ending:
    scenario.play(world)
    return ending_of(world) | {"journal": world.provider.journal()}


def test_a_fork_leaves_its_parent_untouched() -> None:
    """What happens after a death happens in a world of its own; the run that went on ends as if nobody had died."""
    with NIGHT.world() as world:
        NIGHT.play(world)
        alone = ending_of(world)
    with NIGHT.world() as world:

        def at_each(label: str) -> None:
            if label == "after commit orders":
                in_a_fork(world, lambda: _end(world, NIGHT), died="nightly")

        with watching(world, at_each):
            NIGHT.play(world)
        assert differences(alone, ending_of(world)) == []


def test_differences_are_noticed() -> None:
    """A row that differs, an item too many and a missing file of finance's are each a sentence that begins with I9."""
    expected: Ending = {"order rows": {"a": ["completed"]}, "open items": [["x", "order:a"]], "left over": []}
    assert differences(expected, expected) == []
    for name, other in (("order rows", {"a": ["pending"]}), ("open items", []), ("left over", [".x.new"])):
        assert [words[:3] for words in differences(expected, {**expected, name: other})] == ["I9:"]
    assert differences({**expected, "2026-11-23/holds.csv": []}, expected) != []


def test_every_scenario_has_its_points() -> None:
    """At least twenty-eight scenarios, and those that are counted here have the points that the send protocol is about."""
    assert len(SCENARIOS) >= 28
    (night, poll) = labels_of(NIGHT)
    assert {"after commit ledger", "after commit orders", "before SFTP rename", "asked SFTP rename"} <= set(night)
    assert len(night) > 100
    assert len(poll) > 50


def test_a_lost_file_that_was_found_counts_as_delivered() -> None:
    """A night that loses sight of its file, and then finds its orders by asking, does not say that nothing was sent."""
    scenario = SCENARIOS["in doubt at the rename"]
    with scenario.world() as world:
        scenario.play(world, 0, 1)
        assert [ended.code for _, ended in world.runs] == [10]
        assert set(world.states().values()) == {"pending"}
    crash_free(scenario)
