"""Parts that run in pieces: the sum is that of the whole, and what is done is not done again."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.long.invented import part
from tests.long.outcome import Outcome
from tests.long.parts import PARTS, Part
from tests.long.pieces import pieces_of, run_in_pieces

LONG = replace(part("good"), piece=8)


class Runs:
    """Remembers what was run; the piece from seed `broken` does not come to its end."""

    def __init__(self, broken: int = 0) -> None:
        self.seen: list[tuple[int, int]] = []
        self.broken = broken

    def __call__(self, part: Part, size: int, seed: int, _seconds: float) -> Outcome:
        """One piece."""
        self.seen.append((size, seed))
        if seed == self.broken:
            return Outcome(part.name, part.target, part.title, size, seed, commit="abc", broken="it ended with 3")
        return Outcome(part.name, part.target, part.title, size, seed, commit="abc", seconds=1.5, figures={"things": size})


def test_the_pieces_are_the_whole(tmp_path: Path) -> None:
    """Sizes, seeds, counts and times of the pieces add up."""
    runs = Runs()
    outcome = run_in_pieces(LONG, 20, 100, 60, runs, tmp_path, resumes=False)

    assert runs.seen == [(8, 100), (8, 108), (4, 116)]
    assert (outcome.size, outcome.seed, outcome.figures, outcome.seconds) == (20, 100, {"things": 20}, 4.5)
    assert (outcome.part, outcome.commit, outcome.broken) == ("T1", "abc", "")


def test_a_part_that_was_cut_goes_on_with_the_missing_pieces(tmp_path: Path) -> None:
    """With `resumes` a piece that is there and good is not run again, one that broke off is."""
    first = run_in_pieces(LONG, 20, 100, 60, Runs(broken=108), tmp_path, resumes=False)
    runs = Runs()
    second = run_in_pieces(LONG, 20, 100, 60, runs, tmp_path, resumes=True)

    assert first.broken == "the piece from seed 108: it ended with 3"
    assert first.figures == {"things": 12}
    assert runs.seen == [(8, 108)]
    assert (second.broken, second.figures) == ("", {"things": 20})


def test_without_resuming_all_pieces_are_run(tmp_path: Path) -> None:
    """Pieces of another run do not count."""
    runs = Runs()
    for _ in range(2):
        run_in_pieces(LONG, 20, 100, 60, runs, tmp_path, resumes=False)

    assert len(runs.seen) == 6


def test_a_part_without_pieces_is_one() -> None:
    """Most parts run whole."""
    assert list(pieces_of(part("good"), 20, 100)) == [(20, 100)]
    assert [each.name for each in PARTS if each.piece] == ["T1", "T14"]


@pytest.mark.parametrize(("tells_cases", "notes"), [(False, ("from 116",)), (True, ("from 100", "from 108", "from 116"))])
def test_notes_about_cases_are_those_of_every_piece(tells_cases: bool, notes: tuple[str, ...], tmp_path: Path) -> None:
    """A rate is that of the last piece; what is named case by case comes from each of them."""

    def run(part: Part, size: int, seed: int, seconds: float) -> Outcome:
        return replace(Runs()(part, size, seed, seconds), notes=(f"from {seed}",))

    part = replace(LONG, tells_cases=tells_cases)
    assert run_in_pieces(part, 20, 100, 60, run, tmp_path, resumes=False).notes == notes
