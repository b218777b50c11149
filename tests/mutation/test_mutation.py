"""How mutants are made and judged: every operator on a planted text, and one mutant of each fate."""

import importlib
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation import bench
from tests.mutation.bench import Bench, on_bench
from tests.mutation.campaign import judged, mutants
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.judging import FILES, JUDGES
from tests.mutation.keeping import keep, kept, verdict_on
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.reach import MOST_COST, Likeliest, Reach, learnt
from tests.mutation.uses import is_in_function, names_at
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import UNANSWERED, in_child

STATES = "schemas/states.py"
MOVES = "batch/ledger/moves.py"
LEDGER_STATES = "tests/ledger/test_states.py"

TEXT = '''"""A module."""
from collections.abc import Callable
from typing import Final

Turn = Callable[[int, str], int | None]
_Pair = tuple[int, str]
LIMIT: Final[int] = 3
WORDS = ("a", "b")
BOTH = zip(WORDS, WORDS, strict=True)


def first(given: "list[int]") -> bool:
    assert given
    for each in given:
        if each and not given[0] == each:
            given.append(each - 1)
    try:
        return len([one for one in given if one]) > LIMIT
    except ValueError:
        return False
'''

EXPECTED = {
    "3 -> 4",
    '("a", "b") -> (\'b\',)',
    '("a", "b") -> (\'a\',)',
    "given -> []",
    "each and not given[0] == each -> (each or not given[0] == each)",
    "each and not given[0] == each -> (not given[0] == each)",
    "each and not given[0] == each -> (each)",
    "not given[0] == each -> (given[0] == each)",
    "0 -> 1",
    "given[0] == each -> (given[0] != each)",
    "given.append(each - 1) -> pass",
    "each - 1 -> (each + 1)",
    "1 -> 2",
    "one -> True",
    "len([one for one in given if one]) > LIMIT -> (len([one for one in given if one]) >= LIMIT)",
    "ValueError -> ZeroDivisionError",
    "False -> True",
}


def test_every_operator_changes_its_place(tmp_path: Path) -> None:
    """From a text with one place for each operator exactly the expected mutants come, and each can be compiled."""
    (tmp_path / "module.py").write_text(TEXT, encoding="utf-8")

    found = mutants_of(tmp_path, "module.py")

    assert {mutant.words().partition(": ")[2] for mutant in found} == EXPECTED
    assert len(found) == len(EXPECTED)
    for mutant in found:
        compile(mutant.text, "module.py", "exec")


def test_every_mutated_file_gives_mutants() -> None:
    """Each file of the send protocol and of the state function has mutants, and its judges exist."""
    assert {mutant.file for mutant in mutants()} == set(FILES)
    assert all((REPOSITORY / judge).is_file() for judge in JUDGES)


def test_what_changes_nothing_is_a_mutant() -> None:
    """Each change that is said to change nothing can still be made."""
    made = {(mutant.file, mutant.change()) for file in FILES for mutant in mutants_of(REPOSITORY, file)}

    assert set(EQUIVALENT) <= made


LEASE = "tests/ledger/test_lease.py"


def number_of(words: str) -> int:
    """The mutant with these words."""
    return next(number for number, mutant in enumerate(mutants()) if words in mutant.words())


def test_mutants_are_judged_by_those_who_come_to_them(tmp_path: Path) -> None:
    """A lease that is taken while another run works is noticed by the test that forbids it, and the verdict is kept."""
    reach = learnt((LEASE,))
    number = number_of('holder["run_id"] is None ->')
    mutant = mutants()[number]

    assert reach.failed == []
    assert 0 < len(reach.judges_of(mutant)) <= len(reach.seconds)
    (noticed_by,) = judged([number], reach, (LEASE,), tmp_path / "kept").values()
    assert noticed_by.startswith(f"{LEASE}::")
    assert verdict_on(mutant, kept(tmp_path / "kept")) == noticed_by
    assert judged([number], replace(reach, lines={}), (LEASE,), tmp_path / "kept") == {number: ""}, "nobody is asked"


def test_a_judge_that_fails_without_any_mutant_is_told_and_judges_nothing(tmp_path: Path) -> None:
    """Its failure is named, and what it comes to is not taken for a reason to ask it."""
    failing = tmp_path / "test_failing.py"
    failing.write_text("from batch.pace import due_date\n\n\ndef test_x():\n    assert not due_date('2026-11-23', 1)\n")

    reach = learnt((str(failing),))

    assert [name.rpartition("::")[2] for name in reach.failed] == ["test_x"]
    assert [name for file in reach.lines.values() for names in file.values() for name in names] == []


