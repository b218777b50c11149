"""A change outside of every function is put in place where everything is loaded: who uses the name sees it, wherever it is."""

import importlib
import sys

import pytest

import batch.left_over_copies
import schemas.states
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.tables import put_values
from tests.mutation.uses import is_near, names_at
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import in_child

STATES, MOVES, LEFT_OVER = "schemas/states.py", "batch/ledger/moves.py", "batch/left_over_copies.py"

TAKES = ("batch.left_over_copies", "batch.transmit")


def mutant(file: str, words: str) -> Mutant:
    """The first mutant of a file with these words."""
    return next(each for each in mutants_of(REPOSITORY, file) if words in each.change())


def test_whoever_has_taken_the_name_gets_the_new_value() -> None:
    """The module itself and one that imports from it; and what is made of it further down."""
    importlib.import_module(TAKES[1])
    hours, unsent = mutant(LEFT_OVER, "24 -> 25"), mutant(STATES, "BatchStep.SENDING, ")

    def put() -> list[object]:
        done = [put_values(hours), put_values(unsent)]
        found = [vars(sys.modules[name])["WITHIN"].total_seconds() for name in TAKES]
        return [*done, *found, len(schemas.states.UNSENT_STEPS)]

    before = len(schemas.states.UNSENT_STEPS)
    assert in_child(put, 60) == [True, True, 25 * 3600.0, 25 * 3600.0, before - ("UNSENT_STEPS" in names_at(STATES, unsent.line))]
    assert batch.left_over_copies.WITHIN.total_seconds() == 24 * 3600


def test_a_default_is_put_in_place_with_its_function() -> None:
    """What stands in the head of a function is run when the module is loaded, and the function is made anew."""
    of_lease = mutants_of(REPOSITORY, "batch/ledger/lease.py")
    changed = next(each for each in of_lease if each.was == "True" and "left_books: bool = False" in each.text)

    def put() -> list[object]:
        lease, running = importlib.import_module("batch.ledger.lease"), importlib.import_module("jobs.running")
        done = put_values(changed)
        taken = [value for value in vars(running).values() if value is lease.end_run]
        return [done, lease.end_run.__kwdefaults__["left_books"], len(taken)]

    assert in_child(put, 60) == [True, False, 1]


@pytest.mark.parametrize(("file", "begins", "then"), [(STATES, "class ", ""), (LEFT_OVER, "WITHIN =", "WITHIN = 1 / 0\n")])
def test_what_cannot_be_put_in_place_is_left_to_be_loaded(file: str, begins: str, then: str) -> None:
    """A class is made once; and what raises, whoever loads the project meets."""
    lines = (REPOSITORY / file).read_text("utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith(begins))
    text = "".join([*lines[:at], then or lines[at], *lines[at + 1 :]])
    assert in_child(lambda: put_values(Mutant(file, at + 1, "", "", text, at + 1)), 60) is False


def test_names_inside_of_a_comprehension_are_nobodys() -> None:
    """A statement gives its own names alone: else every test that has the word `name` would judge it."""
    line = line_in(MOVES, "for name in")
    assert "name" not in names_at(MOVES, line)
    assert names_at(MOVES, line) != set()


def line_in(file: str, words: str) -> int:
    """The first line outside of every function in which these words stand."""
    lines = (REPOSITORY / file).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


@pytest.mark.parametrize(
    ("test", "file", "near"),
    [
        ("tests/night/test_second_attempts.py::test_x", "batch/second_attempts.py", True),
        ("tests/table/test_acknowledged_copies.py::test_x", "batch/acknowledged_copies.py", True),
        ("tests/table/test_found_by_asking.py::test_x", "batch/search.py", True),
        ("tests/night/test_hold.py::test_x", "batch/search.py", False),
    ],
)
def test_a_test_is_near_what_it_is_named_after_or_names(test: str, file: str, near: bool) -> None:
    """By its file's name, or because it imports from there."""
    assert is_near(test, file) is near
