"""Copies of good charges that go by calls, in the ledger: what is kept of each, what the merchant is left, what is forgotten."""

from dataclasses import replace
from typing import Any, cast

import pytest

from batch.api_copies import Transmits
from batch.api_line import Call, Called
from batch.call_answers import Verdict
from batch.ledger.batches import batch_by_id
from batch.ledger.calls import mark_copies
from batch.ledger.copies import leave_out_copies, refuse_copies
from batch.ledger.repeats import body_of
from schemas.states import API_FORMAT, BatchStep, State
from tests.ledger.room import MID, START, Room
from tests.table.acknowledging import items
from tests.table.desk import Desk
from tests.table.test_call_turns import copied

ONE, TWO = "b00000000001", "b00000000002"
TAKEN = b'{"result": "success", "transmitId": "t-1"}'


def kept(room: Room) -> list[tuple[object, ...]]:
    """How each copy stands."""
    return room.sql("SELECT order_id, result, transmit_id, error_text FROM transmission ORDER BY order_id")


def test_what_is_written_down_of_a_copy(room: Room) -> None:
    """Its result, the provider's id, the words: each where it is known, and nothing where it is not."""
    copied(room, ONE, "a", "b", "c")
    with room.ledger.writing(room.run) as writing:
        mark_copies(writing, [{"order_id": "a", "result": "success", "transmit_id": "t-1"}])
        mark_copies(writing, [{"order_id": "b", "result": "failed", "transmit_id": "", "error_text": "no such site"}])
    assert kept(room) == [("a", "success", "t-1", None), ("b", "failed", None, "no such site"), ("c", None, None, None)]


@pytest.mark.parametrize(("step", "left"), [(BatchStep.CLAIMED, [(ONE, "transmit")]), (BatchStep.CALLING, [])])
def test_a_group_leaves_its_rows_with_the_merchant_before_its_first_call(
    step: BatchStep, left: list[tuple[str, str]], desk: Desk
) -> None:
    """Once, as a file does; a group that an earlier run has begun has left them already."""
    copied(desk.room, ONE, "a")
    desk.room.sql("UPDATE batch SET format = ?, step = ?", API_FORMAT, step.value)
    written: list[tuple[str, str]] = []

    class Export:
        def write(self, _day: str, batch_id: str, kind: str, canonical: bytes) -> None:
            """Keep what is written."""
            assert b"a" in canonical
            written.append((batch_id, kind))

    Transmits(replace(desk.equipment, export=cast("Any", Export())), desk.room.run).prepare(desk.batch(ONE))
    assert written == left


def test_an_answer_is_recorded_once_and_then_its_call_is_forgotten(desk: Desk) -> None:
    """Whoever records it a second time has made a mistake, and is told so."""
    copied(desk.room, ONE, "a")
    desk.room.sql("UPDATE batch SET format = ?", API_FORMAT)
    errand = Transmits(desk.equipment, desk.room.run)
    _, (call,) = errand.intend(desk.batch(ONE), 9)
    assert kept(desk.room) == [("a", "sending", None, None)]
    back = [Called(call, 200, TAKEN)]
    with desk.room.ledger.writing(desk.room.run) as writing:
        errand.apply(writing, back)
    assert kept(desk.room) == [("a", "success", "t-1", None)]
    errand.forget(back)
    with pytest.raises(KeyError), desk.room.ledger.writing(desk.room.run) as writing:
        errand.apply(writing, [Called(Call("a", b"{}", START), 500)])
    assert kept(desk.room) == [("a", "success", "t-1", None)]


def test_an_answer_that_cannot_be_applied_leaves_its_copy_in_doubt(desk: Desk) -> None:
    """With the words that say why; the copies that were called beside it are as they were."""
    copied(desk.room, ONE, "a", "b")
    desk.room.sql("UPDATE batch SET format = ?", API_FORMAT)
    errand = Transmits(desk.equipment, desk.room.run)
    _, (call, _) = errand.intend(desk.batch(ONE), 9)
    with desk.room.ledger.writing(desk.room.run) as writing:
        assert errand.set_aside(writing, Called(call, 200, b"?"), "a mistake in this program") == {Verdict.DOUBTFUL: 1}
    assert kept(desk.room) == [("a", "in_doubt", None, "a mistake in this program"), ("b", "sending", None, None)]


def test_what_each_answer_leaves(desk: Desk) -> None:
    """Taken, refused with words, in doubt with words, not called after all; one item tells of what was refused."""
    copied(desk.room, ONE, *"abcd")
    desk.room.sql("UPDATE batch SET format = ?", API_FORMAT)
    errand = Transmits(desk.equipment, desk.room.run)
    _, calls = errand.intend(desk.batch(ONE), 9)
    refusal = b'{"errors": {"site": ["is unknown"]}}'
    back = [Called(calls[0], 200, TAKEN), Called(calls[1], 400, refusal), Called(calls[2], 500), Called(calls[3], not_made=True)]
    words = [errand.read(called).words for called in back]
    with desk.room.ledger.writing(desk.room.run) as writing:
        counts = errand.apply(writing, back)
    assert counts == {Verdict.TAKEN: 1, Verdict.REFUSED: 1, Verdict.DOUBTFUL: 1, Verdict.UNSEEN: 1}
    assert kept(desk.room) == [
        ("a", "success", "t-1", None),
        ("b", "failed", None, words[1]),
        ("c", "in_doubt", None, words[2]),
        ("d", None, None, None),
    ]
    assert "is unknown" in words[1]
    assert words[3] == "the call was not made"
    assert items(desk.room) == [("row_refused", f"batch:{ONE}")]


def test_why_a_copy_was_not_called_is_told(desk: Desk) -> None:
    """Nothing of it left, and the words are those of the line."""
    call = Call("a", b"{}", START)
    for called in (Called(call, problem="no route", not_made=True), Called(call, problem="no route", not_sent=True)):
        reply = Transmits(desk.equipment, desk.room.run).read(called)
        assert (reply.verdict, reply.words) == (Verdict.UNSEEN, "no route")


def test_a_refused_file_leaves_alone_what_was_taken_out_of_it(room: Room) -> None:
    """A copy that had grown too old was never in it."""
    copied(room, ONE, "a", "b")
    with room.ledger.writing(room.run) as writing:
        leave_out_copies(writing, ["a"], "too old")
        batch = batch_by_id(writing.connection, MID, ONE)
        assert batch is not None
        refuse_copies(writing, batch, "not a file")
    assert kept(room) == [("a", "too_old", None, "too old"), ("b", "failed", None, "not a file")]


def test_the_body_of_a_claim_is_that_of_its_attempt(room: Room) -> None:
    """An order that was claimed twice is called once more with the bytes of the claim that is in doubt."""
    room.claim(ONE, "a")
    room.put("a", State.REJECTED)
    first = room.submission("a")
    room.claim(TWO, "a")
    room.sql("UPDATE submission SET record_json = 'record ' || attempt")
    with room.ledger.reading() as connection:
        bodies = [body_of(connection, MID, each) for each in (first, room.submission("a"))]
    assert bodies == [b"record 1", b"record 2"]
