"""News that came before its ids were known, and rows of it that name none of ours: each is told once, for as long as it is so."""

import json

import pytest

from batch.ledger.evidence import store_evidence
from batch.outcome_news import apply_news
from batch.responses import read_outcomes
from tests.ledger.room import MID
from tests.table.acknowledging import acknowledge, row, sent
from tests.table.desk import Desk

Row = tuple[str, str]
"""The provider's id, and ours, as a row of a file names an order; empty for none."""


def news(desk: Desk, *rows: Row) -> str:
    """A file of outcomes with these rows is applied; returns the subject under which a person is told of it."""
    named = [{"orderSessionKey": theirs, "orderId": ours, "status": "Completed"} for theirs, ours in rows]
    content = json.dumps({"mid": MID, "outcomes": named}).encode()
    _, found, odd = read_outcomes(content, desk.equipment.profile)
    with desk.room.ledger.writing(desk.room.run) as writing:
        stored = store_evidence(writing, source="file", subject="file:outcomes_1.json", content=content)
        apply_news(writing, desk.equipment, found, odd, stored.evidence_id)
    return f"evidence:{stored.evidence_id}"


def told(desk: Desk) -> list[tuple[object, ...]]:
    """Subject and words of what is open."""
    return desk.room.sql("SELECT subject, explanation FROM item WHERE closed_at IS NULL")


@pytest.mark.parametrize(("rows", "is_open"), [([("k", "")], False), ([("k", ""), ("q", "")], True)])
def test_a_stranger_is_told_of_until_every_id_is_known(rows: list[Row], is_open: bool, desk: Desk) -> None:
    """An id that nobody knew is one of ours now: if it was the only one, there is nothing left to look at."""
    sent(desk, "a")
    subject = news(desk, *rows)
    assert [about for about, _ in told(desk)] == [subject]
    acknowledge(desk, row("a", "k"))
    assert [about for about, _ in told(desk)] == ([subject] if is_open else [])


def test_each_row_that_names_none_of_ours_is_named_once(desk: Desk) -> None:
    """One that joins our order's id with another name, and one of which nobody knows the id; what is ours is not among them."""
    sent(desk, "a")
    subject = news(desk, ("k", "somebody"), ("q", ""), ("k", "a"))
    desk.room.sql("DELETE FROM item")
    acknowledge(desk, row("a", "k"))
    ((about, words),) = told(desk)
    assert about == subject
    assert "2 rows of the provider's news set aside" in str(words)
    assert [str(words).count(name) for name in ("'somebody'", "'q'", "'a'", "'k'")] == [1, 1, 0, 0]
