"""What follows from the provider's final words, in the ledger, in the order's row and for finance."""

from collections import Counter

import pytest

from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, COMPLETED, EXPIRED, ONHOLD, OTHER_AMOUNT, UNANSWERED, House, order


def released_then_completed(house: House) -> None:
    """The provider cancelled an order after an hour; it was released. Later its outcome file and its reads say completed."""
    house.add(order(payment_token=CANCELLED))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert (house.state(), house.row()["status"]) == ("declined", "not_recovered")


def provider_changes_its_mind(house: House) -> None:
    """From now on the sandbox shows the only order as completed, and an outcome file says so."""
    brain = house.sandbox._brain
    (told,) = brain.orders()
    other = told.fate.__class__("completed")
    brain._orders[told.order_session_key] = told.__class__(
        **{name: getattr(told, name) for name in told.__dataclass_fields__ if name != "fate"}, fate=other
    )
    news = [{"orderSessionKey": told.order_session_key, "orderId": told.order_id, "status": "COMPLETED"}]
    house.put_outbound("outcomes_x_1.json", {"mid": house.sandbox.mid, "outcomes": news})


def test_each_ending_is_told(house: House) -> None:
    """Completed, cancelled and expired orders end as such, after every expiry, and each row says so."""
    house.add(
        order("a", payment_token=COMPLETED),
        order("b", payment_token=CANCELLED),
        order("c", payment_token=EXPIRED),
        order("d", payment_token=UNANSWERED),
    )
    house.run()
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "completed", "b": "declined", "c": "pending", "d": "pending"}
    house.pass_time(days=21)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "completed", "b": "declined", "c": "expired", "d": "expired"}
    assert {each: house.row(each)["status"] for each in "abcd"} == {
        "a": "completed",
        "b": "not_recovered",
        "c": "not_recovered",
        "d": "not_recovered",
    }
    assert [house.retry_takes(each) for each in "abcd"] == [False, True, True, True]
    assert house.row("c")["provider_status"] == "EXPIRED"
    assert house.items() == []


@pytest.mark.parametrize("code", [2, None, 7, 9])
def test_the_word_expired_beside_any_code(make_house: MakeHouse, code: int | None) -> None:
    """EXPIRED has no published number: beside none or that of cancelled it ends the order, beside another it does not."""
    house = make_house(expired_code=code)
    house.add(order(payment_token=EXPIRED))
    house.run()
    house.pass_time(days=21, minutes=1)
    report = house.run("poll")
    if code in (2, None):
        assert (house.state(), report.code) == ("expired", 0)
    else:
        assert (house.state(), report.code) == ("pending", 10)
        assert [kind for kind, _ in house.items()] == ["unknown_status"]
        assert not house.retry_takes()


def test_a_completion_of_another_amount_is_reviewed(house: House) -> None:
    """Recovered, but not the amount that was handed over: review with amount_differs, exit 10, blocked, no money counted."""
    house.add(order(payment_token=OTHER_AMOUNT))
    house.run()
    house.pass_time(hours=2)
    report = house.run("poll")
    assert report.code == 10
    assert house.state() == "review"
    assert house.items() == [("amount_differs", "order:000471")]
    assert house.row()["status"] == "review"
    assert not house.retry_takes()
    money = [row for row in house.audit("summary") if (row["section"], row["line"]) == ("money", "recovered")]
    assert {row["amount_minor"] for row in money} <= {"0", ""}


def test_an_order_on_hold_stays_pending_until_a_person_is_told(house: House) -> None:
    """On hold for ever: pending and blocked, no item until expiry and grace are over, then one, and exit 10."""
    house.add(order(payment_token=ONHOLD))
    house.run()
    house.pass_time(days=21, hours=1)
    assert house.run("poll").code == 0
    assert (house.state(), house.items()) == ("pending", [])
    house.pass_time(days=1)
    assert house.run("poll").code == 10
    assert [kind for kind, _ in house.items()] == ["unknown_status"]
    assert house.state() == "pending"
    assert not house.retry_takes()
    assert house.run("poll").code == 0
    house.pass_time(days=10)
    assert house.run("poll").code == 10, "the item is overdue"


def test_an_overdue_item_stays_open_while_the_order_is_overdue(house: House) -> None:
    """Hearing once more that it is on hold does not close the item of an order that should have ended."""
    house.add(order(payment_token=ONHOLD))
    house.run()
    house.pass_time(days=23)
    assert house.run("poll").code == 10
    opened = house.ledger("SELECT item_id, opened_at FROM item")
    house.pass_time(hours=7)
    assert house.run("poll").code == 0
    assert house.ledger("SELECT item_id, opened_at FROM item WHERE closed_at IS NULL") == opened


