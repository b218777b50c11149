"""Every edit, deletion, insertion, reordering and cut below the anchored heads of a real ledger is found (I19)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.table.chain import faults
from tests.table.tamper import DAYS, KINDS, campaign, events_in, real_history


def test_a_real_ledger_verifies(tmp_path: Path) -> None:
    """The ledger's own events are whole chains, and each day's digest is the one that its manifest keeps."""
    history = real_history(tmp_path)
    assert faults(list(history.rows), history.anchors) == []
    assert len({row["subject"] for row in history.rows}) == 12
    assert len(set(history.anchors.values())) == len(DAYS)


def test_a_thousand_changes_are_found() -> None:
    """Each change of one kind or another is found, the cleverly sealed ones by the digest; every kind is tried."""
    done = campaign(1_100, 0)
    assert done.violations == ()
    assert all(done.figures[kind.__name__.strip("_")] > 50 for kind in KINDS)


def test_without_the_digest_a_cut_would_not_be_found(tmp_path: Path) -> None:
    """A chain that is cut is a whole chain: only the digest that was kept elsewhere tells, so it is needed."""
    history = real_history(tmp_path)
    cut = [row for row in history.rows if row["subject"] != "order:000471" or row["seq"] == 1]
    assert faults(cut, {}) == []
    assert faults(cut, history.anchors) == [f"the digest of {day} differs" for day in DAYS]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET to_state = 'completed' WHERE subject = 'order:471' AND to_state = 'held'",
        "DELETE FROM event WHERE subject = 'order:471' AND seq = 2",
        "DELETE FROM event WHERE subject = 'order:471'",
    ],
)
def test_changes_in_the_file_itself_are_refused_and_found(statement: str, tmp_path: Path) -> None:
    """The database refuses to change an event; whoever takes the refusal out of the file is found all the same."""
    history, path = real_history(tmp_path), tmp_path / "ledger" / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        connection.commit()
    assert faults(events_in(path), history.anchors) != []
