"""The campaign of the mutants goes by files, takes up where it was cut, and counts what it was told."""

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.in_memory import keep_bytecode
from tests.long.parts import PARTS
from tests.long.pieces import pieces_of
from tests.mutation import bench, campaign, reach_kept
from tests.mutation.judging import FILES
from tests.mutation.keeping import keep, kept
from tests.mutation.operators import Mutant
from tests.mutation.packing import packed, unpacked
from tests.mutation.reach import Reach
from tests.mutation.reach_kept import known
from tests.world.planted.planting import UNANSWERED

DEAD = "tests/mutation/test_campaign.py::test_x"
FILE = "batch/permission.py"
LINES = {"batch/a.py": {1: ["x::a", "x::b"], 2: ["x::a", "x::b"], 7: ["x::b"]}}


def test_the_pieces_are_all_files_whatever_the_seed() -> None:
    """Each file is in one piece."""
    (part,) = (each for each in PARTS if each.name == "T14")
    for seed in (0, 607350702):
        pieces = [campaign.files_of(size, first) for size, first in pieces_of(part, part.size.full, seed)]
        assert len(pieces) > 1
        assert sorted(file for piece in pieces for file in piece) == sorted(FILES)


def test_what_became_of_each_mutant_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before, killed now, killed as a test had no end, alive; only those that are not known to be dead are judged."""
    seed = FILES.index(FILE)
    mine = [mutant for mutant in campaign.mutants() if mutant.file == FILE]
    for mutant in mine[3:]:
        keep(mutant, DEAD, tmp_path / "kept")
    asked: list[int] = []

    def judged(_work: object, shares: Sequence[Sequence[int]]) -> Iterator[dict[int, str]]:
        asked.extend(number for share in shares for number in share)
        yield dict(zip(sorted(asked), (DEAD, f"{UNANSWERED} within 9 s", ""), strict=True))

    monkeypatch.setattr(campaign, "known", lambda *_: Reach({}, {}, ["x::fails"]))
    monkeypatch.setattr(campaign, "in_each_child", judged)
    told = campaign.campaign(1, seed, tmp_path / "kept")

    assert sorted(campaign.mutants()[number].change() for number in asked) == sorted(mutant.change() for mutant in mine[:3])
    assert told.figures == {
        "mutants that can be made": len(mine),
        "of them that change nothing": 0,
        "mutants": len(mine),
        "killed": len(mine) - 1,
        "of them as a test had no end": 1,
        "of them in an earlier run": len(mine) - 3,
        "alive": 1,
        f"killed in {FILE}": len(mine) - 1,
    }
    assert told.notes == (f"alive: {mine[2].words()}",)
    assert told.violations == ("a judge of the mutants fails without any: x::fails",)


def test_the_children_share_the_folder_of_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would make one of its own for compiled modules otherwise, and leave it."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "")
    keep_bytecode()
    folder = os.environ["PYTHONPYCACHEPREFIX"]
    keep_bytecode()
    assert (os.environ["PYTHONPYCACHEPREFIX"], Path(folder).is_dir()) == (folder, True)
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


def test_a_mutant_that_breaks_the_bench_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as a thing to be looked at, and counts as alive; the next one is judged, and it is again in the next run."""
    first, second = [number for number, mutant in enumerate(campaign.mutants()) if mutant.file == FILE][:2]

    class Broken:
        def noticed_by(self, mutant: Mutant, *_: object, **__: object) -> str:
            if mutant is campaign.mutants()[first]:
                raise RuntimeError("Traceback\n  File\nKeyError: 'x'\n")
            return DEAD

    monkeypatch.setattr(campaign, "on_bench", lambda _judges, work: work(Broken()))
    monkeypatch.setattr(campaign, "in_child", lambda share, *_, **__: share())
    verdicts = campaign.judged([first, second], Reach({}, {}), (), tmp_path / "kept")
    assert verdicts == {first: "it could not be judged: KeyError: 'x'", second: DEAD}
    assert sorted(kept(tmp_path / "kept").values()) == [DEAD]

    monkeypatch.setattr(campaign, "in_each_child", lambda *_: iter([verdicts]))
    monkeypatch.setattr(campaign, "known", lambda *_: Reach({}, {}))
    told = campaign.campaign(1, FILES.index(FILE), tmp_path / "kept")
    assert (told.figures["killed"], told.figures["alive"], told.figures[f"killed in {FILE}"]) == (1, 1, 1)
    words = campaign.mutants()[first].words()
    assert (told.violations, told.notes) == ((f"{words}: it could not be judged: KeyError: 'x'",), (f"alive: {words}",))


def test_what_was_learnt_is_kept_until_the_project_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next piece finds it; where a file has changed, other judges judge, or a judge failed, it is learnt anew."""
    times: list[Any] = []
    reach = Reach({"x::a": 0.5, "x::b": 1.5}, LINES, [], ["x::b"])

    def learnt(judges: Sequence[str]) -> Reach:
        times.append(judges)
        return replace(reach, failed=["x::a"]) if judges == ("fails",) else reach

    monkeypatch.setattr(reach_kept, "learnt", learnt)
    monkeypatch.setattr(reach_kept, "REPOSITORY", tmp_path)
    (tmp_path / "batch").mkdir()
    text = tmp_path / "batch" / "a.py"
    place = tmp_path / "kept" / "reach.json"

    text.write_text("a = 1\n", encoding="utf-8")
    assert [known(("x",), place) for _ in range(2)] == [reach, reach]
    assert times == [("x",)]
    text.write_text("a = 2\n", encoding="utf-8")
    assert known(("x",), place) == reach
    assert known(("y",), place) == reach
    assert [known(("fails",), place).failed for _ in range(2)] == [["x::a"]] * 2
    assert times == [("x",), ("x",), ("y",), ("fails",), ("fails",)]
    place.write_text("cut", encoding="utf-8")
    assert known(("y",), place) == reach


def test_lines_are_packed_by_the_tests_that_they_share() -> None:
    """What is unpacked is what was packed, and a group that many lines share is there once."""
    names = ["x::a", "x::b"]
    assert packed(LINES, names)["groups"] == [[0, 1], [1]]
    assert unpacked(packed(LINES, names), names) == LINES


@pytest.mark.parametrize("ends", [True, False])
def test_what_the_tests_of_a_mutant_leave_in_folders_is_gone_with_it(ends: bool, tmp_path: Path) -> None:
    """Also where its child dies: thousands of ledgers would fill the memory in which they are made."""
    told = tmp_path / "told"

    def verdict() -> str:
        folder = Path(tempfile.mkdtemp(), "pytest-of-x")
        folder.mkdir()
        told.write_text(f"{folder}\n{os.environ['PYTEST_DEBUG_TEMPROOT']}", encoding="utf-8")
        if not ends:
            os.kill(os.getpid(), signal.SIGKILL)
        return "x::a"

    assert bench.answer_of(verdict, 60) == ("x::a" if ends else f"{UNANSWERED} within 60 s of the processor, or the child died")
    left, place = map(Path, told.read_text(encoding="utf-8").splitlines())
    assert left.parent.parent == place
    assert not place.exists()
    assert os.environ["PYTEST_DEBUG_TEMPROOT"] != str(place)
