"""CONTRACT 10: `POST orders/{id}/refund`, in decimal dollars."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import api, cit, curl, decline, token_ending


def completed(client: httpx.Client, sandbox: Sandbox, order_id: str = "o-1", amount: int = 2599) -> str:
    """An order that is paid already."""
    record = cit(sandbox, order_id, card="4000002760003184")
    record["transaction"]["amount"] = amount
    return str(client.post("evaluate", json=record).json()["orderSessionKey"])


def refund(client: httpx.Client, key: str, dollars: str) -> dict[str, Any]:
    """The answer to a refund of so many dollars, sent as the number that it says."""
    body = f'{{"amountToRefund": {dollars}, "refundMessage": "as asked"}}'
    answer = client.post(f"orders/{key}/refund", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_full_refund_returns_the_order(sandbox: Sandbox) -> None:
    """SUCCESS with the message APPROVED, and the order reads Returned, 6."""
    with api(sandbox) as client:
        key = completed(client, sandbox)
        found = refund(client, key, "25.99")
        order = client.get(f"orders/{key}").json()

    assert (found["success"], found["status"], found["responseMessage"]) == (True, "SUCCESS", "APPROVED")
    assert found["transactionId"]
    assert {"result", "statusCode", "errors", "customProperties", "responseCode"} < set(found)
    assert (order["status"], order["statusName"]) == (6, "RETURNED")


def test_parts_may_be_given_back_until_nothing_is_left(sandbox: Sandbox) -> None:
    """CONTRACT 10: several refunds in total at most the amount; the order is Completed until the last."""
    with api(sandbox) as client:
        key = completed(client, sandbox)
        found = [refund(client, key, "10"), refund(client, key, "5.5")]
        before = client.get(f"orders/{key}").json()["statusName"]
        over = refund(client, key, "10.50")
        last = refund(client, key, "10.49")
        after = client.get(f"orders/{key}").json()["statusName"]

    assert [row["status"] for row in (*found, over, last)] == ["SUCCESS", "SUCCESS", "FAILED", "SUCCESS"]
    assert (before, after) == ("COMPLETED", "RETURNED")
    assert [row["refunded"] for row in sandbox.orders()] == [2599]
    assert len({row["transactionId"] for row in (*found, last)}) == 3


def test_an_over_refund_fails_with_2001(sandbox: Sandbox) -> None:
    """The capture of CONTRACT 10: success false, FAILED, responseCode 2001, the message in both places."""
    with api(sandbox) as client:
        found = refund(client, completed(client, sandbox), "26.00")
    message = found["responseMessage"]

    assert (found["success"], found["status"], found["responseCode"], found["transactionId"]) == (False, "FAILED", "2001", None)
    assert "26.00" in message
    assert found["errors"][0]["item1"] == message
    assert set(found["errors"][0]) == {"item1", "item2", "item3", "item4"}


@pytest.mark.parametrize("last", ["a002", "a006", "a009", "a00a"])
def test_what_is_not_paid_is_not_given_back(sandbox: Sandbox, last: str) -> None:
    """A cancelled, held, uncaptured or charged back order has nothing to refund."""
    with api(sandbox) as client:
        key = client.post("evaluate", json=decline(sandbox, "o", token_ending(last))).json()["orderSessionKey"]
    sandbox.advance(timedelta(days=2))
    with api(sandbox) as client:
        assert refund(client, key, "1.00")["status"] == "FAILED"


def test_a_repeat_does_not_refund_twice(sandbox: Sandbox) -> None:
    """CONTRACT 10: a repeated call is answered like the first, and the money leaves once."""
    with api(sandbox) as client:
        key = completed(client, sandbox)
        found = [refund(client, key, "5.00"), refund(client, key, "5")]

    assert found[0] == found[1]
    assert [row["amount"] for row in sandbox.journal() if row["event"] == "refunded"] == [500]


def test_equal_parts_can_be_new_refunds(tmp_path: Path, clock: MovableClock) -> None:
    """The other reading of CONTRACT 10, by option: a second equal refund is another one."""
    with Sandbox(tmp_path, clock, SandboxOptions(repeated_refund="new")) as sandbox, api(sandbox) as client:
        key = completed(client, sandbox)
        found = [refund(client, key, "12.00")["status"] for _ in range(3)]

    assert found == ["SUCCESS", "SUCCESS", "FAILED"]


def test_a_part_can_be_limited_to_a_share(tmp_path: Path, clock: MovableClock) -> None:
    """CONTRACT 10: where the limit of 60 % holds, a part is at most that, and the whole is still allowed."""
    with Sandbox(tmp_path, clock, SandboxOptions(partial_refund_percent=60)) as sandbox, api(sandbox) as client:
        one, other = completed(client, sandbox, "a", 1000), completed(client, sandbox, "b", 1000)
        found = [
            refund(client, one, "6.01")["status"],
            refund(client, one, "6.00")["status"],
            refund(client, other, "10")["status"],
        ]

    assert found == ["FAILED", "SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("amount", ["0", "-1", "1.005", '"5.00"', "true", "null", "1e400", "1e-99", "[]", "99999999999"])
def test_an_amount_is_positive_dollars_with_two_decimals(sandbox: Sandbox, amount: str) -> None:
    """What is no such number is 400 with the property's name."""
    with api(sandbox) as client:
        key = completed(client, sandbox)
        answer = client.post(
            f"orders/{key}/refund", content=f'{{"amountToRefund": {amount}}}', headers={"Content-Type": "application/json"}
        )

    assert (answer.status_code, set(answer.json())) == (400, {"TraceId", "AmountToRefund"})


def test_an_unknown_order_is_404(sandbox: Sandbox) -> None:
    """Nothing can be refunded that is not there."""
    with api(sandbox) as client:
        assert client.post("orders/00000000-0000-4000-8000-000000000000/refund", json={"amountToRefund": 1}).status_code == 404


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(1, 1200), min_size=1, max_size=5))
def test_never_more_than_was_paid_is_given_back(sandbox: Sandbox, parts: list[int]) -> None:
    """Whatever is asked for, the refunds that succeed add up to at most the amount."""
    sandbox.reset()
    with api(sandbox) as client:
        key = completed(client, sandbox, amount=2000)
        for part in parts:
            refund(client, key, f"{part // 100}.{part % 100:02}")
    given_back = [row["amount"] for row in sandbox.journal() if row["event"] == "refunded"]

    assert sum(amount for amount in given_back if isinstance(amount, int)) <= 2000
    assert [row["refunded"] for row in sandbox.orders()] == [sum(amount for amount in given_back if isinstance(amount, int))]


def test_curl_refunds(sandbox: Sandbox) -> None:
    """curl refunds a part and reads SUCCESS."""
    with api(sandbox) as client:
        key = completed(client, sandbox)
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", f"orders/{key}/refund", authorization, {"amountToRefund": 0.01})

    assert (status, json.loads(text)["status"]) == (200, "SUCCESS")
