"""Parts within their time."""

import time
from pathlib import Path

from tests.long.circumstances import Circumstances, seed_of
from tests.long.invented import A_DAY, part
from tests.long.outcome import Outcome
from tests.long.parts import Part
from tests.long.running import run_part, run_parts

AROUND = Circumstances("abc", "2026-11-26", "one core")


def test_a_part_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """A campaign that is not ready when its time is over is ended, and says so."""
    began = time.monotonic()

    outcome = run_part(part("endless"), 10, 7, AROUND, said=tmp_path / "said", seconds=2.0)

    assert outcome.broken.startswith("it was stopped after 2 seconds, when its time was over")
    assert time.monotonic() - began < 200


def test_what_cannot_begin_in_time_says_so() -> None:
    """When the time is over the parts that are left are not begun, and each has an outcome that says it."""
    seen: list[str] = []
    time_now = [1000.0]

    def run(part: Part, size: int, seed: int, left: float) -> Outcome:
        time_now[0] += left
        return Outcome(part.name, part.target, part.title, size, seed)

    parts = [(part("good"), 10, 7), (part("good", "T2"), 10, 7)]
    outcomes = run_parts(parts, run, seconds=0.1, watch=lambda part, _: seen.append(part.name), clock=lambda: time_now[0])

    assert [outcome.broken for outcome in outcomes] == ["", "it was not begun: the time was over"]
    assert seen == ["T1", "T2"]


def test_a_part_counts_its_time(tmp_path: Path) -> None:
    """Wall time and the processors' time are measured around the campaign, not taken from its word."""
    outcome = run_part(part("good"), 10, 7, AROUND, said=tmp_path / "said", seconds=60)

    assert 0 < outcome.seconds < A_DAY
    assert outcome.cpu_seconds > 0


def test_each_commit_has_its_seed() -> None:
    """The seed is another for each commit, and what is not committed does not change it."""
    assert seed_of("a1b2c3") != seed_of("a1b2c4")
    assert seed_of("a1b2c3") == seed_of("a1b2c3 with changes")
