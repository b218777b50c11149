"""What a person is told of an order under review whose row is the merchant's: to refund it only where it was recovered."""

from tests.night.house import ONHOLD, House, order
from tests.night.test_conclusions import provider_changes_its_mind, released_then_completed


def test_what_is_not_recovered_is_not_called_so(house: House) -> None:
    """Refused, released and charged in-house, then accepted after all: the provider works on it, and has charged nobody yet."""
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(order(payment_token=ONHOLD))
    house.run()
    (batch,) = house.ledger("SELECT file_name FROM batch")
    (there,) = house.sandbox._brain.orders()
    name = f"{batch['file_name'].removesuffix('.json')}_response.json"
    head = {"file": batch["file_name"], "kind": "evaluate", "mid": house.sandbox.mid, "result": "success", "errors": []}
    row: dict[str, object] = {"sequenceNumber": "1", "orderId": "000471", "status": None, "result": "Failed", "errors": []}
    house.put_outbound(name, {**head, "responses": [row]})
    house.run("poll")
    assert (house.state(), house.row()["status"]) == ("rejected", "not_recovered")
    house.change("000471", status="paid")
    taken = {**row, "orderSessionKey": there.order_session_key, "status": "SUBMITTED", "result": "Success"}
    house.put_outbound(name, {**head, "responses": [taken]})
    house.pass_time(hours=1)
    house.run("poll")
    assert house.state() == "review"
    (told,) = house.ledger("SELECT explanation FROM item WHERE kind = 'double_charge'")
    assert told["explanation"].startswith("the merchant changed the row, and the provider says ")
    assert "should it recover the order, refund it: mitbatch refund 000471 --amount 19.99" in told["explanation"]


def test_what_is_recovered_is_called_so(house: House) -> None:
    """Declined, released and charged in-house, then recovered after all: the refund is proposed at once."""
    released_then_completed(house)
    house.change("000471", status="paid")
    provider_changes_its_mind(house)
    house.run("poll")
    (told,) = house.ledger("SELECT explanation FROM item WHERE kind = 'double_charge'")
    assert told["explanation"].startswith("the provider recovered an order that the merchant was paid for otherwise: refund it: ")
