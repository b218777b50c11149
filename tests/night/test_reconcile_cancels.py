"""Reconciliation of orders whose cancel was asked for: a recovery all the same is news, until somebody has heard of it."""

import pytest

from jobs.sandbox.fates import Ending
from tests.night.comparing import change_at_provider, compare, differing
from tests.night.house import House
from tests.night.requests import cancel
from tests.night.test_cancel import WORKED_ON, pending
from tests.night.test_cancel_in_review import TOO_LATE, cancelled_in_vain, contradicted, told
from tests.night.test_review import decide

READS_IT = "the provider says Completed; the next poll reads it, and"


def ends_unheard(house: House, fate: Ending = "completed") -> None:
    """The provider recovers the only order, or gives it up, and nothing but its list says so."""
    (known,) = house.sandbox._brain.orders()
    change_at_provider(house, "000471", fate=known.fate.__class__(fate))
    house.pass_time(hours=2)


def test_a_recovery_of_an_order_under_review_whose_cancel_was_asked_for_is_due_for_its_read(house: House) -> None:
    """The list alone shows that the cancel came too late; the read tells a person, and then the books agree (I5, I20)."""
    contradicted(house)
    cancelled_in_vain(house)
    assert compare(house)[1].differing == 0
    ends_unheard(house)
    assert compare(house)[1].differing == 1
    assert differing(house)["000471"] == ("state_differs", f"{READS_IT} tells a person: mitbatch poll")
    house.run("poll")
    news = told(house)
    assert TOO_LATE in news
    house.pass_time(days=2)
    assert (compare(house)[1].differing, house.run("poll").code, told(house)) == (0, 0, news)


def test_one_that_a_person_took_for_right_is_no_difference(house: House) -> None:
    """Under review again, as the provider has changed its mind: that it completed after its cancel was taken for right."""
    contradicted(house)
    cancelled_in_vain(house)
    ends_unheard(house)
    assert decide(house, "order:000471", "provider-is-right") == 0
    ends_unheard(house, "cancelled")
    compare(house)
    house.run("poll")
    assert house.state() == "review"
    ends_unheard(house)
    assert compare(house)[1].differing == 0


@pytest.mark.parametrize(("is_cancelled", "goes_to"), [(False, "completed"), (True, "review")])
def test_where_an_order_goes_is_said_by_what_was_asked_for(house: House, is_cancelled: bool, goes_to: str) -> None:
    """A recovery completes an order, and one of an order whose cancel was asked for is for a person."""
    pending(house, WORKED_ON)
    if is_cancelled:
        house.sandbox.faults.switch_on("server_error_before", where="cancel")
        cancel(house)
    ends_unheard(house)
    compare(house)
    assert differing(house)["000471"][1] == f"{READS_IT} goes to {goes_to}: mitbatch poll"
    house.run("poll")
    assert house.state() == goes_to
