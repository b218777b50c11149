"""Capturing an authorised order: the full amount, once, under a stored key, and read afterwards."""

import pytest

from schemas.errors import ActionNotPossible
from tests.night.house import ONHOLD, House, order
from tests.night.requests import asked, cancel, capture, steps

AUTHORISED = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a009"


def authorised(house: House) -> None:
    """One order that waits for its capture."""
    house.add(order(payment_token=AUTHORISED))
    assert house.run().code == 0
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert house.state() == "capture_required"


def test_the_full_amount_is_taken(house: House) -> None:
    """Captured with the order's own amount and a key that was stored before; the read completes the order, and its row."""
    authorised(house)
    code, result = capture(house)
    assert (code, result.problem, house.state(), house.row()["status"]) == (0, None, "completed", "completed")
    assert (steps(house), asked(house, "/capture")) == ([("capture", "done")], 1)
    (kept,) = house.ledger("SELECT amount_minor, idempotency_key FROM operation")
    assert kept["amount_minor"] == 1999
    assert len(kept["idempotency_key"]) == 36


def test_only_what_waits_is_captured(house: House) -> None:
    """A pending order: exit 30, nothing asked for; an unknown one is usage."""
    house.add(order("000472", payment_token=ONHOLD))
    house.run()
    code, result = capture(house, "000472")
    assert code == 30
    assert isinstance(result.problem, ActionNotPossible)
    assert "does not wait for a capture" in str(result.problem)
    assert capture(house, "000473")[0] == 2
    assert (steps(house), asked(house, "/capture")) == ([], 0)


def test_captured_twice_is_refused_here(house: House) -> None:
    """The second time it is completed and waits for nothing."""
    authorised(house)
    capture(house)
    assert capture(house)[0] == 30
    assert asked(house, "/capture") == 1


@pytest.mark.parametrize("fault", ["gateway_timeout_after", "reset_connection", "conflict_after", "truncated_json"])
def test_a_lost_answer_is_settled_by_the_read(house: House, fault: str) -> None:
    """It happened and its answer is lost: the read shows it, and it is asked for once."""
    authorised(house)
    house.sandbox.faults.switch_on(fault, where="capture")
    assert capture(house)[0] == 0
    assert house.sandbox.faults.fired(fault) == 1
    assert (steps(house), house.state(), asked(house, "/capture")) == ([("capture", "done")], "completed", 1)


@pytest.mark.parametrize("fault", ["server_error_before", "conflict_before"])
def test_what_had_no_effect_may_be_asked_for_again(house: House, fault: str) -> None:
    """In doubt until the window is over, then refused with an item; a later capture takes it."""
    authorised(house)
    house.sandbox.faults.switch_on(fault, where="capture")
    assert capture(house)[0] == 11
    assert capture(house)[0] == 30
    house.pass_time(hours=2)
    assert house.run("poll").code == 10
    assert (house.state(), steps(house)) == ("capture_required", [("capture", "refused")])
    assert capture(house)[0] == 0
    assert house.state() == "completed"


def test_one_that_was_voided_meanwhile_is_not_captured(house: House) -> None:
    """Its window is over at the provider: the read before says so, and nothing is asked for."""
    authorised(house)
    house.pass_time(days=8)
    code, result = capture(house)
    assert code == 30
    assert "declined" in str(result.problem)
    assert asked(house, "/capture") == 0


def test_a_cancel_and_a_capture_agree(house: House) -> None:
    """What was cancelled is not captured, and the other way round."""
    authorised(house)
    assert cancel(house)[0] == 0
    assert capture(house)[0] == 30
    assert house.state() == "cancelled"


def test_a_person_is_told_before_it_is_voided(house: House) -> None:
    """A day before the longest window ends an item opens, and it closes when the order is captured."""
    authorised(house)
    house.pass_time(days=5)
    assert house.run("poll").code == 0
    house.pass_time(days=1)
    assert house.run("poll").code == 10
    assert house.items() == [("capture_due", "order:000471")]
    assert capture(house)[0] == 0
    assert house.items() == []
