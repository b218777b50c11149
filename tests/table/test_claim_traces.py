"""What belongs to one claim of an order, or to one order of two, stays with it: ids, dates, the chain of events, requests."""

from collections.abc import Iterator, Sequence

import pytest

from batch.applying import Heard, hear
from batch.contradictions import contest_id
from batch.ledger.items import open_item
from batch.ledger.operations import Wanted, claim_operation, move_operation
from batch.ledger.past import past_of
from batch.ledger.reading import submissions_of_batch
from batch.provider_reads import Answer
from batch.responses import OrderRead
from batch.second_attempts import SecondAttempts
from batch.settling import settle_operations
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
    settle_operations(desk.equipment, desk.room.run)
    assert [len(each) for each in asked] == [64, 1]
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
    ((now, _),) = SecondAttempts(desk.equipment, room.run).asked_first([(verdict, past)])
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
