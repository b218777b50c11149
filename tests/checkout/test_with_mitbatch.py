"""The checkout and mitbatch on one orders table: each order is sent by one of them, and by one only."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from jobs.sandbox.checkout import Checkout
from jobs.sandbox.checkout.cards import CHALLENGE_PHONE
from schemas.errors import ExitCode
from tests.checkout.buying import bought, customer, stage
from tests.checkout.walking import CHALLENGE, DECLINED, SUCCESS
from tests.night.house import START, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A merchant whose nights let website orders go, with a shop on the same table."""
    clock = MovableClock(START)
    with Sandbox(tmp_path / "provider", clock=clock) as sandbox:
        found = House(tmp_path, sandbox, clock)
        found.set(switches={"cit_website": True})
        yield found


@pytest.fixture
def shop(house: House) -> Iterator[Checkout]:
    """The shop."""
    with Checkout(house.sandbox, house.orders_path) as found:
        yield found


def test_a_night_takes_what_the_checkout_left(house: House, shop: Checkout) -> None:
    """No bearer at the checkout: the night sends the order as a CIT, and its page then says that it is paid."""
    house.sandbox.faults.switch_on("too_many_requests", where="evaluate")
    order_id, shown = bought(shop)
    before = house.accepted()
    assert house.run().code == ExitCode.CLEAN

    assert (shown, before) == ("later", Counter())
    assert (house.state(order_id), house.accepted()) == ("completed", Counter([order_id]))
    with customer(shop) as client:
        assert stage(client, order_id) == "success"


def test_a_night_takes_nothing_that_is_the_checkouts(house: House, shop: Checkout) -> None:
    """Completed, declined, waiting in the widget, and nobody knows: the night sends none of them, and changes no row."""
    made = [
        bought(shop)[0],
        bought(shop, DECLINED)[0],
        bought(shop, CHALLENGE, phone=CHALLENGE_PHONE)[0],
        bought(shop, SUCCESS, "advanced")[0],
    ]
    house.sandbox.faults.switch_on("server_error_before", where="evaluate")
    unknown, _ = bought(shop)
    before = [house.row(each) for each in (*made, unknown)]
    house.run()

    assert [house.row(each) for each in (*made, unknown)] == before
    assert house.accepted() == Counter(made)
    assert house.reasons()[unknown][1] == "in_house_retry"


def test_a_good_charge_is_copied_by_the_night(house: House, shop: Checkout) -> None:
    """What the shop's own gateway took is sent as a copy by mitbatch, which the checkout leaves to it."""
    order_id, _ = bought(shop, bank="approve")
    house.run()
    house.run("transmit")

    assert house.accepted("transmit") == Counter([order_id])
    assert house.accepted() == Counter()


def test_the_widget_counts_for_mitbatch_too(house: House) -> None:
    """A website order with the widget's key is SUBMITTED by a night, pending, and completed by a read once it has ended."""
    from tests.night.test_cit import cit

    house.add(cit("w", sense_key="widget-1"))
    assert house.run().code == ExitCode.CLEAN
    before = (house.state("w"), house.row("w")["provider_status"])
    house.pass_time(minutes=11)
    house.run("poll", everything=True)

    assert (before[0], house.state("w"), house.row("w")["status"]) == ("pending", "completed", "completed")


def test_reconcile_names_what_the_checkout_sent(house: House, shop: Checkout) -> None:
    """The provider's list has an order that the ledger does not know: it is told once, and nothing is done to it."""
    order_id, _ = bought(shop)
    house.run()
    before = house.row(order_id)
    first = house.run("reconcile").code
    again = house.run("reconcile").code

    assert (first, again) == (ExitCode.NEEDS_PERSON, ExitCode.CLEAN)
    assert house.row(order_id) == before
