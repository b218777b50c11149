"""CONTRACT 9: `POST orders/{id}/cancel` and `POST orders/{external id}/external-cancel`."""

import uuid
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, cit, curl, decline, token_ending

KEY = "0d4f9a70-1111-4222-8333-444455556666"


def submit(client: httpx.Client, sandbox: Sandbox, last: str = "a001", order_id: str = "o-1") -> str:
    """Submit one order with a test token, as a CIT if the token is one of theirs."""
    record = cit(sandbox, order_id) if last.startswith("b") else decline(sandbox, order_id)
    record["paymentMethod"]["cardNumber"] = token_ending(last)
    return str(client.post("evaluate", json=record).json()["orderSessionKey"])


def name_of(client: httpx.Client, key: str) -> str:
    """The status name of an order."""
    return str(client.get(f"orders/{key}").json()["statusName"])


@pytest.mark.parametrize(
    ("last", "minutes", "was", "status"),
    [
        ("a001", 0, "DRAFT", 200),
        ("a001", 30, "PROCESSING", 200),
        ("a001", 60, "COMPLETED", 400),
        ("a002", 60, "CANCELLED", 400),
        ("a006", 0, "ONHOLD", 400),
        ("a007", 60, "PROBLEM", 400),
        ("a009", 60, "CAPTUREREQUIRED", 200),
        ("b001", 0, "COMPLETED", 400),
        ("b003", 0, "PROCESSING", 400),
        ("b005", 0, "CAPTUREREQUIRED", 200),
    ],
)
def test_what_may_be_cancelled(sandbox: Sandbox, last: str, minutes: int, was: str, status: int) -> None:
    """A MIT in Draft, Processing and Capturerequired, a CIT in Capturerequired; everything else is refunded, if at all."""
    with api(sandbox) as client:
        key = submit(client, sandbox, last)
    sandbox.advance(timedelta(minutes=minutes))
    with api(sandbox) as client:
        before = name_of(client, key)
        answer = client.post(f"orders/{key}/cancel", json={})
        after = name_of(client, key)

    assert (before, answer.status_code) == (was, status)
    assert after == ("CANCELLED" if status == 200 else was)
    if status != 200:
        assert (answer.json()["success"], answer.json()["status"]) == (False, "FAILED")
        assert answer.json()["errors"][0]["item1"]


@pytest.mark.parametrize("body", [None, b"", b"{}", b" "])
def test_a_success_is_200_and_an_empty_object(sandbox: Sandbox, body: bytes | None) -> None:
    """The body may be missing, empty or `{}`; the answer is `{}`, and a non-empty one would be a failure."""
    with api(sandbox) as client:
        key = submit(client, sandbox)
        answer = client.post(f"orders/{key}/cancel", content=body, headers={"Content-Type": "application/json"} if body else {})

    assert (answer.status_code, answer.json()) == (200, {})


def test_repeats_are_safe_and_a_cancelled_order_stays_so(sandbox: Sandbox) -> None:
    """A second cancel answers like the first, and the order never completes."""
    with api(sandbox) as client:
        key = submit(client, sandbox)
        found = [client.post(f"orders/{key}/cancel", json={}).status_code for _ in range(2)]
    sandbox.advance(timedelta(days=30))
    with api(sandbox) as client:
        name = name_of(client, key)

    assert (found, name) == ([200, 200], "CANCELLED")
    assert [row["order_id"] for row in sandbox.journal() if row["event"] == "cancelled"] == ["o-1"]


def test_both_cancels_are_one(sandbox: Sandbox) -> None:
    """external-cancel by our own id and cancel by the provider's reach the same order."""
    with api(sandbox) as client:
        key = submit(client, sandbox)
        found = [
            client.post("orders/o-1/external-cancel", json={}),
            client.post(f"orders/{key}/cancel", json={}),
            client.post("orders/o-1/external-cancel"),
        ]

    assert [(answer.status_code, answer.json()) for answer in found] == [(200, {})] * 3


@pytest.mark.parametrize("order_id", ["a/b", "50% off", "ordre-é", "cancel", "x y", "../orders"])
def test_any_order_id_can_be_cancelled_from_outside(sandbox: Sandbox, order_id: str) -> None:
    """Our own id is opaque text, quoted once in the path."""
    with api(sandbox) as client:
        key = submit(client, sandbox, order_id=order_id)
        answer = client.post(f"orders/{quote(order_id, safe='')}/external-cancel", json={})

        assert (answer.status_code, name_of(client, key)) == (200, "CANCELLED")


def test_of_two_orders_with_one_id_the_last_is_cancelled(sandbox: Sandbox) -> None:
    """When an order was accepted twice, external-cancel stops the later one only, and the other goes on."""
    with api(sandbox) as client:
        keys = [submit(client, sandbox) for _ in range(2)]
        client.post("orders/o-1/external-cancel", json={})

        assert [name_of(client, key) for key in keys] == ["DRAFT", "CANCELLED"]


@pytest.mark.parametrize("path", ["orders/unheard-of/external-cancel", f"orders/{KEY}/cancel", f"orders/{KEY}/external-cancel"])
def test_an_unknown_order_is_404(sandbox: Sandbox, path: str) -> None:
    """CONTRACT 6.4: nothing can be cancelled that is not there."""
    with api(sandbox) as client:
        assert client.post(path, json={}).status_code == 404


def test_a_key_replays_for_24_hours_and_refuses_another_payload(sandbox: Sandbox) -> None:
    """The same key and payload answer as before, even though the order has changed; another payload is 409."""

    def cancel(key: str, **body: object) -> int:
        with api(sandbox) as client:
            return client.post(f"orders/{key}/cancel", json={"idempotencyKey": KEY, **body}).status_code

    with api(sandbox) as client:
        done, other = submit(client, sandbox, "b001"), submit(client, sandbox, "a001", "o-2")
    first, again, conflict, elsewhere = cancel(done), cancel(done), cancel(done, reason="x"), cancel(other)
    sandbox.advance(timedelta(hours=24))

    assert (first, again, conflict, elsewhere) == (400, 400, 409, 409)
    assert cancel(done, reason="x") == 400


def test_a_key_that_is_no_guid_is_400(sandbox: Sandbox) -> None:
    """CONTRACT 9: the idempotencyKey is a GUID."""
    with api(sandbox) as client:
        answer = client.post(f"orders/{submit(client, sandbox)}/cancel", json={"idempotencyKey": "1"})

    assert (answer.status_code, set(answer.json())) == (400, {"TraceId", "IdempotencyKey"})


def test_curl_cancels_without_a_body(sandbox: Sandbox) -> None:
    """curl posts nothing at all and gets `{}`."""
    with api(sandbox) as client:
        key = submit(client, sandbox)
        authorization = str(client.headers["Authorization"])

    assert curl(sandbox, "POST", f"orders/{key}/cancel", authorization) == (200, "{}")
    assert curl(sandbox, "POST", f"orders/{uuid.UUID(int=1)}/cancel", authorization)[0] == 404
