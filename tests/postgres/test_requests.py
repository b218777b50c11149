"""Cancels and refunds with the ledger and the orders on PostgreSQL."""

from schemas.order import RowStatus
from tests.night.house import order
from tests.night.requests import cancel, completed, given_back, refund
from tests.postgres.house import PostgresHouse


def test_a_part_the_rest_and_a_repetition(house: PostgresHouse) -> None:
    """Each is given back once, its row shows the sum, and finance's file has both."""
    completed(house)
    assert refund(house, "11.99")[0] == 0
    assert (house.state(), house.row()["refunded_minor"]) == ("partially_refunded", 1199)
    assert refund(house, "11.99")[0] == 0
    assert refund(house, "8.00", request_id="the rest")[0] == 0
    assert (house.state(), house.row()["status"], house.row()["refunded_minor"]) == ("refunded", "refunded", 1999)
    assert given_back(house) == 1999
    assert sorted(row["effect_minor"] for row in house.audit("refunds")) == ["-1199", "-800"]


def test_an_order_is_stopped_by_hand_and_by_its_row(house: PostgresHouse) -> None:
    """Both are cancelled at the provider; the merchant's own status stays where it is."""
    token = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a004"
    house.add(order("a", payment_token=token), order("b", payment_token=token))
    house.run()
    house.change("b", status="paid")
    assert cancel(house, "a")[0] == 0
    house.run("poll")
    assert house.states() == {"a": "cancelled", "b": "cancelled"}
    assert (house.row("a")["status"], house.row("b")["status"]) == (RowStatus.NOT_RECOVERED, "paid")
    assert house.row("b")["hold_reference"] is None
