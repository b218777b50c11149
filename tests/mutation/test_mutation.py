"""How mutants are made and judged: every operator on a planted text, and one mutant of each fate."""

from dataclasses import replace
from pathlib import Path

from tests.mutation.bench import Bench, is_in_function, on_bench
from tests.mutation.campaign import FILES, JUDGES, judged, mutants
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.keeping import keep, kept, verdict_on
from tests.mutation.operators import mutants_of
from tests.mutation.reach import learnt
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import in_child

STATES = "schemas/states.py"

TEXT = '''"""A module."""
from typing import Final

LIMIT: Final[int] = 3
WORDS = ("a", "b")


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
    reach = learnt((LEASE,), ("batch/ledger/lease.py",))
    number = number_of('holder["run_id"] is None ->')
    mutant = mutants()[number]

    assert reach.failed == []
    assert 0 < len(reach.judges_of(mutant)) <= len(reach.seconds)
    (noticed_by,) = judged([number], reach, (LEASE,), tmp_path / "kept").values()
    assert noticed_by.startswith(f"{LEASE}::")
    assert verdict_on(mutant, kept(tmp_path / "kept")) == noticed_by
    assert judged([number], replace(reach, lines={}), (LEASE,), tmp_path / "kept") == {number: ""}, "nobody is asked"


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


def test_nothing_is_noticed_where_nothing_is_changed() -> None:
    """A text that is the file's own lives, inside of a function and outside; a table's entry that is gone does not."""
    lease = mutants()[number_of('holder["run_id"] is None ->')]
    text = (REPOSITORY / lease.file).read_text(encoding="utf-8")
    constants = (replace(lease, line=1, text=text), replace(lease, line=1, text=lease.text))
    told: list[str] = []

    def work(bench: Bench) -> None:
        told.extend(bench.noticed_by(each, bench.names, {}) for each in (replace(lease, text=text), *constants))

    def judge() -> list[str]:
        on_bench((LEASE,), work)
        return told

    found = in_child(judge, 300)
    assert found[:2] == ["", ""]
    assert found[2].startswith(f"{LEASE}::")
