"""What an acknowledgement leaves of copies of good charges: each row's word, one item for all refusals, one for odd rows."""

import pytest

from batch.acknowledged_copies import apply_transmit_rows
from batch.responses import AcknowledgedRow
from tests.table.acknowledging import ONE, answer, items, row
from tests.table.desk import Desk
from tests.table.test_call_turns import copied

EVIDENCE = "e" * 32


def acknowledged(desk: Desk, *rows: AcknowledgedRow) -> list[tuple[str, str]]:
    """Apply the answer to a file of three copies; returns what is open then."""
    copied(desk.room, ONE, "a", "b", "c")
    with desk.room.ledger.writing(desk.room.run) as writing:
        apply_transmit_rows(writing, desk.equipment, desk.batch(ONE), answer(*rows), EVIDENCE)
    return items(desk.room)


def explanations(desk: Desk) -> list[str]:
    """What a person is told."""
    return [str(words) for (words,) in desk.room.sql("SELECT explanation FROM item")]


def test_each_copy_has_its_rows_word(desk: Desk) -> None:
    """Taken with an id, refused with words, refused without any; a row that is missing leaves its copy as it was."""
    assert acknowledged(desk, row("a", "t-1"), row("b", error="no such site")) == [("row_refused", f"batch:{ONE}")]
    found = desk.room.sql("SELECT order_id, result, transmit_id, error_text FROM transmission ORDER BY order_id")
    assert found == [("a", "success", "t-1", None), ("b", "failed", None, "no such site"), ("c", None, None, None)]
    assert explanations(desk)[0].endswith(": 1 copy was refused")


def test_a_refusal_without_words_is_told_as_one(desk: Desk) -> None:
    """The books show that it was refused, whatever the provider left out."""
    acknowledged(desk, row("a"), row("b"))
    found = desk.room.sql("SELECT order_id, error_text FROM transmission WHERE result = 'failed' ORDER BY order_id")
    assert found == [("a", "refused"), ("b", "refused")]
    assert explanations(desk)[0].endswith(": 2 copies were refused")


@pytest.mark.parametrize("odd", ["z", ""])
def test_a_row_that_fits_no_copy_is_set_aside(odd: str, desk: Desk) -> None:
    """Nothing else comes of it: the copies that are named are taken, and nobody hears of a refusal."""
    assert acknowledged(desk, row("a", "t-1"), row(odd)) == [("quarantine", f"batch:{ONE}")]
    assert f"the row for {odd or 'no order'!r} fits none of the file" in explanations(desk)[0]


def test_copies_that_were_all_taken_concern_nobody(desk: Desk) -> None:
    """No item."""
    assert acknowledged(desk, row("a", "t-1"), row("b", "t-2"), row("c", "t-3")) == []
