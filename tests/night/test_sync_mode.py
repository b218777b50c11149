"""Sync mode: answers at once, no expiry sent, a decline keeps the hold until the agreed period is over and a read says so."""

from collections import Counter

import pytest

from tests.night.house import COMPLETED, EXPIRED, ONHOLD, UNANSWERED, House, order

AT_ONCE = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7b001"
NEVER = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7b002"


@pytest.fixture
def sync_house(house: House) -> House:
    """A house whose account at the provider is of sync mode."""
    sandbox = house.sandbox
    keys = {"app_key_file": sandbox.sync_app_key_path, "app_secret_file": sandbox.sync_app_secret_path}
    house.set(provider={"mid": sandbox.sync_mid, "mit_mode": "sync", **keys}, channels={"evaluate": "api", "transmit": "off"})
    for name, site_id in sandbox.sync_site_ids.items():
        house.set_site(name, site_id=site_id)
    return house


def evaluates(house: House) -> list[dict[str, object]]:
    """Every evaluate that reached the provider and was taken, or taken for a repetition."""
    rows = house.sandbox.journal()
    return [row for row in rows if row["event"] in ("accepted", "deduplicated") and row["kind"] == "evaluate"]


def days(house: House, count: int) -> None:
    """So many days pass, with a poll on each."""
    for _ in range(count):
        house.pass_time(hours=24)
        house.run("poll")


def test_an_approval_at_once_is_completed_by_a_read(sync_house: House) -> None:
    """The evaluate is answered APPROVED; the read of the same night completes it, and nothing is evaluated again."""
    sync_house.add(order("a", payment_token=AT_ONCE))
    assert sync_house.run().code == 0
    assert sync_house.state("a") == "completed"
    (claim,) = sync_house.ledger("SELECT * FROM submission")
    assert (claim["mit_mode"], claim["expires_at"]) == ("sync", "2026-12-14T06:30:00Z")
    assert "expiryDateUtc" not in claim["record_json"]
    days(sync_house, 6)
    assert len(evaluates(sync_house)) == 1


def test_a_decline_keeps_the_hold_while_the_provider_works_on(sync_house: House) -> None:
    """Declined at once, recovered in the background two hours later: at no time may the merchant's own retry have it."""
    sync_house.add(order("a", payment_token=COMPLETED))
    assert sync_house.run().code == 0
    assert sync_house.state("a") == "pending"
    assert not sync_house.retry_takes("a")
    sync_house.pass_time(hours=2)
    assert sync_house.run("poll").code == 0
    assert sync_house.state("a") == "completed"


@pytest.mark.parametrize("token", [NEVER, EXPIRED, UNANSWERED])
def test_a_decline_is_final_when_the_period_is_over(sync_house: House, token: str) -> None:
    """Whatever reads say before, the order is held until the agreed 21 days are over; then a read releases it."""
    sync_house.add(order("a", payment_token=token))
    sync_house.run()
    for _ in range(20):
        days(sync_house, 1)
        assert sync_house.state("a") == "pending"
        assert not sync_house.retry_takes("a")
    days(sync_house, 2)
    assert sync_house.state("a") in {"declined", "expired"}
    assert sync_house.retry_takes("a")


def test_it_is_evaluated_again_at_the_pace_of_the_period(sync_house: House) -> None:
    """Every tenth of the period the same order, key and bytes go out again; the provider takes each for a repetition."""
    sync_house.add(order("a", payment_token=ONHOLD))
    sync_house.run()
    days(sync_house, 24)
    found = evaluates(sync_house)
    assert [row["event"] for row in found] == ["accepted", *["deduplicated"] * (len(found) - 1)]
    assert 6 <= len(found) <= 10
    assert len({row["idempotency_key"] for row in found}) == 1
    assert sync_house.accepted() == Counter(["a"])


def test_nothing_is_evaluated_again_once_a_read_ended_it(sync_house: House) -> None:
    """A read has said cancelled: the hold stays until the period is over, and no evaluate goes out any more."""
    sync_house.add(order("a", payment_token=NEVER))
    sync_house.run()
    days(sync_house, 12)
    assert sync_house.state("a") == "pending"
    assert len(evaluates(sync_house)) == 1


@pytest.mark.parametrize("stop", ["switch", "paid", "site"])
def test_what_must_not_be_sent_is_not_evaluated_again(sync_house: House, stop: str) -> None:
    """A switch or a site that is off, and a row that the merchant changed, keep an order from being evaluated again."""
    sync_house.add(order("a", payment_token=ONHOLD))
    sync_house.run()
    if stop == "switch":
        sync_house.set(switches={"mit": False})
    elif stop == "site":
        sync_house.set_site("acme-us", enabled=False)
    else:
        sync_house.change("a", status="paid")
    days(sync_house, 6)
    assert len(evaluates(sync_house)) == 1


def test_a_lost_answer_is_found_and_still_worked_on(sync_house: House) -> None:
    """The answer to a sync evaluate is lost: in doubt, found by our id in the same night, and held as declined so far."""
    sync_house.add(order("a", payment_token=COMPLETED))
    sync_house.sandbox.faults.switch_on("reset_connection", where="evaluate")
    assert sync_house.run().code == 0
    assert sync_house.state("a") == "pending"
    assert sync_house.accepted() == Counter(["a"])


def test_a_repeat_whose_answer_is_lost_changes_nothing(sync_house: House) -> None:
    """A repeat that ends in silence leaves the order pending, and the next one comes no sooner than its time."""
    sync_house.add(order("a", payment_token=ONHOLD))
    sync_house.run()
    sync_house.sandbox.faults.switch_on("reset_connection", where="evaluate", times=1)
    days(sync_house, 4)
    assert sync_house.sandbox.faults.fired("reset_connection") == 1
    assert sync_house.state("a") == "pending"
    assert len(evaluates(sync_house)) == 2
