"""Stopping an order at the provider: by hand, by itself when the merchant's row changes, and when it completes all the same."""

import pytest

from schemas.errors import ActionInDoubt, ActionNotPossible, ProviderRefused, UsageRefused
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, ONHOLD, House, order
from tests.night.requests import asked, cancel, completed, given_back, refund, steps

AUTHORISED = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a009"
WORKED_ON = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a004"
CHANGES = [{"status": "paid"}, {"status": "cancelled"}, {"status": "written off"}]


def pending(house: House, token: str = WORKED_ON) -> None:
    """One order that the provider works on."""
    house.add(order(payment_token=token))
    house.run()
    house.pass_time(minutes=30)


def test_an_order_is_stopped_and_released(house: House) -> None:
    """The provider stops it, the read says code 2: cancelled, because we asked; the row is free for the merchant's retry."""
    pending(house)
    code, result = cancel(house)
    assert (code, result.problem, house.state()) == (0, None, "cancelled")
    assert (steps(house), asked(house, "/cancel")) == ([("cancel", "done")], 1)
    assert house.row()["status"] == "not_recovered"
    assert house.retry_takes()
    (row,) = [row for row in house.audit("outcomes") if row["state_to"] == "cancelled"]
    assert row["provider_status"] == "CANCELLED"


def test_an_authorised_order_is_stopped(house: House) -> None:
    """One that waits for its capture can be voided."""
    pending(house, AUTHORISED)
    house.pass_time(hours=2)
    house.run("poll")
    assert house.state() == "capture_required"
    assert cancel(house)[0] == 0
    assert house.state() == "cancelled"


def test_code_2_without_a_cancel_of_ours_is_declined(house: House) -> None:
    """The same word of the provider's is a decline where nobody asked to stop it (CONTRACT 14)."""
    pending(house, CANCELLED)
    house.pass_time(hours=2)
    house.run("poll")
    assert house.state() == "declined"


def test_stopped_twice_says_so_and_changes_nothing(house: House) -> None:
    """The second time nothing is asked for, exit 0, and the first is shown."""
    pending(house)
    _, first = cancel(house)
    assert first.asked is not None
    assert not first.asked.repeated
    before = house.ledger_rows()
    code, result = cancel(house)
    assert code == 0
    assert result.asked is not None
    assert result.asked.repeated
    assert house.ledger_rows() == before
    assert asked(house, "/cancel") == 1


def test_one_that_completed_meanwhile_comes_under_review(house: House) -> None:
    """The cancel came too late: the provider's final state wins, a refund is proposed, and it can be given."""
    pending(house, "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a001")
    house.pass_time(hours=2)
    code, result = cancel(house)
    assert code == 10
    assert isinstance(result.problem, ProviderRefused)
    assert (house.state(), house.row()["status"], steps(house)) == ("review", "review", [("cancel", "refused")])
    (item,) = house.ledger("SELECT kind, explanation FROM item WHERE closed_at IS NULL")
    assert item["kind"] == "double_charge"
    assert "mitbatch refund 000471 --amount 19.99" in item["explanation"]
    assert refund(house, "5.00")[0] == 30
    assert refund(house, "19.99")[0] == 0
    assert (house.state(), house.row()["status"], given_back(house), house.items()) == ("refunded", "refunded", 1999, [])


@pytest.mark.parametrize("token", [CANCELLED, "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a005"])
def test_what_has_ended_cannot_be_stopped(house: House, token: str) -> None:
    """Exit 30, one sentence, nothing asked for."""
    pending(house, token)
    house.pass_time(hours=2)
    house.run("poll")
    code, result = cancel(house)
    assert code == 30
    assert isinstance(result.problem, ActionNotPossible)
    assert "has ended already" in str(result.problem)
    assert (steps(house), asked(house, "/cancel")) == ([], 0)


def test_what_was_recovered_or_never_known_cannot_be_stopped(house: House) -> None:
    """A completed order is for a refund (30), an unknown one is usage (2)."""
    completed(house)
    assert cancel(house)[0] == 30
    code, result = cancel(house, "000472")
    assert code == 2
    assert isinstance(result.problem, UsageRefused)


@pytest.mark.parametrize("fault", ["gateway_timeout_after", "reset_connection", "conflict_after", "html_answer"])
def test_a_lost_answer_is_settled_by_the_read(house: House, fault: str) -> None:
    """It happened, its answer is lost or unreadable: the read shows it, and it is asked for once."""
    pending(house)
    house.sandbox.faults.switch_on(fault, where="cancel")
    assert cancel(house)[0] == 0
    assert house.sandbox.faults.fired(fault) == 1
    assert (steps(house), house.state(), asked(house, "/cancel")) == ([("cancel", "done")], "cancelled", 1)


