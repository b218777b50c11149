"""What a confirmed refund leaves in the ledger, and which earlier refund a request repeats."""

import json
from datetime import timedelta

import pytest

from batch.ledger.items import open_item
from batch.ledger.operations import Operation, Wanted, claim_operation, move_operation
from batch.refund_effects import apply_refund
from batch.refund_requests import RefundRequest, check_currency, first_of
from schemas.errors import UsageRefused
from schemas.operations import OperationKind, OperationStep
from schemas.reasons import ItemKind
from schemas.states import State
from tests.table.acknowledging import ONE, acknowledge, row, sent
from tests.table.desk import Desk

E = "e" * 32


def asked(desk: Desk, amount_minor: int, step: OperationStep = OperationStep.DONE, *, name: str = "") -> Operation:
    """A refund of the order that was asked for, and came so far; a name is its request id."""
    wanted = Wanted(OperationKind.REFUND, amount_minor, "USD", "so", "ada", name)
    with desk.room.ledger.writing(desk.room.run) as writing:
        operation = claim_operation(writing, desk.room.submission("a"), wanted)
        if step is OperationStep.SENDING:
            return operation
        return move_operation(writing, operation, step, reason="so", evidence_id=E)


def at(desk: Desk, state: State) -> None:
    """An order of 19.99 that the provider has, at this state."""
    sent(desk, "a", "b")
    acknowledge(desk, row("a", "k"), row("b", "j"))
    desk.room.put("a", state)


