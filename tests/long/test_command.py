"""The command, with invented campaigns: what is wrong is said, ends with 1, and stops nothing else."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.long.__main__ import asked, main
from tests.long.circumstances import PAGE, Circumstances
from tests.long.invented import part
from tests.long.outcome import Outcome, keep
from tests.long.parts import PARTS, STRUCK, Amount, Part


def run(folder: Path, parts: Sequence[Part], *more: str, seed: int = 7) -> int:
    """Run the command in CI's sizes with results of its own."""
    return main(["--ci", "--results", str(folder), "--seed", str(seed), *more], parts, ())


def results(folder: Path) -> dict[str, dict[str, object]]:
    """The kept results as they lie there."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "ci").glob("*.json")}


def test_a_good_run_ends_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a violation, and with every figure reached, the exit code is 0 and the page says so."""
    assert run(tmp_path, [part("good")]) == 0

    said = capsys.readouterr().out
    assert "T1 good: size 10, seed 7\n  10 things; 0 violations" in said
    assert "**No violation." in (tmp_path / "ci" / "PAGE.md").read_text(encoding="utf-8")
    assert results(tmp_path)["T1"]["figures"] == {"things": 10, "things: big": 1, "seed seen": 7}


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("violated", "T1: I2: twice [again: 7]"),
        ("too_few", "T1: 9 things, and 10 are asked for."),
        ("failing", "T1 did not come to its end: it ended with 1: LookupError: the campaign has a bug at 10 7"),
        ("dying", "T1 did not come to its end: it ended with 3"),
        ("not_there", "T1 did not come to its end: it ended with 1: AttributeError:"),
    ],
)
def test_whatever_is_wrong_is_said_and_ends_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], function: str, sentence: str
) -> None:
    """A violation, a figure below its target, an error and a sudden end each give 1 and a sentence, there and on the page."""
    assert run(tmp_path, [part(function)]) == 1

    assert sentence in capsys.readouterr().out
    page = (tmp_path / "ci" / "PAGE.md").read_text(encoding="utf-8")
    assert sentence in page
    assert "T1 again: python -m tests.long --only T1 --seed 7 --ci" in page


def test_a_campaign_that_ends_badly_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The parts after one that dies are run."""
    assert run(tmp_path, [part("dying"), part("failing", "T2"), part("good", "T3")]) == 1

    assert "T3 good: size 10, seed 7\n  10 things; 0 violations" in capsys.readouterr().out
    assert set(results(tmp_path)) == {"T1", "T2", "T3"}
    assert "Traceback" in (tmp_path / "ci" / "T2.log").read_text(encoding="utf-8")


def test_a_part_that_is_asked_for_and_unknown_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A word of `--only` that names no part ends the command before anything runs."""
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, [part("good")], "--only", "T1,T99")

    assert ended.value.code == 2
    assert "no part is called T99; there are T1" in capsys.readouterr().err


def test_only_runs_only_that(tmp_path: Path) -> None:
    """`--only` names whole targets and single parts of them."""
    parts = [part("good"), part("good", "T5-worlds"), part("good", "T5-processes"), part("dying", "T6")]

    assert run(tmp_path, parts, "--only", "T5") == 0
    assert set(results(tmp_path)) == {"T5-worlds", "T5-processes"}
    assert run(tmp_path / "one", parts, "--only", "T1,T5-processes") == 0
    assert set(results(tmp_path / "one")) == {"T1", "T5-processes"}


def test_a_run_that_was_cut_is_continued(tmp_path: Path) -> None:
    """With `--resume` what is there and good is kept, what is missing or went wrong is run, and the page has all of it."""
    run(tmp_path, [part("good"), part("dying", "T2")], seed=7)
    first = results(tmp_path)

    assert (
        main(["--ci", "--results", str(tmp_path), "--resume"], [part("violated"), part("good", "T2"), part("good", "T3")], ())
        == 0
    )

    assert results(tmp_path)["T1"] == first["T1"]
    assert results(tmp_path)["T2"]["seed"] == 7
    assert results(tmp_path)["T3"]["seed"] != 7