@pytest.mark.parametrize("fault", ["server_error_before", "conflict_before", "service_unavailable"])
def test_what_had_no_effect_is_told_after_the_window(house: House, fault: str) -> None:
    """In doubt (11) while it may still come, then refused with an item; it may be asked for again."""
    pending(house)
    house.sandbox.faults.switch_on(fault, where="cancel")
    code, result = cancel(house)
    assert code == 11
    assert isinstance(result.problem, ActionInDoubt)
    assert (house.state(), house.retry_takes()) == ("pending", False)
    assert cancel(house)[0] == 30
    house.pass_time(hours=2)
    assert house.run("poll").code == 10
    assert steps(house) == [("cancel", "refused")]
    assert house.items() == [("action_refused", house.items()[0][1])]
    assert cancel(house)[0] == 0
    assert house.state() == "cancelled"


def test_a_read_that_fails_after_the_cancel_is_made_up_for(house: House) -> None:
    """The answer was a yes and the read failed: the order stays pending and blocked until the next poll reads it."""
    pending(house)
    house.sandbox.faults.switch_on("server_error_before", where="order")
    assert cancel(house)[0] == 0
    assert (steps(house), house.state(), house.retry_takes()) == ([("cancel", "done")], "pending", False)
    house.pass_time(hours=1)
    assert house.run("poll").code == 0
    assert house.state() == "cancelled"
    assert house.retry_takes()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("job", ["poll", "nightly"])
def test_a_row_that_the_merchant_changed_is_stopped(house: House, change: dict[str, object], job: str) -> None:
    """Paid or cancelled by the merchant while we hold it: stopped at the provider at once, and their status stays."""
    pending(house)
    house.change("000471", **change)
    house.run(job)
    assert (house.state(), steps(house)) == ("cancelled", [("cancel", "done")])
    row = house.row()
    assert (row["status"], row["hold_reference"]) == (change["status"], None)
    assert house.items() == []
    (kept,) = house.ledger("SELECT asked_by, reason FROM operation")
    assert kept == {"asked_by": "mitbatch", "reason": f"the merchant set its row to {change['status']!r}"}
    assert house.run("poll").code == 0
    assert (house.row(), asked(house, "/cancel")) == (row, 1)


@pytest.mark.parametrize("status", ["declined", "not_recovered"])
def test_a_row_that_is_to_be_charged_again_is_not_stopped(house: House, status: str) -> None:
    """Set back to be charged while the provider works on it: it is told of, and the rescue goes on."""
    pending(house)
    house.change("000471", status=status)
    house.run("poll")
    assert (house.state(), asked(house, "/cancel")) == ("pending", 0)


def test_paid_and_completed_is_a_double_charge(house: House) -> None:
    """The automatic cancel came too late: review, a refund proposed; after it the row keeps the merchant's word."""
    pending(house, "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a001")
    house.change("000471", status="paid")
    house.pass_time(hours=2)
    assert house.run("poll").code == 10
    assert house.state() == "review"
    assert ("double_charge", "order:000471") in house.items()
    assert refund(house, "19.99")[0] == 0
    assert (house.state(), house.row()["status"], given_back(house)) == ("refunded", "paid", 1999)
    assert ("double_charge", "order:000471") not in house.items()


def test_a_refused_cancel_is_asked_again_at_the_pace_of_reading(house: House) -> None:
    """An order on hold cannot be stopped: it is asked for again after a tenth of its age, at the latest every six hours."""
    pending(house, ONHOLD)
    house.change("000471", status="paid")
    house.run("poll")
    house.run("poll")
    assert asked(house, "/cancel") == 1
    house.pass_time(days=5)
    for _ in range(4):
        house.run("poll")
        house.pass_time(hours=1)
    assert asked(house, "/cancel") == 2
    assert house.state() == "pending"
    assert set(steps(house)) == {("cancel", "refused")}


def test_an_order_in_doubt_is_stopped_by_our_own_id(make_house: MakeHouse) -> None:
    """Without an id at the provider only `--external` can stop it; what was stopped is found by our id, and read."""
    house = make_house(acknowledgement_delay_seconds=10**6)
    house.add(order(payment_token=WORKED_ON))
    house.run()
    assert house.state() == "sending"
    code, result = cancel(house)
    assert code == 30
    assert "--external" in str(result.problem)
    assert cancel(house, external=True)[0] == 0
    assert (house.state(), asked(house, "/external-cancel"), asked(house, "/cancel")) == ("cancelled", 1, 0)
    assert house.retry_takes()


def test_an_order_whose_id_is_known_is_not_stopped_by_ours(house: House) -> None:
    """`--external` is for orders in doubt alone."""
    pending(house)
    code, result = cancel(house, external=True)
    assert code == 30
    assert "leave --external out" in str(result.problem)