def given_back(desk: Desk, amount_minor: int, captured: int = 1999) -> dict[str, object]:
    """A refund was confirmed and is applied; returns the detail of the order's event, which names it, beside its claim."""
    done = asked(desk, amount_minor)
    before = desk.room.submission("a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        apply_refund(writing, done, captured)
    assert desk.room.submission("a").row_version == before.row_version + 1
    statement = "SELECT kind, source, reason, evidence_id, detail FROM event WHERE subject = 'order:a' ORDER BY seq DESC LIMIT 1"
    ((kind, *by, detail),) = desk.room.sql(statement)
    told: dict[str, object] = {"kind": kind, **json.loads(str(detail))}
    assert (by, told.pop("attempt")) == (["operator", f"given back: USD {amount_minor / 100:.2f}", E], 1)
    assert told.pop("operation_id") == done.operation_id
    return told


def test_parts_add_up_to_the_whole(desk: Desk) -> None:
    """Each part shows the sum so far; the last cent makes it refunded."""
    at(desk, State.COMPLETED)
    asked(desk, 1000, OperationStep.REFUSED)
    assert given_back(desk, 999) == {"kind": "transition", "refunded_minor": 999}
    assert desk.states("a", "b") == ["partially_refunded", "pending"]
    assert given_back(desk, 999) == {"kind": "transition", "refunded_minor": 1998}
    assert desk.states("a") == ["partially_refunded"]
    assert given_back(desk, 1) == {"kind": "transition", "refunded_minor": 1999}
    assert desk.states("a") == ["refunded"]


@pytest.mark.parametrize(
    ("captured", "state", "recovered"), [(1500, State.REFUNDED, 1500), (1501, State.PARTIALLY_REFUNDED, None)]
)
def test_the_whole_is_what_was_captured(captured: int, state: State, recovered: int | None, desk: Desk) -> None:
    """Where another amount was captured than was handed over, the event of the whole refund says which."""
    at(desk, State.COMPLETED)
    detail = given_back(desk, 1500, captured)
    assert (desk.states("a"), detail.get("recovered_minor")) == ([state.value], recovered)


def test_a_part_that_is_given_back_under_review_moves_nothing(desk: Desk) -> None:
    """A person still decides about the order; its row shows what is gone."""
    at(desk, State.REVIEW)
    assert given_back(desk, 500) == {"kind": "refunded", "refunded_minor": 500}
    assert desk.states("a") == ["review"]


@pytest.mark.parametrize(
    ("amount", "still_told"), [(1999, ["quarantine"]), (500, ["double_charge", "late_completion", "quarantine"])]
)
def test_what_was_charged_once_too_often_is_over_when_all_of_it_is_given_back(
    amount: int, still_told: list[str], desk: Desk
) -> None:
    """A part of it settles nothing; nor does the whole settle anything else that stands open, or about another order."""
    at(desk, State.REVIEW)
    kinds = (ItemKind.DOUBLE_CHARGE, ItemKind.LATE_COMPLETION, ItemKind.QUARANTINE)
    with desk.room.ledger.writing(desk.room.run) as writing:
        for kind in kinds:
            open_item(writing, kind, "order:a", "so", due_business_days=3)
        open_item(writing, ItemKind.DOUBLE_CHARGE, "order:b", "so", due_business_days=3)
    given_back(desk, amount)
    statement = "SELECT kind FROM item WHERE closed_at IS NULL AND subject = ? ORDER BY kind"
    assert [kind for (kind,) in desk.room.sql(statement, "order:a")] == still_told
    assert desk.room.sql(statement, "order:b") == [("double_charge",)]


def test_a_refund_is_of_the_claim_that_was_recovered(desk: Desk) -> None:
    """The first claim of the order was refused, and stays so; the second was recovered, and is given back."""
    desk.held(ONE, "a")
    desk.room.put("a", State.REJECTED)
    desk.room.claim("b00000000002", "a")
    desk.room.sql("UPDATE submission SET state = 'completed' WHERE attempt = 2")
    done = asked(desk, 1999)
    with desk.room.ledger.writing(desk.room.run) as writing:
        apply_refund(writing, done, 1999)
    assert desk.room.sql("SELECT state FROM submission ORDER BY attempt") == [("rejected",), ("refunded",)]


def wants(amount_minor: int = 500, order_id: str = "a", name: str = "", currency: str = "USD") -> RefundRequest:
    """Somebody wants so much of an order given back."""
    return RefundRequest(order_id, amount_minor, currency, "so", "ada", name)


@pytest.mark.parametrize(("seconds", "is_same"), [(86399, True), (86400, False)])
def test_an_equal_refund_within_a_day_is_the_same(seconds: int, is_same: bool, desk: Desk) -> None:
    """To the second; one of another amount or another order is none, and nothing is."""
    at(desk, State.COMPLETED)
    assert first_of(desk.equipment, wants()) is None
    first = asked(desk, 500)
    desk.room.clock.advance(timedelta(seconds=seconds))
    assert first_of(desk.equipment, wants()) == (first if is_same else None)
    assert first_of(desk.equipment, wants(501)) is None
    assert first_of(desk.equipment, wants(500, "b")) is None


@pytest.mark.parametrize(
    ("step", "is_same"),
    [
        (OperationStep.SENDING, True),
        (OperationStep.IN_DOUBT, True),
        (OperationStep.DONE, True),
        (OperationStep.REFUSED, False),
    ],
)
def test_only_what_may_have_been_given_back_is_repeated(step: OperationStep, is_same: bool, desk: Desk) -> None:
    """One that the provider refused is asked for anew; one of which nobody knows is not."""
    at(desk, State.COMPLETED)
    found = asked(desk, 500, step)
    assert first_of(desk.equipment, wants()) == (found if is_same else None)


def test_of_equal_refunds_the_first_is_shown(desk: Desk) -> None:
    """Whoever asks a third time reads of the one that was asked for first."""
    at(desk, State.COMPLETED)
    first = asked(desk, 500, name="x")
    asked(desk, 500, name="y")
    assert first_of(desk.equipment, wants()) == first


def test_a_request_id_stands_for_one_refund_for_ever(desk: Desk) -> None:
    """However late, and refused or not; another amount or order under the same id is a mistake."""
    at(desk, State.COMPLETED)
    first = asked(desk, 500, OperationStep.REFUSED, name="x")
    desk.room.clock.advance(timedelta(days=400))
    assert first_of(desk.equipment, wants(name="x")) == first
    assert first_of(desk.equipment, wants(name="y")) is None
    for other in (wants(501, name="x"), wants(500, "b", name="x")):
        with pytest.raises(UsageRefused, match=r"'x' stands for USD 5\.00 of order 'a' already"):
            first_of(desk.equipment, other)


def test_an_order_is_given_back_in_its_own_currency(desk: Desk) -> None:
    """Another one is a mistake, whatever the amount."""
    at(desk, State.COMPLETED)
    check_currency(wants(), desk.room.submission("a"))
    with pytest.raises(UsageRefused, match="is in USD; EUR cannot be given back of it"):
        check_currency(wants(currency="EUR"), desk.room.submission("a"))
