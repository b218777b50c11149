"""The orders that a certification makes: invented customers, the provider's published test cards, amounts it allows in tests."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from batch.card_lines import Card
from batch.pace import utc_text
from schemas.order import Origin

AMOUNT_MINOR = 1999
"""Between 10 and 20,000 cents, as the provider asks of test calls (CONTRACT 15)."""

WIDGET_SENSE_KEY = "widget-of-the-certification"
"""A senseKey that our sandbox takes for one of a page with the provider's widget (CONTRACT 7.1)."""


def charge(order_id: str, now: datetime, card: str, changed: Mapping[str, object]) -> dict[str, object]:
    """A row of a recurring charge that was declined half an hour ago, without a token, with these columns over it."""
    return {
        "order_id": order_id,
        "origin": Origin.RECURRING.value,
        "customer_id": f"customer-{order_id}",
        "email": "certification@example.com",
        "phone": "+1 202-555-0101",
        "first_name": "Certification",
        "last_name": "Order",
        "address_line1": "1 Test Street",
        "city": "Burlington",
        "state": "MA",
        "zipcode": "01803",
        "country": "US",
        "subscription_id": f"subscription-{order_id}",
        "subscription_interval": "monthly",
        "payment_number": "3",
        "amount_minor": AMOUNT_MINOR,
        "charged_at": utc_text(now - timedelta(minutes=30)),
        "response_code": "202",
        "response_code_source": "nmi",
        "response_description": "Insufficient funds",
        "avs_result_code": "Y",
        "cvv_result_code": "M",
        "processor_name": "Test processor",
        "network_response_code": "51",
        "attempts_30d": 1,
        "holder_name": "Certification Order",
        "card_brand": "VISA",
        "card_bin": card[:6],
        "card_last4": card[-4:],
        "card_country": "US",
        "exp_month": 12,
        "exp_year": now.year + 3,
        "status": "declined",
        **changed,
    }


def good_charge(row: dict[str, object], order_id: str) -> dict[str, object]:
    """The same customer's charge that went well: what a copy is sent of."""
    return {**row, "order_id": order_id, "status": "paid", "response_code": "100", "response_description": "Approved"}


def of_customer_present(origin: Origin) -> dict[str, object]:
    """What is different where the customer was present (CONTRACT 7.1)."""
    browser = {"customer_ip": "192.0.2.1", "sense_key": ""} if origin is Origin.WEBSITE else {}
    return {"origin": origin.value, "subscription_id": None, "subscription_interval": None, "payment_number": None, **browser}


def test_card(order_id: str, number: str, year: int) -> Card:
    """One of the provider's published test cards, for this order."""
    return Card(order_id, number, "12", str(year), "Certification", "Order", email="certification@example.com")
