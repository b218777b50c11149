"""The soak: rounds with fresh seeds until the time is over."""

from tests.long.circumstances import Circumstances
from tests.long.invented import part
from tests.long.outcome import Outcome
from tests.long.parts import Part
from tests.long.soak import soak

AROUND = Circumstances("abc", "2026-11-26", "one core")
A_MOMENT = 0.05 / 3600


def play(part: Part, size: int, seed: int, _seconds: float) -> Outcome:
    """A round of twenty things, done in no time; T2 finds something, T3 dies."""
    violations = (f"I2: twice at {seed}",) if part.name == "T2" else ()
    broken = "it ended with 3" if part.name == "T3" else ""
    figures = {} if broken else {"things": size}
    return Outcome(part.name, part.target, part.title, size, seed, figures=figures, violations=violations, broken=broken)


def test_rounds_go_on_until_the_time_is_over() -> None:
    """Each round has a seed of its own, and the counts add up."""
    seeds: list[int] = []

    def run(part: Part, size: int, seed: int, seconds: float) -> Outcome:
        seeds.append(seed)
        return play(part, size, seed, seconds)

    whole = soak(A_MOMENT, 7, AROUND, run, lambda _: None, parts=[part("good")])

    assert whole.size > 1
    assert len(set(seeds)) == len(seeds) == whole.size
    assert whole.figures == {"things": 20 * whole.size}
    assert whole.notes == (f"{20 * whole.size:,} things in {whole.size:,} rounds; the target of a whole night is 20",)


def test_what_goes_wrong_in_a_round_is_told_and_stops_nothing() -> None:
    """Violations and broken rounds are kept with their seeds, and the rounds go on."""
    whole = soak(A_MOMENT, 7, AROUND, play, lambda _: None, parts=[part("violated", "T2"), part("dying", "T3")])

    assert whole.size > 1
    assert len(whole.violations) == 2 * whole.size
    assert whole.violations[0].startswith("I2: twice at ")
    assert "did not come to its end: it ended with 3" in whole.violations[1]


def test_a_soak_that_is_cut_leaves_what_was_done() -> None:
    """The sum is shown after every round."""
    seen: list[int] = []

    soak(A_MOMENT, 7, AROUND, play, lambda whole: seen.append(whole.size), parts=[part("good")])

    assert seen == list(range(1, len(seen) + 1))
