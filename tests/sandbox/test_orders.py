"""CONTRACT 6.4, 9 and 14: `GET orders` and `GET orders/{id}`."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, curl, decline, expiry, token_ending


def submit(client: httpx.Client, sandbox: Sandbox, order_id: str, last: str = "a004") -> str:
    """Submit one order with a test token and return its key."""
    answer = client.post("evaluate", json=decline(sandbox, order_id, token_ending(last)))
    return str(answer.json()["orderSessionKey"])


def read(sandbox: Sandbox, key: str) -> dict[str, Any]:
    """Read one order with a fresh bearer."""
    with api(sandbox) as client:
        answer = client.get(f"orders/{key}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_an_order_has_the_fields_of_the_contract(sandbox: Sandbox) -> None:
    """Our id is externalOrderId, the amount is in cents, the dates are UTC (CONTRACT 6.4)."""
    with api(sandbox) as client:
        key = submit(client, sandbox, "0012-A")
        found = client.get(f"orders/{key}").json()

    assert (found["id"], found["externalOrderId"], found["referenceNumber"]) == (key, "0012-A", "0012-A")
    assert (found["amount"], found["currencyCode"], found["currencySymbol"]) == (2599, "USD", "$")
    assert (found["status"], found["statusName"]) == (0, "DRAFT")
    assert found["orderPlacedDate"].endswith("Z")
    assert found["expiryDate"] == expiry(sandbox)
    assert (found["firstName"], found["email"]) == ("Ada", "ada@acme.example")
    assert found["billingAddress"]["zipcode"] == "01803"
    assert found["shippingAddress"] is None
    assert "cardNumber" not in str(found)


def test_an_unknown_order_is_404(sandbox: Sandbox) -> None:
    """An id that nobody was given is 404."""
    with api(sandbox) as client:
        assert client.get("orders/00000000-0000-4000-8000-000000000000").status_code == 404


@pytest.mark.parametrize(
    ("last", "after_an_hour", "after_expiry"),
    [
        ("a001", (7, "COMPLETED", 2599), (7, "COMPLETED", 2599)),
        ("a002", (2, "CANCELLED", 2599), (2, "CANCELLED", 2599)),
        ("a003", (4, "PROCESSING", 2599), (2, "EXPIRED", 2599)),
        ("a004", (4, "PROCESSING", 2599), (2, "CANCELLED", 2599)),
        ("a006", (1, "ONHOLD", 2599), (1, "ONHOLD", 2599)),
        ("a007", (3, "PROBLEM", 2599), (3, "PROBLEM", 2599)),
        ("a008", (7, "COMPLETED", 2598), (7, "COMPLETED", 2598)),
        ("a009", (5, "CAPTUREREQUIRED", 2599), (2, "CANCELLED", 2599)),
        ("a00a", (7, "COMPLETED", 2599), (None, "CHARGEBACK", 2599)),
        ("a00b", (7, "COMPLETED", 2599), (6, "RETURNED", 2599)),
        ("a00c", (2, "CANCELLED", 2599), (7, "COMPLETED", 2599)),
    ],
)
def test_a_test_token_decides(
    sandbox: Sandbox, last: str, after_an_hour: tuple[int, str, int], after_expiry: tuple[int | None, str, int]
) -> None:
    """Each documented token ending has its documented outcome after an hour and at the expiry."""
    with api(sandbox) as client:
        key = submit(client, sandbox, "o-1", last)
    found = []
    for step in (timedelta(hours=1), timedelta(days=21)):
        sandbox.advance(step)
        order = read(sandbox, key)
        found.append((order["status"], order["statusName"], order["amount"]))

    assert found == [after_an_hour, after_expiry]


def test_an_order_is_draft_and_then_processing(sandbox: Sandbox) -> None:
    """A managed MIT reads Draft at first and Processing some minutes later (CONTRACT 14)."""
    with api(sandbox) as client:
        key = submit(client, sandbox, "o-1")
    first = read(sandbox, key)["statusName"]
    sandbox.advance(timedelta(minutes=6))

    assert (first, read(sandbox, key)["statusName"]) == ("DRAFT", "PROCESSING")


def test_a_listing_has_ten_a_page_and_the_page_fields(sandbox: Sandbox) -> None:
    """CONTRACT 9: pageSize defaults to 10, pages count from 1, the page fields stand at top level."""
    with api(sandbox) as client:
        for n in range(12):
            submit(client, sandbox, f"o-{n:02}")
        first = client.get("orders").json()
        last = client.get("orders", params={"pageNumber": 2}).json()

    assert [order["externalOrderId"] for order in first.pop("orders")] == [f"o-{n:02}" for n in range(11, 1, -1)]
    assert first == {
        "firstItemOnPage": 1,
        "hasNextPage": True,
        "hasPreviousPage": False,
        "isFirstPage": True,
        "isLastPage": False,
        "lastItemOnPage": 10,
        "pageCount": 2,
        "pageNumber": 1,
        "pageSize": 10,
        "totalItemCount": 12,
    }
    assert [order["externalOrderId"] for order in last["orders"]] == ["o-01", "o-00"]
    assert (last["hasNextPage"], last["isLastPage"], last["lastItemOnPage"]) == (False, True, 12)


def test_a_page_has_at_most_500_orders(sandbox: Sandbox) -> None:
    """A larger page size is cut, and the answer says so."""
    with api(sandbox) as client:
        assert client.get("orders", params={"pageSize": 501}).json()["pageSize"] == 500


def test_a_listing_is_filtered(sandbox: Sandbox) -> None:
    """`query` finds our id or a part of it, or the provider's; `status`, `from` and `to` narrow (CONTRACT 9)."""
    with api(sandbox) as client:
        early = submit(client, sandbox, "order-1", "a001")
        submit(client, sandbox, "order-10", "a002")
        sandbox.advance(timedelta(seconds=300))
        later = sandbox.clock.now().isoformat().replace("+00:00", "Z")
        submit(client, sandbox, "other-7", "a006")
    sandbox.advance(timedelta(hours=2))

    def ids(**question: str | int | list[int]) -> list[str]:
        with api(sandbox) as client:
            listed = client.get("orders", params={**question, "sort": "asc"}).json()["orders"]
        return [order["externalOrderId"] for order in listed]

    assert ids(query="order-1") == ["order-1", "order-10"]
    assert ids(query=early) == ["order-1"]
    assert ids(query="nothing") == []
    assert ids(status=7) == ["order-1"]
    assert ids(status=[2, 1]) == ["order-10", "other-7"]
    assert ids(**{"from": later}) == ["other-7"]
    assert ids(to=later, status=2) == ["order-10"]
    assert ids(to=later) == ["order-1", "order-10", "other-7"]


