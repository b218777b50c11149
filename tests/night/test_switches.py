"""Switches and sites: what is off is not sent, from the very next order on; what is out is still brought home."""

from collections import Counter

import pytest

from tests.night.house import CANCELLED, ONHOLD, House, order


def turn_off(house: House, what: str) -> None:
    """Turn off all recurring orders, or this order's site."""
    if what == "mit":
        house.set(switches={"mit": False})
    elif what == "site":
        house.set_site("acme-us", enabled=False)
    else:
        house.settings = house.settings.model_copy(update={"sites": house.settings.sites[1:]})


@pytest.mark.parametrize(("what", "reason"), [("mit", "switched_off"), ("site", "site_disabled"), ("gone", "site_unknown")])
def test_what_is_off_is_not_sent(house: House, what: str, reason: str) -> None:
    """With the switch or the site off no order goes, each with its reason, and the night is clean."""
    turn_off(house, what)
    house.add(order("a"), order("b", site="acme-eu", currency="EUR", payment_token=ONHOLD))
    assert house.run().code == 0
    assert house.reasons()["a"] == ("skipped", reason)
    assert house.accepted() == (Counter() if what == "mit" else Counter(["b"]))
    assert house.row("a")["status"] == "declined"


@pytest.mark.parametrize(
    ("what", "fault"), [("mit", "refuse_login"), ("site", "refuse_login"), ("gone", "refuse_login"), ("mit", "token_refused")]
)
def test_turned_off_between_claim_and_send(house: House, what: str, fault: str) -> None:
    """Claimed and held, nothing delivered, then turned off: withdrawn and released on the next run; it goes when on again."""
    on = house.settings
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on(fault, times=99)
    assert house.run().code == 20
    assert not house.retry_takes("a")
    house.sandbox.faults.clear()
    turn_off(house, what)
    report = house.run()
    assert report.code == 0
    assert house.accepted() == Counter()
    assert house.state("a") == "withdrawn"
    row = house.row("a")
    assert (row["status"], row["hold_reference"], row["hold_until"]) == ("declined", None, None)
    assert house.sql("SELECT count(*) AS n FROM orders WHERE status='declined' AND hold_reference IS NULL") == [{"n": 1}]
    house.settings = on
    assert house.run().code == 0
    assert house.accepted() == Counter(["a"])


def test_one_site_off_lets_the_others_of_the_file_go(house: House) -> None:
    """A file whose orders partly belong to a site that was turned off meanwhile goes without them, numbered anew."""
    house.add(order("a", payment_token=ONHOLD), order("b", site="acme-eu", currency="EUR", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("refuse_login", times=99)
    assert house.run().code == 20
    house.sandbox.faults.clear()
    turn_off(house, "site")
    assert house.run().code == 0
    assert house.accepted() == Counter(["b"])
    assert house.states() == {"a": "withdrawn", "b": "pending"}
    assert [row["sequence_number"] for row in house.sandbox.accepted("evaluate")] == ["1"]


def test_paid_after_a_failed_send(house: House) -> None:
    """Nothing could be delivered, and the merchant was paid meanwhile: that order never leaves, the other one goes."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("refuse_login", times=99)
    assert house.run().code == 20
    house.sandbox.faults.clear()
    house.change("a", status="paid", hold_reference=None)
    house.run()
    assert house.accepted() == Counter(["b"])
    assert house.row("a")["status"] == "paid"
    assert house.states() == {"a": "withdrawn", "b": "pending"}


def test_outcomes_are_collected_while_everything_is_off(house: House) -> None:
    """Turning off stops new sends only: what is at the provider is polled and written back as ever."""
    house.add(order("a"), order("b", payment_token=CANCELLED))
    house.run()
    house.set(switches={"mit": False})
    house.set_site("acme-us", enabled=False)
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "completed", "b": "declined"}
    assert (house.row("a")["status"], house.row("b")["status"]) == ("completed", "not_recovered")
