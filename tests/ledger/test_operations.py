"""Cancels, captures and refunds in the ledger: claimed once, moved only along the table, told in a chain of their own."""

from dataclasses import replace

import pytest

from batch.api_actions import ActionAnswer, Verdict
from batch.asking import record_answer
from batch.books import FIRST_HASH, event_hash
from batch.ledger.operations import (
    Operation,
    Wanted,
    claim_operation,
    given_back,
    move_operation,
    operation_of_request,
    operations_of,
    unsettled_operations,
)
from batch.ledger.reading import events_of
from schemas.errors import IllegalTransition, LeaseLost, TransitionLost
from schemas.operations import OPERATION_EDGES, UNSETTLED, OperationKind, OperationStep
from tests.ledger.room import HERE, MID, Room

REFUND = Wanted(OperationKind.REFUND, 500, "USD", "asked by the customer", "ada")


def asked(room: Room, order_id: str = "a", wanted: Wanted = REFUND) -> Operation:
    """A request that is recorded and may be leaving."""
    with room.ledger.writing(room.run) as writing:
        return claim_operation(writing, room.submission(order_id), wanted)


@pytest.mark.parametrize("old", OperationStep)
def test_every_pair_of_steps(old: OperationStep, room: Room) -> None:
    """From each step exactly the steps of the table happen; every other one is refused with both steps named."""
    room.claim("b00000000001", *(f"o-{new}" for new in OperationStep))
    for new in OperationStep:
        found = asked(room, f"o-{new}")
        room.sql("UPDATE operation SET step = ? WHERE operation_id = ?", old.value, found.operation_id)
        before = replace(found, step=old)
        with room.ledger.writing(room.run) as writing:
            if new in OPERATION_EDGES[old]:
                assert move_operation(writing, before, new, reason="as told").step is new
            else:
                with pytest.raises(IllegalTransition, match=rf"cannot go from {old} to {new}\."):
                    move_operation(writing, before, new, reason="as told")
        with room.ledger.reading() as connection:
            (now,) = operations_of(connection, MID, f"o-{new}")
        assert now.step is (new if new in OPERATION_EDGES[old] else old)
        assert bool(now.settled_at) == (new in OPERATION_EDGES[old] and new not in UNSETTLED)


def test_a_request_is_told_in_a_chain_of_its_own(room: Room) -> None:
    """Each step is an event that seals the one before it, and the row's head is the last of them."""
    room.claim("b00000000001", "a")
    found = asked(room)
    with room.ledger.writing(room.run) as writing:
        found = move_operation(writing, found, OperationStep.DONE, reason="done there", transaction_id="t-1")

    with room.ledger.reading() as connection:
        events = events_of(connection, MID, f"operation:{found.operation_id}")
        (kept,) = operations_of(connection, MID, "a", OperationKind.REFUND)
    assert [(event["seq"], event["to_state"]) for event in events] == [(1, "claimed"), (2, "sending"), (3, "done")]
    previous = FIRST_HASH
    for event in events:
        assert (event["previous_hash"], event["hash"]) == (previous, event_hash(previous, event))
        previous = event["hash"]
    assert kept == found
    assert (kept.event_hash, kept.transaction_id, kept.asked_by) == (previous, "t-1", "ada")


def test_one_unsettled_request_for_an_order_and_kind(room: Room) -> None:
    """A second refund of an order is refused while the first is open; a cancel, another order, and a later one are not."""
    room.claim("b00000000001", "a", "b")
    first = asked(room)
    with pytest.raises(TransitionLost):
        asked(room)
    asked(room, "a", replace(REFUND, kind=OperationKind.CANCEL))
    asked(room, "b")
    with room.ledger.writing(room.run) as writing:
        move_operation(writing, first, OperationStep.REFUSED, reason="no")
    second = asked(room)

    assert second.operation_id != first.operation_id
    assert second.idempotency_key != first.idempotency_key
    with room.ledger.reading() as connection:
        assert {each.operation_id for each in unsettled_operations(connection, MID)} >= {second.operation_id}
        assert len(unsettled_operations(connection, MID)) == 3