def test_a_judge_may_open_a_pool_of_its_own(tmp_path: Path) -> None:
    """The judges are heard where a test that does its work on all cores can begin it: one that does fails for no reason there."""
    pooling = tmp_path / "test_pooling.py"
    pooling.write_text(
        "from batch.pace import due_date\nfrom tests.long.campaign import on_all_cores\n\n\n"
        "def test_x():\n    assert list(on_all_cores(abs, [-1, 2])) == [1, 2] and due_date('2026-11-23', 1)\n"
    )

    reach = learnt((str(pooling),))

    assert (len(reach.seconds), reach.failed) == (1, [])


def test_a_verdict_counts_as_long_as_its_judge_stands(tmp_path: Path) -> None:
    """A mutant that lived is judged again, and so is one whose judge has changed or is gone."""
    lived, killed, orphan = mutants()[:3]
    keep(lived, "", tmp_path / "kept")
    keep(killed, f"{LEASE}::test_x", tmp_path / "kept")
    keep(orphan, "tests/gone.py::test_x", tmp_path / "kept")

    verdicts = kept(tmp_path / "kept")
    assert [verdict_on(mutant, verdicts) for mutant in (lived, killed, orphan)] == ["", f"{LEASE}::test_x", ""]


def test_a_change_outside_of_every_function_is_loaded_anew() -> None:
    """A table is not a function's: who judges a change of it loads the project again."""
    inside, outside = number_of('holder["run_id"] is None ->'), next(n for n, m in enumerate(mutants()) if m.file == STATES)

    assert is_in_function(mutants()[inside].file, mutants()[inside].line)
    assert not is_in_function(STATES, mutants()[outside].line)


def line_with(words: str) -> int:
    """The number of the line of the moves on which these words stand first."""
    lines = (REPOSITORY / MOVES).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def test_a_table_is_judged_by_those_who_name_or_use_it() -> None:
    """First the tests whose text has the table's name, then those that come to a line that uses it, the quickest first."""
    table = next(mutant for mutant in mutants() if mutant.file == STATES and "EDGES" in names_at(STATES, mutant.line))
    used_at = line_with("in EDGES[")
    seconds = {f"{LEDGER_STATES}::test_a": 2.0, "tests/x.py::test_b": 1.0, "tests/x.py::test_c": 0.5, "tests/x.py::test_d": 0.1}
    reach = Reach(seconds, {MOVES: {used_at: ["tests/x.py::test_b", "tests/x.py::test_c"]}})

    assert reach.judges_of(table) == [f"{LEDGER_STATES}::test_a", "tests/x.py::test_c", "tests/x.py::test_b"]


def test_who_means_something_else_by_the_name_is_asked_last() -> None:
    """A house of the tests has an UNANSWERED of its own: its tests are quick, and say nothing of the table with that name."""
    file, house = "batch/conclusions.py", "tests/night/house.py::test_a"
    table = next(mutant for mutant in mutants() if mutant.file == file and "UNANSWERED" in names_at(file, mutant.line))
    reach = Reach({house: 0.1, "tests/x.py::test_b": 1.0}, {file: {table.line: ["tests/x.py::test_b"]}})

    assert reach.judges_of(table) == ["tests/x.py::test_b", house]


def test_one_mutant_does_not_take_all_the_time() -> None:
    """Tests are asked as long as the time for one mutant goes, the first of them in any case."""
    seconds = {"a": MOST_COST * 0.6, "b": MOST_COST * 0.7, "c": MOST_COST * 2}

    assert Likeliest(seconds).first(MOVES, ["b", "a", "c"]) == ["a"]
    assert Likeliest(seconds).first(MOVES, ["c"]) == ["c"]


def test_the_time_for_one_mutant_goes_to_the_likeliest() -> None:
    """Where every night comes to a line, the quick ones must not use up the time of the test that is about the file."""
    quick = {f"tests/x.py::{number}": MOST_COST / 20 for number in range(30)}
    about = f"{LEASE}::test_a"
    found = Likeliest({**quick, about: MOST_COST / 10}).first("batch/ledger/lease.py", [*quick, about])

    assert found[0] == about
    assert len(found) == 19


