"""Giving back what was recovered after its release: the row is held and says so, unless the merchant has taken it."""

import pytest

from tests.night.house import House
from tests.night.requests import completed, given_back, refund
from tests.night.test_conclusions import provider_changes_its_mind, released_then_completed


def test_a_refund_that_learns_of_a_late_completion_shows_in_the_row(house: House) -> None:
    """The read before the refund is the first to show the recovery; the free row is held again and shows what went back."""
    released_then_completed(house)
    provider_changes_its_mind(house)
    assert refund(house, "19.99")[0] == 0
    row = house.row()
    assert (house.state(), row["status"], row["refunded_minor"], given_back(house)) == ("refunded", "refunded", 1999, 1999)
    assert row["hold_reference"].startswith("mitbatch:")
    assert not house.retry_takes()
    assert house.items() == []


@pytest.mark.parametrize("taken", [{"retry_state": "in_flight"}, {"status": "paid"}, {"status": "declined"}])
def test_a_row_that_the_merchant_has_taken_stays_theirs(house: House, taken: dict[str, object]) -> None:
    """What was recovered beside the merchant's own charge has gone back: their row is right as it stands."""
    released_then_completed(house)
    house.change("000471", **taken)
    before = house.row()
    provider_changes_its_mind(house)
    assert refund(house, "19.99")[0] == 0
    assert (house.state(), given_back(house)) == ("refunded", 1999)
    assert house.row() == before


def test_a_late_completion_under_a_kept_hold_is_no_double_charge(house: House) -> None:
    """With on_not_recovered = "keep" nobody can have charged it: the row shows the review, and then what went back."""
    house.set(writeback={"on_not_recovered": "keep"})
    released_then_completed(house)
    provider_changes_its_mind(house)
    assert house.run("poll").code == 10
    assert [kind for kind, _ in house.items()] == ["late_completion"]
    assert (house.state(), house.row()["status"]) == ("review", "review")
    assert refund(house, "19.99")[0] == 0
    assert (house.row()["status"], house.row()["refunded_minor"], house.items()) == ("refunded", 1999, [])
    assert not house.retry_takes()


def test_a_status_of_the_merchants_under_our_hold_is_not_overwritten(house: House) -> None:
    """A row that the merchant calls not recovered while it is out is a conflict, whatever comes of the order."""
    completed(house)
    house.change("000471", status="not_recovered")
    assert refund(house, "19.99")[0] == 0
    assert (house.state(), house.row()["status"]) == ("refunded", "not_recovered")
