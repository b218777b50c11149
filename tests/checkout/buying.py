"""A customer without a browser: the shop's forms by plain calls, and the order's row."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from jobs.sandbox.checkout import Checkout
from tests.checkout.walking import SUCCESS

FORM = {
    "name": "Ada Marsh",
    "email": "ada@example.com",
    "phone": "",
    "month": "12",
    "year": "2031",
    "cvv": "731",
    "bank": "decline",
}


@contextmanager
def customer(shop: Checkout) -> Iterator[httpx.Client]:
    """A client of the shop that follows no redirect."""
    with httpx.Client(base_url=shop.url, timeout=60, trust_env=False) as client:
        yield client


def placed(client: httpx.Client, flow: str = "standard") -> str:
    """A new order; its id."""
    answer = client.post("orders", data={"flow": flow})
    assert answer.status_code == 303
    return answer.headers["location"].rpartition("/")[2]


def pay(client: httpx.Client, order_id: str, number: str = SUCCESS, **changed: str) -> httpx.Response:
    """Send the payment form."""
    return client.post(f"orders/{order_id}/pay", data={**FORM, "number": number, **changed})


def stage(client: httpx.Client, order_id: str) -> str:
    """The stage that the order's page shows."""
    answer = client.get(f"orders/{order_id}")
    found = re.search(r'data-stage="([a-z]+)"', answer.text)
    assert answer.status_code == 200, answer.text
    assert found is not None
    return found.group(1)


def bought(shop: Checkout, number: str = SUCCESS, flow: str = "standard", **changed: str) -> tuple[str, str]:
    """A whole purchase; the order's id and the stage that its page shows afterwards."""
    with customer(shop) as client:
        order_id = placed(client, flow)
        assert pay(client, order_id, number, **changed).status_code == 303
        return order_id, stage(client, order_id)


def row_of(path: Path, order_id: str) -> dict[str, Any]:
    """The order's row as it stands in the merchant's table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return dict(connection.execute("SELECT * FROM orders WHERE order_id = ?", (order_id,)).fetchone())