def test_requests_of_one_kind_are_told_from_the_others(room: Room) -> None:
    """A refund that was asked for is no cancel: who asks for one kind gets that kind alone, who asks for none gets all."""
    room.claim("b00000000001", "a")
    refund, cancel = asked(room), asked(room, "a", replace(REFUND, kind=OperationKind.CANCEL))
    with room.ledger.reading() as connection:
        assert operations_of(connection, MID, "a", OperationKind.REFUND) == [refund]
        assert operations_of(connection, MID, "a", OperationKind.CANCEL) == [cancel]
        assert {each.kind for each in operations_of(connection, MID, "a")} == {refund.kind, cancel.kind}


@pytest.mark.parametrize(("content", "is_kept"), [(b'{"responseCode": "00"}', True), (b"", False), (b" {\r\n\t}\n", False)])
def test_what_came_back_for_a_request_is_kept_as_evidence(content: bytes, is_kept: bool, room: Room) -> None:
    """The bytes of the answer are what a refund is argued by later; an empty one proves nothing, and is not kept."""
    room.claim("b00000000001", "a")
    refund = asked(room)
    with room.ledger.writing(room.run) as writing:
        found = record_answer(writing, refund, ActionAnswer(Verdict.DONE, "done there", content, transaction_id="t-1"))
    assert found.transaction_id == "t-1"
    kept = room.sql("SELECT evidence_id, source, content FROM evidence")
    assert found.evidence_id == ("".join(str(row[0]) for row in kept))
    assert [row[1:] for row in kept] == ([("refund", content)] if is_kept else [])


def test_what_the_provider_did_not_name_is_null(room: Room) -> None:
    """An answer without the id of a transaction teaches none: not an empty one that queries would count."""
    room.claim("b00000000001", "a")
    refund = asked(room)
    with room.ledger.writing(room.run) as writing:
        record_answer(writing, refund, ActionAnswer(Verdict.UNCLEAR, "nobody knows"))
    assert room.sql("SELECT step, transaction_id, evidence_id FROM operation") == [("in_doubt", None, None)]


def test_a_request_id_is_used_once(room: Room) -> None:
    """The same request id for the same kind is refused by the database, whatever the order; the first is found by it."""
    room.claim("b00000000001", "a", "b")
    first = asked(room, "a", replace(REFUND, request_id="ticket-1"))
    with pytest.raises(TransitionLost):
        asked(room, "b", replace(REFUND, request_id="ticket-1"))
    asked(room, "b", replace(REFUND, request_id="ticket-1", kind=OperationKind.CANCEL))

    with room.ledger.reading() as connection:
        assert operation_of_request(connection, MID, OperationKind.REFUND, "ticket-1") == first
        assert operation_of_request(connection, MID, OperationKind.REFUND, "ticket-2") is None


def test_a_step_is_taken_once(room: Room) -> None:
    """Whoever read a request before another moved it moves nothing."""
    room.claim("b00000000001", "a")
    read = asked(room)
    with room.ledger.writing(room.run) as writing:
        move_operation(writing, read, OperationStep.IN_DOUBT, reason="no answer")
    before = room.everything("lease")
    with pytest.raises(TransitionLost), room.ledger.writing(room.run) as writing:
        move_operation(writing, read, OperationStep.DONE, reason="an old answer")
    assert room.everything("lease") == before


def test_a_runner_that_lost_the_lease_asks_for_nothing(room: Room) -> None:
    """Without the lease nothing is written down, so nothing may be asked for."""
    room.claim("b00000000001", "a")
    room.take("second", owner=replace(HERE, pid=8), alive=False)
    with pytest.raises(LeaseLost):
        asked(room)
    assert room.sql("SELECT count(*) FROM operation") == [(0,)]


def test_only_confirmed_refunds_count_as_given_back(room: Room) -> None:
    """Refunds that are done add up per order; refused ones and ones in doubt are not in the sum."""
    room.claim("b00000000001", "a", "b")
    for step, order_id in (("done", "a"), ("done", "a"), ("refused", "a"), ("in_doubt", "b")):
        found = asked(room, order_id)
        with room.ledger.writing(room.run) as writing:
            move_operation(writing, found, OperationStep(step), reason="as told")
    with room.ledger.reading() as connection:
        assert given_back(connection, MID, ["a", "b"]) == {"a": 1000}
        assert given_back(connection, MID, []) == {}
