"""Items about refused requests close by themselves when what was wanted has come about, and by no other news."""

import pytest

from batch.action_rules import Wish, reached_in_another_way
from schemas.errors import ExitCode
from schemas.operations import OperationKind, OperationStep
from schemas.states import State
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, COMPLETED, UNANSWERED, House, order
from tests.night.requests import cancel, capture, completed, refund, steps
from tests.night.test_capture import authorised

DONE, REFUSED = OperationStep.DONE, OperationStep.REFUSED


def refused_cancel(house: House, token: str) -> None:
    """A cancel had no effect, and a person was told."""
    house.add(order(payment_token=token))
    house.run()
    house.sandbox.faults.switch_on("service_unavailable", where="cancel")
    house.sandbox.faults.switch_on("server_error_before", where="order")
    house.set(outcomes={"ingest_window_seconds": 60})
    cancel(house)
    house.pass_time(minutes=6)
    assert house.run("poll").code == ExitCode.NEEDS_PERSON
    assert [kind for kind, _ in house.items()] == ["action_refused"]


def closed(house: House) -> list[str]:
    """How the items about refused requests were closed."""
    return [row["resolution"] for row in house.ledger("SELECT resolution FROM item WHERE kind='action_refused' ORDER BY rowid")]


def test_a_refused_cancel_is_closed_by_the_end_that_was_wanted(house: House) -> None:
    """The provider gives up by itself: nobody has to look any more."""
    refused_cancel(house, CANCELLED)
    house.pass_time(hours=30)
    assert house.run("poll").code == ExitCode.CLEAN
    assert (house.state(), house.items()) == ("declined", [])
    assert closed(house) == ["what the cancel was for has come about: the order is declined"]


def test_a_refused_cancel_stays_when_the_order_completes(house: House) -> None:
    """What was wanted has not come about: a person must hear of it, until all of it is given back."""
    refused_cancel(house, COMPLETED)
    house.pass_time(hours=30)
    house.run("poll")
    assert house.state() == "review"
    assert "action_refused" in [kind for kind, _ in house.items()]
    assert refund(house, "19.99")[0] == 0
    assert (house.state(), house.items()) == ("refunded", [])


def test_a_second_cancel_that_works_closes_the_item_of_the_first(house: House) -> None:
    """At once, in the run of the command, and no later run has anything left."""
    refused_cancel(house, UNANSWERED)
    house.run("poll")
    assert [kind for kind, _ in house.items()] == ["action_refused"]
    assert cancel(house)[0] == 0
    assert (house.state(), house.items()) == ("cancelled", [])


def test_a_refused_capture_is_closed_by_a_later_one(house: House) -> None:
    """The amount is taken all the same."""
    authorised(house)
    house.sandbox.faults.switch_on("service_unavailable", where="capture")
    capture(house)
    house.pass_time(hours=1)
    house.run("poll")
    assert [kind for kind, _ in house.items()] == ["action_refused"]
    assert capture(house)[0] == 0
    assert (house.state(), house.items()) == ("completed", [])


def test_a_refused_refund_is_closed_by_the_same_amount_alone(make_house: MakeHouse) -> None:
    """Another amount serves another purpose; the same amount given back closes the item."""
    house = make_house(shows_refunds=True)
    completed(house)
    house.sandbox.faults.switch_on("service_unavailable", where="refund")
    refund(house, "5.00")
    house.pass_time(hours=1)
    house.run("poll")
    assert (steps(house), [kind for kind, _ in house.items()]) == ([("refund", "refused")], ["action_refused"])
    assert refund(house, "4.00")[0] == 0
    house.run("poll")
    assert [kind for kind, _ in house.items()] == ["action_refused"]
    assert refund(house, "5.00")[0] == 0
    assert house.items() == []


@pytest.mark.parametrize(
    ("requests", "served"),
    [
        ([("a", REFUSED, 500), ("b", DONE, 500)], {"a"}),
        ([("b", DONE, 500), ("a", REFUSED, 500)], set()),
        ([("a", REFUSED, 500), ("b", REFUSED, 500), ("c", DONE, 500)], {"a"}),
        ([("a", REFUSED, 500), ("b", REFUSED, 500), ("c", DONE, 500), ("d", DONE, 500)], {"a", "b"}),
        ([("a", REFUSED, 500), ("b", DONE, 400)], set()),
        ([("a", REFUSED, 500), ("b", OperationStep.IN_DOUBT, 500)], set()),
    ],
)
def test_one_refund_serves_one_wish(requests: list[tuple[str, OperationStep, int]], served: set[str]) -> None:
    """Two refunds of the same amount that were wanted are not one that was made."""
    wishes = [Wish(*each) for each in requests]
    found = {
        each.operation_id
        for each in wishes
        if each.step is REFUSED
        and reached_in_another_way(OperationKind.REFUND, each.operation_id, wishes, State.PARTIALLY_REFUNDED)
    }
    assert found == served


@pytest.mark.parametrize("state", State)
def test_what_each_state_means_for_a_purpose(state: State) -> None:
    """A cancel wants no rescue and no money taken, a capture the money, a refund all of it back; doubt reaches nothing."""
    reached = {kind for kind in OperationKind if reached_in_another_way(kind, "a", [Wish("a", REFUSED, 5)], state)}
    ended = {State.CANCELLED, State.DECLINED, State.EXPIRED, State.REJECTED, State.WITHDRAWN, State.REFUNDED}
    taken = {State.COMPLETED, State.PARTIALLY_REFUNDED, State.REFUNDED, State.CHARGEBACK}
    wanted = {OperationKind.CANCEL: ended, OperationKind.CAPTURE: taken, OperationKind.REFUND: {State.REFUNDED}}
    assert reached == {kind for kind, states in wanted.items() if state in states}