def test_the_pieces_of_a_part_are_told_as_they_end_and_only_their_sum_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What each piece names is said at once; a share is that of all pieces, and goes on where the run was cut."""
    shares = {"killed": (60, "things")}
    halving = replace(part("halving"), piece=5, shares=shares, tells_cases=True)

    assert run(tmp_path, [halving], seed=0) == 1
    said = capsys.readouterr().out
    assert "T1 halving: size 5, seed 0\n  alive: 0.0\n" in said
    assert said.index("  alive: 0.4\n") < said.index("T1 halving: size 5, seed 5\n  0 violations")
    assert "T1: 50.0 % of the things killed, and 60 % are asked for." in said
    page = (tmp_path / "ci" / "PAGE.md").read_text(encoding="utf-8")
    assert "50.0 % of the things killed |" in page
    assert "* alive: 0.4" in page
    resumed = replace(halving, shares={"killed": (50, "things")})
    assert run(tmp_path, [resumed], "--resume", seed=0) == 0
    assert "size 5" not in capsys.readouterr().out


def test_resuming_with_another_seed_or_without_the_word_runs_all_again(tmp_path: Path) -> None:
    """A kept result counts only for its own seed, and only where `--resume` stands."""
    run(tmp_path, [part("good")], seed=7)

    assert run(tmp_path, [part("violated")], "--resume", seed=7) == 0
    assert run(tmp_path, [part("violated")], "--resume", seed=8) == 1
    run(tmp_path, [part("good")], seed=7)
    assert run(tmp_path, [part("violated")], seed=7) == 1


def test_a_violation_does_not_go_away_by_resuming(tmp_path: Path) -> None:
    """A part that broke a promise is run again with the seed with which it did."""
    run(tmp_path, [part("violated")], seed=7)

    assert main(["--ci", "--results", str(tmp_path), "--resume"], [part("violated")], ()) == 1
    assert results(tmp_path)["T1"]["violations"] == ["I2: twice [again: 7]"]


def test_without_a_seed_the_commit_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs of one commit without `--seed` have one seed on whatever day, and it is printed."""
    for day in ("2026-11-26", "2026-11-27"):
        monkeypatch.setattr("tests.long.__main__.circumstances", partial(Circumstances, "abc", day, "one core"))
        main(["--ci", "--results", str(tmp_path / day)], [part("good")], ())

    seeds = {results(tmp_path / day)["T1"]["seed"] for day in ("2026-11-26", "2026-11-27")}
    assert len(seeds) == 1
    assert f"seed {seeds.pop()}" in capsys.readouterr().out


def test_only_a_whole_full_run_writes_the_page_of_the_project(tmp_path: Path) -> None:
    """The committed page is not replaced by that of a smaller run."""
    assert asked([]).page.as_posix().endswith(PAGE)
    for words in (["--ci"], ["--only", "T6"]):
        assert not asked([*words, "--results", str(tmp_path)]).page.as_posix().endswith(PAGE)
    assert asked(["--ci", "--page", "there.md"]).page == Path("there.md")


def test_a_target_that_nothing_serves_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole run that leaves out a target ends with 1, unless it was asked for some parts only."""
    words = ["--ci", "--results", str(tmp_path)]

    assert main(words, [part("good")], ("T1", "T2")) == 1
    assert "T2 is a target, and nothing serves it." in capsys.readouterr().out
    assert main([*words, "--only", "T1"], [part("good")], ("T1", "T2")) == 0


def test_ci_passes_over_what_has_no_size_there(tmp_path: Path) -> None:
    """A part whose size in CI is 0 is run at length only."""
    assert run(tmp_path, [part("good"), replace(part("dying", "T14"), size=Amount(0, 1))]) == 0
    assert set(results(tmp_path)) == {"T1"}


def test_what_struck_is_made_of_what_the_worlds_counted(tmp_path: Path) -> None:
    """T10 follows T1 without running anything, and faults that struck too seldom are told there."""
    assert run(tmp_path, [part("good"), STRUCK]) == 1

    told = results(tmp_path)["T10"]
    assert told["seed"] == 7
    assert "struck 0 times" in str(told["violations"])


def test_a_soak_stands_on_the_page_of_a_resumed_run(tmp_path: Path) -> None:
    """What a soak left comes along when a full run is continued, and its page alone is not the project's."""
    soaked = Outcome("T15", "T15", "Soak", 3, 7, figures={"schedules": 3000}, notes=("3,000 schedules in 3 rounds",))
    keep(soaked, tmp_path / "full")
    page = tmp_path / "page.md"
    words = ["--results", str(tmp_path), "--page", str(page)]

    assert main([*words, "--resume"], [part("good")], ()) == 0
    assert "* 3,000 schedules in 3 rounds" in page.read_text(encoding="utf-8")
    assert main(words, [part("good")], ()) == 0
    assert "3 rounds" not in page.read_text(encoding="utf-8")
    assert not asked(["--soak", "1"]).page.as_posix().endswith(PAGE)


def test_each_part_has_a_name_of_its_own() -> None:
    """No two parts share a name, under which results are kept."""
    names = [each.name for each in PARTS]

    assert len(set(names)) == len(names)
