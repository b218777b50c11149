"""What the ledger says of a group of calls: exactly its own, in their order, and each only where it stands for it."""

import pytest

from batch.ledger.calls import (
    as_they_stand,
    copies_in_doubt,
    copies_left,
    copies_to_be_called,
    doubt_copies,
    left_to_call,
    mark_copies,
    store_answers,
    to_be_called,
)
from batch.ledger.lease import end_run
from schemas.errors import ExitCode
from schemas.states import DAY_END_MARK, State
from tests.ledger.room import MID, Room
from tests.table.test_call_turns import copied

ONE, TWO = "b00000000001", "b00000000002"


def numbered(room: Room, *order_ids: str) -> None:
    """Held orders with these places in their group, from the first on."""
    for number, order_id in enumerate(order_ids, start=1):
        room.put(order_id, State.HELD)
        room.sql("UPDATE submission SET sequence_number = ? WHERE order_id = ?", number, order_id)


def test_the_first_held_orders_of_a_group_are_called(room: Room) -> None:
    """In the order of their places, each with the bytes of its claim; no order of another group, and none that is not held."""
    room.claim(ONE, "a", "b", "c", "d")
    room.claim(TWO, "e")
    numbered(room, "c", "b", "a", "e")
    with room.ledger.reading() as connection:
        most = to_be_called(connection, MID, ONE, 9)
        first = to_be_called(connection, MID, ONE, 2)
    assert [(order.order_id, body) for order, body in most] == [(each, f'{{"orderId":"{each}"}}'.encode()) for each in "cba"]
    assert first == most[:2]
    assert most[0][0] == room.submission("c")


@pytest.mark.parametrize("state", list(State))
def test_what_may_still_be_called_is_left(state: State, room: Room) -> None:
    """An order that is claimed, held, or being called; no order of another group."""
    room.claim(ONE, "a", "b")
    room.claim(TWO, "c")
    for order_id in ("a", "b"):
        room.put(order_id, state)
    with room.ledger.reading() as connection:
        assert left_to_call(connection, MID, ONE) == 2 * (state in (State.CLAIMED, State.HELD, State.SENDING))
        assert left_to_call(connection, MID, TWO) == 1


def test_claims_are_looked_up_as_they_stand(room: Room) -> None:
    """Those that are asked for, with the state that they have by now."""
    room.claim(ONE, "a", "b", "c")
    known = [room.submission("a"), room.submission("b")]
    now = {"a": room.put("a", State.REVIEW), "b": room.put("b", State.HELD)}
    with room.ledger.reading() as connection:
        assert as_they_stand(connection, MID, known) == now


def standing(room: Room) -> list[tuple[object, ...]]:
    """How each copy stands."""
    return room.sql("SELECT order_id, result, transmit_id, error_text FROM transmission ORDER BY order_id")


def test_copies_are_counted_by_how_they_stand(room: Room) -> None:
    """Not called yet, being called, in doubt, answered; each group for itself."""
    copied(room, ONE, "e", "d", "c", "b", "a")
    copied(room, TWO, "f", "g")
    with room.ledger.writing(room.run) as writing:
        results = {"a": "sending", "b": "in_doubt", "c": "success", "f": "in_doubt", "g": "in_doubt"}
        mark_copies(writing, [{"order_id": each, "result": result} for each, result in results.items()])
    with room.ledger.reading() as connection:
        assert (copies_left(connection, MID, ONE), copies_in_doubt(connection, MID, ONE)) == (3, 1)
        assert (copies_left(connection, MID, TWO), copies_in_doubt(connection, MID, TWO)) == (0, 2)
        assert [order_id for order_id, _ in copies_to_be_called(connection, MID, ONE, 9)] == ["e", "d"]
        assert [order_id for order_id, _ in copies_to_be_called(connection, MID, ONE, 1)] == ["e"]


def test_only_copies_that_were_being_called_are_doubted(room: Room) -> None:
    """Those of one group, with the reason; what is written down of one says nothing of the others."""
    copied(room, ONE, "a", "b", "c")
    copied(room, TWO, "d")
    with room.ledger.writing(room.run) as writing:
        mark_copies(writing, [{"order_id": each, "result": "sending"} for each in "abd"])
        mark_copies(writing, [{"order_id": "b", "result": "success", "transmit_id": "t", "error_text": ""}])
        assert doubt_copies(writing, ONE, "it ended") == 1
    assert standing(room) == [
        ("a", "in_doubt", None, "it ended"),
        ("b", "success", "t", None),
        ("c", None, None, None),
        ("d", "sending", None, None),
    ]
    with room.ledger.writing(room.run) as writing:
        mark_copies(writing, [{"order_id": "d", "result": ""}])
    assert standing(room)[-1] == ("d", None, None, None)


def test_answers_are_stored_once_for_each_way_they_came(room: Room) -> None:
    """The same bytes by another way are other evidence; of what came together each piece has its own id, in order."""
    with room.ledger.writing(room.run) as writing:
        ids = store_answers(writing, source="evaluate", answers=[("order:a", b"x"), ("order:b", b"y")])
        again = store_answers(writing, source="evaluate", answers=[("order:b", b"y"), ("order:a", b"x"), ("order:c", b"z")])
        other = store_answers(writing, source="transmit", answers=[("batch:1", b"x")])
        assert store_answers(writing, source="evaluate", answers=[("order:a", b"")]) == [""]
    assert again[:2] == ids[::-1]
    assert len({*again, *other}) == 4
    rows = room.sql("SELECT evidence_id, source, subject, content, received_at FROM evidence ORDER BY source, content")
    at = "2026-11-23T06:30:00Z"
    assert rows == [
        (ids[0], "evaluate", "order:a", b"x", at),
        (ids[1], "evaluate", "order:b", b"y", at),
        (again[2], "evaluate", "order:c", b"z", at),
        (other[0], "transmit", "batch:1", b"x", at),
    ]
    assert {len(str(row[0])) for row in rows} == {32}


def test_a_copy_of_a_closed_day_keeps_how_it_stood(room: Room) -> None:
    """Its place, result, id and words as they were when its day ended: the first change after that writes them, no other."""
    copied(room, ONE, "a", "b")
    with room.ledger.writing(room.run) as writing:
        mark_copies(writing, [{"order_id": "b", "result": "failed", "transmit_id": "t", "error_text": "no"}])
    assert room.sql("SELECT day_end FROM transmission") == [(None,), (None,)]
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    room.run = room.take("of the next day", day="2026-11-24")
    for result in ("sending", "success"):
        with room.ledger.writing(room.run) as writing:
            mark_copies(writing, [{"order_id": each, "result": result} for each in "ab"])
    stood = [DAY_END_MARK.join(cells) for cells in (("1", "", "", ""), ("2", "failed", "t", "no"))]
    assert room.sql("SELECT day_end FROM transmission ORDER BY order_id") == [(each,) for each in stood]