def test_a_completion_after_the_release_is_held_again(house: House) -> None:
    """Late completion while the row is free: review with late_completion, held again in the same step, exit 10."""
    released_then_completed(house)
    provider_changes_its_mind(house)
    report = house.run("poll")
    assert report.code == 10
    assert house.state() == "review"
    assert [kind for kind, _ in house.items()] == ["late_completion"]
    row = house.row()
    assert row["status"] == "review"
    assert row["hold_reference"].startswith("mitbatch:")
    assert not house.retry_takes()


@pytest.mark.parametrize("taken", [{"retry_state": "in_flight"}, {"status": "paid"}])
def test_a_completion_after_the_merchant_took_it_is_a_double_charge(house: House, taken: dict[str, object]) -> None:
    """Late completion while the merchant charges or has charged: review, double_charge, and the row stays the merchant's."""
    released_then_completed(house)
    house.change("000471", **taken)
    before = house.row()
    provider_changes_its_mind(house)
    report = house.run("poll")
    assert report.code == 10
    assert house.state() == "review"
    assert "double_charge" in [kind for kind, _ in house.items()]
    after = house.row()
    assert {name: after[name] for name in ("status", "retry_state", "hold_reference")} == {
        name: before[name] for name in ("status", "retry_state", "hold_reference")
    }
    told = house.items()
    house.run("poll")
    assert house.items() == told, "the same change is told once"


def test_a_completed_order_is_never_reopened_by_a_hint(house: House) -> None:
    """After completion an outcome file that says declined changes nothing unless a read says so."""
    house.add(order())
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    (told,) = house.sandbox.orders()
    news = [{"orderSessionKey": told["order_session_key"], "orderId": "000471", "status": "DECLINED"}]
    house.put_outbound("outcomes_x_1.json", {"mid": house.sandbox.mid, "outcomes": news})
    house.run("poll")
    assert (house.state(), house.row()["status"], house.items()) == ("completed", "completed", [])


def test_news_about_strangers_are_set_aside(house: House) -> None:
    """Rows of news that name no order of ours, or cannot be read, open one item, which says which and why; nothing changes."""
    house.add(order(payment_token=ONHOLD))
    house.run()
    news = [7, {"orderSessionKey": "nobody", "orderId": "somebody-elses", "status": "COMPLETED"}, {"status": "x"}]
    news += [{"orderSessionKey": f"=nobody-{n}", "status": "COMPLETED"} for n in range(2)]
    house.put_outbound("outcomes_x_1.json", {"mid": house.sandbox.mid, "outcomes": news})
    assert house.run("poll").code == 10
    assert (house.state(), [kind for kind, _ in house.items()]) == ("pending", ["quarantine"])
    words = (
        "5 rows of the provider's news set aside: row 1 is no row with these columns, or has an id that cannot be one;"
        " row 3 names no order; "
    )
    (row,) = house.audit("review")
    assert words in row["provider_says"]
    assert words in house.cli("status").stdout.replace("\n", " ").replace("  ", " ")


def test_the_sandboxs_own_outcome_files_settle_everything(make_house: MakeHouse) -> None:
    """With outcome files each order is read as soon as the file names it, and days without a file are told as silence alone."""
    house = make_house(outcome_files=True)
    house.add(*(order(f"{number}", payment_token=f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7{number:04}") for number in range(25)))
    house.run()
    for _ in range(8):
        house.pass_time(days=3)
        report = house.run("poll")
        assert {kind for kind, _ in house.items()} <= {"no_response"}
        assert report.code in (0, 10)
    assert house.items() == []
    names = {"Completed": "completed", "Cancelled": "declined", "EXPIRED": "expired"}
    orders = house.sandbox.orders()
    told = {str(each["order_id"]): "expired" if each["expired"] else names[str(each["status"])] for each in orders}
    assert house.states() == told
    assert set(Counter(told.values())) == {"completed", "declined", "expired"}


def test_the_order_of_news_does_not_matter(make_house: MakeHouse) -> None:
    """Asked every few days or once, before any expiry: the same states and the same rows (I8)."""
    seen = []
    for hours in (78, 24 * 13):
        house = make_house()
        house.add(*(order(f"{number}", payment_token=f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7{number:04}") for number in range(20)))
        house.run()
        for _ in range(24 * 13 // hours):
            house.pass_time(hours=hours)
            house.run("poll")
        rows = house.sql("SELECT order_id, status, provider_status, hold_reference FROM orders ORDER BY 1")
        seen.append((house.states(), rows))
    assert seen[0] == seen[1]
