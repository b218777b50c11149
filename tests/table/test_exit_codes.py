"""Every combination of what a run met and of what the ledger shows gives the one code that the exit codes' table says."""

import itertools

import pytest

from batch.findings import Findings, Standing, exit_code, gravest
from schemas import errors
from schemas.errors import ExitCode, MitbatchError, NothingSent, UsageRefused

ORDER_OF_GRAVITY = (143, 130, 70, 78, 30, 21, 11, 10, 20, 0)
ONE_OF_EACH: dict[int, MitbatchError] = {
    143: errors.Terminated("t"),
    130: errors.Interrupted("i"),
    70: errors.EvidenceChanged("e"),
    78: errors.PathMissing("p"),
    30: errors.HostKeyChanged("h"),
    21: errors.LeaseLost("l"),
    20: errors.SftpLost("s"),
    10: errors.AnswerUnreadable("a"),
}
ANSWERS = (False, True)


def wanted(codes: set[int], standing: Standing, *, delivered: bool, left_unwritten: bool) -> int:
    """The code by the table: 20 only where nothing left and nothing waits to be written, else a person must know."""
    holds = {10 if code == 20 and (delivered or left_unwritten) else code for code in codes} | {0}
    holds |= {11} if standing.in_doubt else set()
    holds |= {10} if standing.new_items or standing.overdue_items else set()
    return next(code for code in ORDER_OF_GRAVITY if code in holds)


def found(codes: set[int], *, delivered: bool, undelivered: bool, left_unwritten: bool) -> Findings:
    """What a run met."""
    findings = Findings(left_unwritten=left_unwritten)
    for code in codes:
        findings.add(ONE_OF_EACH[code])
    findings.delivered += ["a"] if delivered else []
    findings.undelivered += ["b"] if undelivered else []
    return findings


def test_every_combination_gives_its_code() -> None:
    """All sets of problems, times files that left or not, times results unwritten, times doubt, new and overdue items."""
    cases, wrong = 0, []
    for picked in itertools.product(ANSWERS, repeat=len(ONE_OF_EACH)):
        codes = {code for code, is_there in zip(ONE_OF_EACH, picked, strict=True) if is_there}
        for delivered, undelivered, unwritten, doubt, new, overdue in itertools.product(ANSWERS, repeat=6):
            cases += 1
            standing = Standing(in_doubt=3 * doubt, new_items=2 * new, overdue_items=1 * overdue)
            findings = found(codes, delivered=delivered, undelivered=undelivered, left_unwritten=unwritten)
            code = exit_code(findings, standing)
            if code != wanted(codes, standing, delivered=delivered, left_unwritten=unwritten):
                wrong.append((codes, delivered, undelivered, unwritten, standing, code))
            assert (code == 0) == (not codes and not (doubt or new or overdue))
    assert cases == 2**14
    assert wrong[:5] == []


def kinds(of: type[MitbatchError]) -> list[type[MitbatchError]]:
    """An error and everything that is a kind of it."""
    return [of, *(kind for each in of.__subclasses__() for kind in kinds(each))]


@pytest.mark.parametrize(
    "kind", [kind for kind in kinds(MitbatchError) if kind is not UsageRefused], ids=lambda kind: kind.__name__
)
def test_every_error_ends_a_run_with_its_own_code(kind: type[MitbatchError]) -> None:
    """One error alone gives its code; beside a file that left, "nothing sent" becomes "a person must know"."""
    standing = Standing(0, 0, 0)
    assert exit_code(Findings(problems=[kind("x")]), standing) == kind.exit_code
    beside = exit_code(Findings(problems=[kind("x")], delivered=["a"]), standing)
    assert beside == (ExitCode.NEEDS_PERSON if issubclass(kind, NothingSent) else kind.exit_code)


def test_the_same_sentence_is_remembered_once() -> None:
    """A problem that is met twice in the same words is one problem; another sentence is another."""
    findings = Findings()
    for words in ("a", "a", "b"):
        findings.add(errors.SftpLost(words))
    assert [problem.what for problem in findings.problems] == ["a", "b"]


def test_any_two_codes_have_a_graver_one() -> None:
    """The order of gravity is the table's, for every pair; 1 and 2 are in no run's end."""
    for first, second in itertools.product(ORDER_OF_GRAVITY, repeat=2):
        by_table = min(first, second, key=ORDER_OF_GRAVITY.index)
        assert gravest([ExitCode(first), ExitCode(second)]) == by_table
    assert {int(code) for code in ExitCode} - set(ORDER_OF_GRAVITY) == {2}
