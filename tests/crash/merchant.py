"""The merchant of these tests: an orders table, an eager retry engine of its own, and the money that it charged itself."""

import os
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from jobs.sample_orders import orders
from tests.crash.provider import START

COMPLETES, DECLINES, EXPIRES, REFUSED, WAITS = "a001", "a002", "a003", "a005", "a006"

SENDABLE = {
    "000471": COMPLETES,
    "EU-2": DECLINES,
    "US-3": REFUSED,
    "US-4": EXPIRES,
    "EU-5": WAITS,
    "us-6": COMPLETES,
}
"""Orders that a night sends, with the end of the payment token that decides their fate at the provider."""

SKIPPED, IN_FLIGHT = "US-8-opted-out", "US-7-in-house"
PAID = ("paid-1", "paid-2", "PAID-2")

THEIRS = (
    "UPDATE orders SET retry_state='in_flight' WHERE order_id=? AND status IN ('declined','not_recovered')"
    " AND hold_reference IS NULL AND retry_state IS NULL"
)
"""How the merchant's own retry job takes an order: one atomic step, as schemas/INTEGRATION.md gives it."""


@dataclass
class RetryEngine:
    """The merchant's own retry job at its most eager: it charges every order that it may take, and every charge works."""

    path: Path
    charged: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Take and charge what is free now; returns the order ids."""
        taken = []
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            free = connection.execute(
                "SELECT order_id FROM orders WHERE status IN ('declined', 'not_recovered') ORDER BY order_id"
            ).fetchall()
            for (order_id,) in free:
                if connection.execute(THEIRS, (order_id,)).rowcount:
                    connection.execute("UPDATE orders SET status='paid', retry_state=NULL WHERE order_id=?", (order_id,))
                    taken.append(order_id)
        finally:
            connection.close()
        self.charged += taken
        return taken


def make_orders(path: Path, now: datetime = START) -> None:
    """The orders database with its rows, charged three hours before now."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(f"sqlite:///{path}")
    rows = [_row(order_id, number, token, now) for number, (order_id, token) in enumerate(SENDABLE.items(), start=1)]
    rows.append({**_row(IN_FLIGHT, 7, COMPLETES, now), "retry_state": "in_flight"})
    rows.append({**_row(SKIPPED, 8, COMPLETES, now), "opted_out": "true"})
    good = {"status": "paid", "response_code": "100"}
    rows += [{**_row(order_id, number, "b001", now), **good} for number, order_id in enumerate(PAID, start=9)]
    try:
        orders.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(insert(orders), rows)
    finally:
        engine.dispose()


def _row(order_id: str, number: int, token: str, now: datetime) -> dict[str, Any]:
    europe = order_id.startswith("EU")
    return {
        "order_id": order_id,
        "site": "acme-eu" if europe else "acme-us",
        "origin": "recurring",
        "customer_id": f"c-{number}",
        "email": f"ada{number}@example.com",
        "phone": "+1 555 0100",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "address_line1": "1 Main St",
        "address_line2": "",
        "city": "Boston",
        "state": "MA",
        "zipcode": "02134",
        "country": "US",
        "subscription_id": f"sub-{number}",
        "subscription_interval": "monthly",
        "payment_number": "7",
        "amount_minor": 1000 + number,
        "currency": "EUR" if europe else "USD",
        "charged_at": (now - timedelta(hours=3, minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "response_code": "202",
        "response_code_source": "nmi",
        "response_description": "Insufficient funds",
        "avs_result_code": "Y",
        "cvv_result_code": "",
        "cavv_result_code": "",
        "processor_name": "first-processor",
        "network_response_code": "51",
        "network_advice_code": "",
        "attempts_30d": 3,
        "payment_token": f"c7f0a1b2-0d3e-4f56-8a9b-0c1d2e3f{token}",
        "holder_name": "Ada K Lovelace",
        "card_brand": "visa",
        "card_bin": "41111111",
        "card_last4": "1111",
        "card_country": "US",
        "exp_month": 4,
        "exp_year": 2029,
        "opted_out": None,
        "card_funding": "credit",
        "transaction_id": None,
        "descriptor": None,
        "network_transaction_id": None,
        "status": "declined",
        "hold_reference": None,
        "hold_until": None,
        "provider_order_id": None,
        "provider_status": None,
        "refunded_minor": None,
        "updated_at": None,
        "retry_state": None,
    }
