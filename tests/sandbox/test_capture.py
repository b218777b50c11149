"""CONTRACT 11: `POST capture`, cents, the full amount, in time."""

import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import api, cit, curl, decline, token_ending, without


def authorized(client: httpx.Client, sandbox: Sandbox, order_id: str = "o-1") -> str:
    """An order that waits for its capture."""
    record = {**cit(sandbox, order_id, card="4000002760003184", phone="998888"), "transactionType": "Authorization"}
    return str(client.post("evaluate", json=record).json()["orderSessionKey"])


def body(key: str, **changed: object) -> dict[str, Any]:
    """The body of CONTRACT 11."""
    return {"idempotencyKey": str(uuid.uuid4()), "orderId": key, "amount": 2599, "currency": "USD", **changed}


def test_the_full_amount_completes_the_order(sandbox: Sandbox) -> None:
    """Status and captureStatus both say SUCCESS, and the order reads Completed."""
    with api(sandbox) as client:
        key = authorized(client, sandbox)
        answer = client.post("capture", json=body(key))
        name = client.get(f"orders/{key}").json()["statusName"]
    found = answer.json()

    assert answer.status_code == 200
    assert (found["success"], found["status"], found["captureStatus"]) == (True, "SUCCESS", "SUCCESS")
    assert name == "COMPLETED"


@pytest.mark.parametrize("change", [{"amount": 2598}, {"amount": 2600}, {"currency": "EUR"}])
def test_another_amount_fails(sandbox: Sandbox, change: dict[str, object]) -> None:
    """Partial and over-capture are not supported: FAILED, and the order still waits."""
    with api(sandbox) as client:
        key = authorized(client, sandbox)
        found = client.post("capture", json=body(key, **change)).json()
        name = client.get(f"orders/{key}").json()["statusName"]

    assert (found["success"], found["status"], found["captureStatus"], name) == (False, "FAILED", "FAILED", "CAPTUREREQUIRED")


def test_a_second_capture_fails(sandbox: Sandbox) -> None:
    """Only an order in CAPTUREREQUIRED can be captured."""
    with api(sandbox) as client:
        key = authorized(client, sandbox)
        found = [client.post("capture", json=body(key)).json()["status"] for _ in range(2)]

    assert found == ["SUCCESS", "FAILED"]


def test_an_order_of_a_later_capture(sandbox: Sandbox) -> None:
    """A managed MIT that came to wait for its capture by itself is captured too."""
    with api(sandbox) as client:
        key = client.post("evaluate", json=decline(sandbox, "m", token_ending("a009"))).json()["orderSessionKey"]
        early = client.post("capture", json=body(key)).json()["status"]
    sandbox.advance(timedelta(hours=1))
    with api(sandbox) as client:
        found = client.post("capture", json=body(key)).json()["status"]

    assert (early, found) == ("FAILED", "SUCCESS")


def test_a_key_replays_the_first_answer(sandbox: Sandbox) -> None:
    """The same key and payload answer as before and change nothing; another payload under the key is 409."""
    with api(sandbox) as client:
        first, other = body(authorized(client, sandbox)), authorized(client, sandbox, "o-2")
        answers = [client.post("capture", json=first).json() for _ in range(2)]
        conflicts = [
            client.post("capture", json={**first, **change}).status_code for change in ({"amount": 1}, {"orderId": other})
        ]

    assert answers[0] == answers[1]
    assert (answers[0]["status"], conflicts) == ("SUCCESS", [409, 409])
    assert sum(row["event"] == "completed" for row in sandbox.journal()) == 1


@pytest.mark.parametrize("seconds", [300, 7 * 86_400])
def test_an_order_that_nobody_captures_is_voided(tmp_path: Path, clock: MovableClock, seconds: int) -> None:
    """CONTRACT 11: after the configured window, five minutes to seven days, the authorisation is void."""
    with Sandbox(tmp_path, clock, SandboxOptions(capture_window_seconds=seconds)) as sandbox:
        with api(sandbox) as client:
            key = authorized(client, sandbox)
        found = []
        for step in (seconds - 1, 1):
            sandbox.advance(timedelta(seconds=step))
            with api(sandbox) as client:
                found.append(client.get(f"orders/{key}").json()["statusName"])
        with api(sandbox) as client:
            late = client.post("capture", json=body(key)).json()["status"]

    assert (found, late) == (["CAPTUREREQUIRED", "CANCELLED"], "FAILED")


@pytest.mark.parametrize("seconds", [299, 604_801])
def test_the_window_has_its_documented_limits(seconds: int) -> None:
    """A window under five minutes or over seven days is refused at the start."""
    with pytest.raises(ValueError, match="capture_window_seconds"):
        SandboxOptions(capture_window_seconds=seconds)


def test_a_captured_order_is_never_voided(sandbox: Sandbox) -> None:
    """The end of the window does not touch what was captured."""
    with api(sandbox) as client:
        key = authorized(client, sandbox)
        client.post("capture", json=body(key))
    sandbox.advance(timedelta(days=8))
    with api(sandbox) as client:
        assert client.get(f"orders/{key}").json()["statusName"] == "COMPLETED"


@pytest.mark.parametrize(
    ("name", "key"),
    [("idempotencyKey", "IdempotencyKey"), ("orderId", "OrderId"), ("amount", "Amount"), ("currency", "Currency")],
)
def test_every_field_is_required(sandbox: Sandbox, name: str, key: str) -> None:
    """A capture without one of its fields is refused with the field's name."""
    with api(sandbox) as client:
        answer = client.post("capture", json=without(body("x"), name))

    assert (answer.status_code, set(answer.json())) == (400, {"TraceId", key})


def test_an_unknown_order_is_404(sandbox: Sandbox) -> None:
    """Nothing can be captured that is not there."""
    with api(sandbox) as client:
        assert client.post("capture", json=body(str(uuid.UUID(int=1)))).status_code == 404


def test_curl_captures(sandbox: Sandbox) -> None:
    """curl captures and reads SUCCESS."""
    with api(sandbox) as client:
        key = authorized(client, sandbox)
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", "capture", authorization, body(key))

    assert (status, json.loads(text)["status"]) == (200, "SUCCESS")
