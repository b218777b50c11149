"""What belongs to one claim of an order, or to one order of two, stays with it: ids, dates, the chain of events, requests."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid5

import pytest

from batch import second_attempts
from batch.applying import Heard, hear
from batch.contradictions import contest_id
from batch.ledger.calls import to_be_repeated
from batch.ledger.items import open_item
from batch.ledger.operations import Wanted, claim_operation, move_operation
from batch.ledger.past import past_of
from batch.ledger.reading import attempts_of, submissions_of_batch
from batch.provider_reads import Answer
from batch.responses import OrderRead
from batch.settling import read_again, settle_operations
from schemas.errors import ApiLoginRefused, ApiUnreachable, Interrupted, MitbatchError
from schemas.operations import OperationKind, OperationStep
from schemas.reasons import ItemKind
from schemas.states import State
from tests.ledger.room import DAY, MID, Room
from tests.pure.samples import good_row, judged
from tests.table.acknowledging import ONE, acknowledge, items, row, sent
from tests.table.desk import Desk

TWO = "b00000000002"


def test_a_second_claim_goes_on_in_the_orders_chain(room: Room) -> None:
    """Its first event is the next of the order, whose numbers have no gap and begin with one."""
    room.claim(ONE, "a", "b")
    room.put("a", State.REJECTED)
    room.claim(TWO, "a")
    assert room.sql("SELECT seq FROM event WHERE subject = 'order:a' ORDER BY seq") == [(1,), (2,)]
    assert room.sql("SELECT seq FROM event WHERE subject = 'order:b'") == [(1,)]


@pytest.mark.parametrize("claims", [1, 2])
def test_a_request_is_settled_by_a_read_of_the_claim_that_it_was_about(claims: int, desk: Desk) -> None:
    """The order was claimed again since, under another id of the provider's: the first one is asked about."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k1"))
    with desk.room.ledger.writing(desk.room.run) as writing:
        operation = claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
        move_operation(writing, operation, OperationStep.IN_DOUBT, reason="no clear answer")
    if claims == 2:
        desk.room.put("a", State.REJECTED)
        desk.room.claim(TWO, "a")
        desk.room.sql("UPDATE submission SET provider_order_id = 'k2', state = 'pending' WHERE attempt = 2")
    asked = list[str]()

    def read_orders(provider_order_ids: Sequence[str]) -> Iterator[Answer]:
        asked.extend(provider_order_ids)
        return iter([Answer(each, b"", None, "HTTP 500", is_unreachable=True) for each in provider_order_ids])

    desk.equipment.api.read_orders = read_orders  # type: ignore[method-assign]
    settle_operations(desk.equipment, desk.room.run)
    assert asked == ["k1"]


