"""T10, made of what the worlds counted."""

from dataclasses import replace

from tests.house.source import ROOT
from tests.long.outcome import Outcome
from tests.long.struck import LEAST, SOMETIMES, struck
from tests.world.known import Known
from tests.world.reached import BY_REASON, BY_REVIEW, ELSEWHERE, WAYS

FAULTS = {
    "N-01": Known("refused", world="sandbox refuse_connection"),
    "N-02": Known("cut", world="sandbox drop", tests=("tests/a.py",)),
    "N-03": Known("weak", tests=("tests/b.py",)),
    "W-01": Known("forged", door="webhooks"),
}
WORLDS = Outcome("T1", "T1", "worlds", 20_000, 7, figures={"fired: N-01": LEAST.ci, "fired: N-02": LEAST.ci - 1, "schedules": 9})


def test_a_fault_that_struck_too_seldom_is_a_violation() -> None:
    """Each fault of the worlds must have struck often enough; the others are told with where they strike."""
    outcome = struck(WORLDS, is_ci=True, faults=FAULTS, ways=())

    assert outcome.violations == (f"N-02 (cut) struck {LEAST.ci - 1} times, and {LEAST.ci} are asked for",)
    assert list(outcome.figures.values()) == [4, 1, 1, 1, 0, len(ELSEWHERE), LEAST.ci, LEAST.ci - 1]
    assert outcome.notes[len(ELSEWHERE) :] == ("N-03 (weak) strikes in tests/b.py", "W-01 (forged): it waits for webhooks")


def test_at_length_each_must_strike_more_often() -> None:
    """What is enough for CI is not enough for a full run, and a fault that never struck counts as zero times."""
    outcome = struck(replace(WORLDS, figures={"fired: N-01": LEAST.ci}), is_ci=False, faults=FAULTS, ways=())

    assert [words.partition(" ")[0] for words in outcome.violations] == ["N-01", "N-02"]
    assert "struck 0 times" in outcome.violations[1]


def test_a_way_of_recovering_that_was_gone_too_seldom_is_a_violation() -> None:
    """Each way that worlds go must have been gone often enough, in CI and at length; one that was never gone is told as well."""
    figures = {"fired: N-01": 999, "fired: N-02": 999, "reached: often": SOMETIMES.ci, "reached: rare": SOMETIMES.ci - 1}
    worlds = replace(WORLDS, figures=figures)
    for is_ci in (True, False):
        outcome = struck(worlds, is_ci=is_ci, faults=FAULTS, ways=("often", "rare", "never"))

        assert outcome.violations == tuple(
            f"worlds went this way of recovering {count} times, and {SOMETIMES.ci} are asked for: {way}"
            for way, count in (("rare", SOMETIMES.ci - 1), ("never", 0))
        )
        assert outcome.figures[f"ways of recovering, each gone at least {SOMETIMES.ci} times"] == 1


def test_every_way_is_asked_for() -> None:
    """The ways whose names the worlds count are the ones asked for, but for those that a test goes, which is there."""
    assert len(WAYS) == len({*WAYS})
    assert not {*WAYS} & {*ELSEWHERE}
    assert {*BY_REASON, *BY_REVIEW} <= {*WAYS, *ELSEWHERE}
    assert all((ROOT / tests).is_file() for tests in ELSEWHERE.values())
    items = {way.removeprefix("item: "): tests for way, tests in ELSEWHERE.items() if way.startswith("item: ")}
    assert items
    assert all(kind in (ROOT / tests).read_text(encoding="utf-8") for kind, tests in items.items())


def test_every_way_is_known_by_words_that_the_product_says() -> None:
    """The words by which a way is recognised stand in the product; else it would never be seen again, and nobody would know."""
    said = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "batch").rglob("*.py"))

    assert [words for words in (*BY_REASON.values(), *BY_REVIEW.values()) if words not in said] == []


def test_worlds_that_broke_off_leave_it_broken() -> None:
    """Where T1 did not come to its end, T10 did not either."""
    assert struck(replace(WORLDS, broken="it ended with 3"), is_ci=True, faults=FAULTS).broken == "it ended with 3"
