"""Every benchmark still runs, at a size whose figures say nothing; and what they are made of is right."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import PARTS, main
from tests.benchmarks.figures import Cost, Figure, Goal, line_of, median, verdicts
from tests.benchmarks.measuring import process
from tests.benchmarks.staged import STAGES


@pytest.mark.at_length
def test_everything_runs_and_stands_in_the_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each part gives figures with times of their own, every stage of a night among them, and is held against its goals."""
    assert main(["--smoke", "--json", str(tmp_path / "figures.json")]) == 0
    found = json.loads((tmp_path / "figures.json").read_text())
    told = capsys.readouterr().out

    assert {figure["part"] for figure in found["figures"]} == set(PARTS) == {goal["part"] for goal in found["goals"]}
    assert [figure for figure in found["figures"] if not (figure["cost"]["wall"] or figure["cost"]["processor"])] == []
    stages = {figure["what"].strip() for figure in found["figures"] if figure["what"].startswith("  ")}
    assert stages == {*STAGES, "rest"}
    assert all(figure["what"].strip() in told for figure in found["figures"])
    assert found["machine"]["cores"]


def test_a_goal_is_missed_by_being_too_low_or_too_high() -> None:
    """At least and at most are not taken for each other, and what is missed is named."""
    goals = [Goal("a", "times", 2.9, 3), Goal("a", "times", 3.0, 3), Goal("b", "seconds", 301, 300, at_most=True)]

    assert [goal.is_met for goal in goals] == [False, True, False]
    assert [line.split()[0] for line in verdicts(goals)] == ["MISSED", "ok", "MISSED"]


def test_the_middle_run_counts() -> None:
    """A run that was held up does not change the figure; the peak is the highest that was seen."""
    found = median([Cost(1, 1, 10), Cost(9, 2, 30), Cost(2, 3, 20)])

    assert found == Cost(2, 2, 30)
    assert "1,000" in line_of(Figure("a", "b", Cost(2, 2, 30), 2000))


def test_a_command_is_charged_for_itself_alone(tmp_path: Path) -> None:
    """The processor's time and the memory are those of the command: what this process holds is not counted into them."""
    held = bytearray(300 << 20)
    ended = process(["/bin/sh", "-c", "exit 3"], tmp_path)

    assert len(held) >> 20 == 300
    assert ended.code == 3
    assert ended.cost.peak_mb < 100
    assert ended.cost.processor < 1