def test_requests_are_settled_page_by_page(desk: Desk) -> None:
    """No more orders are read at once than a page holds, and none is left out of the last one."""
    order_ids = [f"{number:02}" for number in range(65)]
    sent(desk, *order_ids)
    desk.room.sql("UPDATE submission SET provider_order_id = 'k' || order_id")
    with desk.room.ledger.writing(desk.room.run) as writing:
        for order in submissions_of_batch(writing.connection, MID, ONE):
            claim_operation(writing, order, Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
    asked = list[list[str]]()

    def read_orders(provider_order_ids: Sequence[str]) -> Iterator[Answer]:
        asked.append([*provider_order_ids])
        return iter([Answer(each, b"", None, "HTTP 500", is_unreachable=True) for each in provider_order_ids])

    desk.equipment.api.read_orders = read_orders  # type: ignore[method-assign]
    stages, advanced = list[tuple[object, ...]](), list[int]()
    progress = SimpleNamespace(stage=lambda *of: stages.append(of), advance=advanced.append)
    settle_operations(replace(desk.equipment, progress=cast("Any", progress)), desk.room.run)
    assert [len(each) for each in asked] == advanced == [64, 1]
    assert stages == [("requests in doubt",)]
    assert sorted(each for page in asked for each in page) == [f"k{order_id}" for order_id in order_ids]
    assert desk.room.sql("SELECT DISTINCT step FROM operation") == [("in_doubt",)]


def test_who_loses_a_contested_id_loses_that_one_alone(desk: Desk) -> None:
    """One id for two orders: both come under review; the one that has an id of its own keeps it, and tells of both."""
    sent(desk, "a", "b", "c")
    acknowledge(desk, row("b", "j"), row("c", "k"))
    with desk.room.ledger.writing(desk.room.run) as writing:
        contest_id(writing, desk.equipment, "k", ["a", "b", "c"], "e" * 32, "poll")
    assert desk.states("a", "b", "c") == ["review"] * 3
    assert [desk.room.submission(each).provider_order_id for each in "abc"] == ["k", "j", ""]
    assert items(desk.room) == [("contradiction", f"order:{each}") for each in "abc"]


def test_an_order_is_handed_over_on_the_date_on_which_it_is_known_to_be_there(desk: Desk) -> None:
    """Not on that of its end, nor again when the same is heard once more."""
    sent(desk, "a", "b")
    for day, word in ((DAY, "Processing"), ("2026-11-24", "Processing"), ("2026-11-25", "Completed")):
        desk.room.run = desk.room.take(day, day=day, alive=False)
        with desk.room.ledger.writing(desk.room.run) as writing:
            hear(
                writing,
                desk.equipment,
                desk.room.submission("a"),
                Heard("poll", b"{}", OrderRead("k", "a", None, word, 1999, "USD")),
            )
    assert (desk.room.submission("a").handed_over_date, desk.states("a")) == (DAY, ["completed"])


def test_a_request_has_the_id_of_its_place_among_its_kind(desk: Desk) -> None:
    """The first and the second of one order, each with the id that follows from it: written twice, it is one."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    for number in (1, 2):
        with desk.room.ledger.writing(desk.room.run) as writing:
            wanted = Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada")
            operation = claim_operation(writing, desk.room.submission("a"), wanted)
            assert operation.operation_id == str(uuid5(UUID(MID), f"cancel\na\n{number}"))
            move_operation(writing, operation, OperationStep.DONE, reason="done there")


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_request_is_read_again_for_its_own_claim(attempt: int, desk: Desk) -> None:
    """Whichever of two it was about, by the id that this one has, and although somebody asks the run to stop."""
    sent(desk, "a")
    desk.room.put("a", State.REJECTED)
    desk.room.claim(TWO, "a")
    states = "CASE attempt WHEN 1 THEN 'rejected' ELSE 'pending' END"
    desk.room.sql(f"UPDATE submission SET provider_order_id = 'k' || attempt, state = {states}")
    with desk.room.ledger.writing(desk.room.run) as writing:
        order = attempts_of(writing.connection, MID, "a")[attempt - 1]
        operation = claim_operation(writing, order, Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
    asked = list[str]()

    def read_orders(provider_order_ids: Sequence[str]) -> Iterator[Answer]:
        asked.extend(provider_order_ids)
        return iter([Answer(each, b"", None, "HTTP 500", is_unreachable=True) for each in provider_order_ids])

    def stop() -> None:
        raise Interrupted("asked")

    desk.equipment.api.read_orders = read_orders  # type: ignore[method-assign]
    desk.room.ledger.may_go_on = stop
    again = read_again(desk.equipment, desk.room.run, operation)
    assert (asked, again.submission.attempt) == ([f"k{attempt}"], attempt)
    assert desk.room.sql("SELECT attempt FROM submission WHERE reads > 0") == [(attempt,)]


@pytest.mark.parametrize(
    ("kind", "subject", "goes"),
    [
        (ItemKind.ROW_REFUSED, "order:000471", False),
        (ItemKind.FILE_REFUSED, f"batch:{ONE}", False),
        (ItemKind.WRITE_BACK_CONFLICT, "order:000471", True),
        (ItemKind.ROW_REFUSED, "order:000472", True),
    ],
)
def test_where_nobody_can_be_asked_only_the_item_of_its_refusal_keeps_an_order_back(
    kind: ItemKind, subject: str, goes: bool, room: Room
) -> None:
    """What else stands open about it, or about another order, says nothing of whether the provider has it."""
    desk = Desk(room, outcomes={"ask": "outcome"})
    sent(desk, "000471")
    desk.room.put("000471", State.REJECTED)
    with room.ledger.writing(room.run) as writing:
        past = past_of(writing.connection, MID, ["000471"])["000471"]
        open_item(writing, kind, subject, "so", due_business_days=3)
    verdict = judged(good_row(), State.REJECTED)
    assert verdict is not None
    assert verdict.selected
    ((now, _),) = second_attempts.SecondAttempts(desk.equipment, room.run).asked_first([(verdict, past)])
    assert now.selected is goes


@pytest.mark.parametrize(
    ("asked_for", "word", "state", "told"),
    [
        (True, "Completed", "review", [("double_charge", "order:a")]),
        (True, "Cancelled", "cancelled", []),
        (False, "Completed", "completed", []),
        (False, "Cancelled", "declined", []),
    ],
)
def test_what_is_said_after_a_cancel_is_heard_as_its_end(
    asked_for: bool, word: str, state: str, told: list[tuple[str, str]], desk: Desk
) -> None:
    """The same words mean something else where nobody had asked for it: a recovery that came too late, or an end by request."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    if asked_for:
        with desk.room.ledger.writing(desk.room.run) as writing:
            operation = claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
            move_operation(writing, operation, OperationStep.DONE, reason="done there")
    with desk.room.ledger.writing(desk.room.run) as writing:
        read = OrderRead("k", "a", None, word, 1999, "USD")
        hear(writing, desk.equipment, desk.room.submission("a"), Heard("poll", b"{}", read))
    assert (desk.states("a"), items(desk.room)) == ([state], told)


@pytest.mark.parametrize("kind", [ApiLoginRefused, ApiUnreachable])
def test_a_provider_that_cannot_be_asked_is_not_asked_again(
    kind: type[MitbatchError], room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses our credentials, or is away: no further order is asked about, none of them goes, and all are named."""
    monkeypatch.setattr(second_attempts, "AT_A_TIME", 1)
    desk, asked = Desk(room), list[str]()
    sent(desk, "a", "b")
    for order_id in "ab":
        room.put(order_id, State.REJECTED)
    with room.ledger.reading() as connection:
        past = past_of(connection, MID, ["a", "b"])

    def find_orders(order_ids: Sequence[str]) -> Iterator[Answer]:
        asked.extend(order_ids)
        raise kind("as it is")

    desk.equipment.api.find_orders = find_orders  # type: ignore[method-assign]
    questions = second_attempts.SecondAttempts(desk.equipment, room.run)
    verdicts = [judged(good_row(order_id=each), State.REJECTED) for each in "ab"]
    found = questions.asked_first([(verdict, past[verdict.order_id]) for verdict in verdicts if verdict is not None])
    assert (asked, [verdict.selected for verdict, _ in found]) == (["a"], [False, False])
    with pytest.raises(kind, match=r"2 refused orders all the same could not be learnt \('a', 'b'\): as it is\."):
        questions.tell()


TO_BE_REPEATED = {"state": "pending", "mit_mode": "sync", "provider_order_id": "k", "claimed_at": "2026-11-20T06:30:00Z"}
"""An order of sync mode that the provider may be asked about once more: three days old, of four weeks that were agreed on."""


@pytest.mark.parametrize(
    ("changes", "is_due"),
    [
        ({}, True),
        ({"state": "capture_required"}, False),
        ({"mit_mode": "cit"}, False),
        ({"provider_order_id": None}, False),
        ({"expires_at": "2026-11-23T06:30:00Z"}, False),
        ({"expires_at": "2026-11-23T06:30:01Z"}, True),
        ({"claimed_at": "2026-11-22T06:30:00Z"}, True),
        ({"claimed_at": "2026-11-22T06:30:01Z"}, False),
    ],
)
def test_an_order_is_evaluated_again_within_its_period_and_not_too_soon(
    changes: dict[str, object], is_due: bool, room: Room
) -> None:
    """To the second; what waits for something else, or is not known at the provider, is left alone."""
    room.claim(ONE, "a", "b")
    for name, value in (TO_BE_REPEATED | changes).items():
        room.sql(f"UPDATE submission SET {name} = ? WHERE order_id = 'b'", value)
    with room.ledger.reading() as connection:
        of = {"now": "2026-11-23T06:30:00Z", "before": "2026-11-22T06:30:00Z"}
        due, later, none = (
            to_be_repeated(connection, MID, **of, after=after, limit=limit) for after, limit in (("a", 9), ("b", 9), ("", 0))
        )
    assert [(order.order_id, record) for order, record in due] == ([("b", b'{"orderId":"b"}')] if is_due else [])
    assert (later, none) == ([], [])