def test_a_listing_is_sorted_by_amount(sandbox: Sandbox) -> None:
    """`orderBy=amount` sorts by the amount (CONTRACT 9)."""
    with api(sandbox) as client:
        for order_id, amount in (("b", 300), ("a", 100), ("c", 200)):
            record = decline(sandbox, order_id)
            record["transaction"]["amount"] = amount
            client.post("evaluate", json=record)
        listed = client.get("orders", params={"orderBy": "amount", "sort": "asc"}).json()["orders"]

    assert [order["amount"] for order in listed] == [100, 200, 300]


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ({"pageNumber": "0"}, "PageNumber"),
        ({"pageSize": "x"}, "PageSize"),
        ({"status": "open"}, "Status"),
        ({"from": "yesterday"}, "From"),
        ({"to": ""}, "To"),
        ({"sort": "up"}, "Sort"),
        ({"orderBy": "name"}, "OrderBy"),
        ({"mid": "other"}, "Mid"),
    ],
)
def test_a_bad_parameter_is_400(sandbox: Sandbox, question: dict[str, str], key: str) -> None:
    """A parameter that cannot be read is named, not guessed."""
    with api(sandbox) as client:
        answer = client.get("orders", params=question)

    assert answer.status_code == 400
    assert set(answer.json()) == {"TraceId", key}


def test_the_statuses_may_be_one_list(sandbox: Sandbox) -> None:
    """CONTRACT 9: `status` is an array of numbers, repeated or joined by commas."""
    with api(sandbox) as client:
        submit(client, sandbox, "o-1", "a001")
        submit(client, sandbox, "o-2", "a002")
        submit(client, sandbox, "o-3", "a006")
    sandbox.advance(timedelta(hours=1))
    with api(sandbox) as client:
        found = [
            client.get(f"orders?{query}").json()["totalItemCount"] for query in ("status=7,2", "status=7&status=2", "status=4")
        ]

    assert found == [2, 2, 0]


def test_a_page_past_the_end_is_empty(sandbox: Sandbox) -> None:
    """A page that is not there has no orders and no next page."""
    with api(sandbox) as client:
        submit(client, sandbox, "o-1")
        found = client.get("orders", params={"pageNumber": 9, "mid": sandbox.mid.upper()}).json()

    assert (found["orders"], found["hasNextPage"], found["isLastPage"], found["firstItemOnPage"]) == ([], False, True, 0)


def test_curl_reads_what_httpx_reads(sandbox: Sandbox) -> None:
    """curl gets the same page and the same order."""
    with api(sandbox) as client:
        key = submit(client, sandbox, "o-1")
        authorization = str(client.headers["Authorization"])
        expected = [client.get(path).json() for path in ("orders?pageSize=5", f"orders/{key}")]
    found = [curl(sandbox, "GET", path, authorization) for path in ("orders?pageSize=5", f"orders/{key}")]

    assert [status for status, _ in found] == [200, 200]
    assert [json.loads(text) for _, text in found] == expected