def test_who_has_noticed_mutants_of_a_file_is_asked_first_about_the_next() -> None:
    """Else the quickest; what was noticed in another file counts for nothing, and nobody is left out."""
    likeliest = Likeliest({"slow": 0.5, "quick": 0.1, "endless": 9.0})
    assert likeliest.first(MOVES, ["slow", "endless", "quick"]) == ["quick", "slow", "endless"]

    likeliest.learn(MOVES, "slow")

    assert likeliest.first(MOVES, ["slow", "endless", "quick"]) == ["slow", "quick", "endless"]
    assert likeliest.first(STATES, ["slow", "endless", "quick"]) == ["quick", "slow", "endless"]


def test_a_test_that_shares_its_set_up_is_asked_too() -> None:
    """What a fixture does once for a file is heard with the first test that needs it; the others may notice it as well."""
    line = next(line for line in range(1, 200) if is_in_function(MOVES, line))
    mutant = Mutant(MOVES, line, "", "", "", line)
    reach = Reach({}, {MOVES: {mutant.line: ["tests/x.py::a"]}}, sharing=["tests/x.py::b", "tests/y.py::c"])

    assert reach.judges_of(mutant) == ["tests/x.py::a", "tests/x.py::b"]


def test_a_function_that_is_called_when_a_module_is_loaded_is_loaded_anew() -> None:
    """No test comes to its line: those that use what was made with it judge, and the project is loaded again for them."""
    mutant = next(mutant for mutant in mutants() if mutant.file == MOVES and "_read_due" in names_at(MOVES, mutant.line))
    used_at = next(
        n for n, line in enumerate(Path(REPOSITORY, MOVES).read_text("utf-8").splitlines(), 1) if "(_NOTE_READ," in line
    )
    reach = Reach({"tests/x.py::a": 1.0}, {MOVES: {used_at: ["tests/x.py::a"]}})

    assert is_in_function(MOVES, mutant.line)
    assert reach.is_for_loading(mutant)
    assert reach.judges_of(mutant) == ["tests/x.py::a"]


def test_nothing_is_noticed_where_nothing_is_changed() -> None:
    """A text that is the file's own lives, inside of a function and outside; a table's entry that is gone does not."""
    lease = mutants()[number_of('holder["run_id"] is None ->')]
    text = (REPOSITORY / lease.file).read_text(encoding="utf-8")
    constants = (replace(lease, line=1, text=text), replace(lease, line=1, text=lease.text))
    told: list[str] = []

    def work(bench: Bench) -> None:
        told.append(bench.noticed_by(replace(lease, text=text), bench.names, {}))
        told.extend(bench.noticed_by(each, bench.names, {}, anew=True) for each in constants)

    def judge() -> list[str]:
        on_bench((LEASE,), work)
        return told

    found = in_child(judge, 300)
    assert found[:2] == ["", ""]
    assert found[2].startswith(f"{LEASE}::")


def test_a_function_that_does_not_name_what_stands_around_it_any_more_is_made_anew() -> None:
    """Where the call of `super` is left out nothing is put in place of the function: the project is loaded again."""
    importlib.import_module("batch.repeating")
    repeating = [each for each in mutants() if each.file == "batch/repeating.py"]
    left_out = next(each for each in repeating if each.was.startswith("super().__init__("))

    assert not bench.can_be_put(left_out)
    assert bench.can_be_put(next(each for each in repeating if is_in_function(each.file, each.line) and each is not left_out))


@pytest.mark.parametrize("endless", ["while due_date('2026-11-23', 1):\n        pass", "threading.Event().wait()"])
def test_a_test_that_does_not_end_is_not_waited_for_as_long_as_all_tests_take(
    endless: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutant that loops or waits for ever has been noticed: the child ends soon after the time that the test usually takes."""
    monkeypatch.setattr(bench, "OF_EACH", 0)
    monkeypatch.setattr(bench, "WAITING", 1)
    monkeypatch.setattr(bench, "LEAST_SECONDS", 60)
    endless_test = tmp_path / "test_endless.py"
    endless_test.write_text(
        f"import threading\nfrom batch.ledger import lease\nfrom batch.pace import due_date\n\n\ndef test_x():\n    {endless}\n"
    )
    lease = mutants()[number_of('holder["run_id"] is None ->')]
    told: list[str] = []

    def judge() -> list[str]:
        on_bench((str(endless_test),), lambda found: told.append(found.noticed_by(lease, found.names, {})))
        return told

    began = time.monotonic()
    assert in_child(judge, 300) == [f"{UNANSWERED} within 62 s of the processor, or the child died"]
    assert time.monotonic() - began < 50
