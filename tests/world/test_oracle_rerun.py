"""What a second run of a date may do anew: judge a row whose order has ended since, and nothing else about that order (I10)."""

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.world.oracle_rerun import _TABLES, Left, _changed, _ended_since, _of_others
from tests.world.world import leave_ground

LEFT = Left(frozenset(), frozenset({"a"}), frozenset(), frozenset(), in_doubt=False)


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    leave_ground()


@pytest.mark.parametrize(
    ("reason", "states", "is_judged_anew"),
    [
        ("already_active", ("expired",), True),
        ("already_active", ("review",), False),
        ("already_active", ("expired", "review"), False),
        ("already_active", (), False),
        ("already_submitted", ("expired",), False),
    ],
)
def test_only_what_was_active_and_has_ended_is_judged_anew(reason: str, states: tuple[str, ...], is_judged_anew: bool) -> None:
    """By the latest claim; one that is under review is active as before."""
    with closing(sqlite3.connect(":memory:")) as ledger:
        ledger.executescript("CREATE TABLE decision (order_id, reason); CREATE TABLE submission (order_id, attempt, state)")
        ledger.execute("INSERT INTO decision VALUES ('a', ?)", (reason,))
        ledger.executemany("INSERT INTO submission VALUES ('a', ?, ?)", enumerate(states))
        assert _ended_since(ledger) == ({"a"} if is_judged_anew else set())


@pytest.mark.parametrize("table", _TABLES)
def test_it_is_its_decision_alone_that_may_be_another(table: str) -> None:
    """A move, an item or a claim of that order is noticed, and so is another decision about any other."""
    before = {name: list[dict[str, object]]() for name in _TABLES}
    mine, other = ({"order_id": key, "subject": f"order:{key}", "batch_id": ""} for key in "ab")
    assert bool(list(_changed(before, {**before, table: [mine]}, LEFT, ()))) is (table != "decision")
    assert list(_changed(before, {**before, table: [other]}, LEFT, ())) == [other]


@pytest.mark.parametrize(("name", "is_left_out"), [("declines.0001.csv", True), ("declines.csv", True), ("holds.csv", False)])
def test_it_is_its_line_among_the_declines_alone_that_may_be_another(name: str, is_left_out: bool) -> None:
    """Every other file of finance's shows of it what it showed before."""
    text = io.StringIO()
    csv.writer(text).writerows([("order_id", "reason"), ("a", "x"), ("b", "y")])
    rows = _of_others(Path("audit/2026-11-23") / name, text.getvalue().encode(), LEFT)
    assert (rows == {(("order_id", "b"), ("reason", "y")): 1}) is is_left_out
