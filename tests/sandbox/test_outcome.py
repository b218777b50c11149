"""CONTRACT 8: `POST outcome`, deprecated and still there."""

import json
from datetime import timedelta

import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, cit, curl, decline, token_ending


@pytest.mark.parametrize(
    ("last", "after_an_hour", "after_expiry"),
    [
        ("a001", "APPROVED", "APPROVED"),
        ("a002", "DECLINED", "DECLINED"),
        ("a003", "PROCESSING", "EXPIRED"),
        ("a004", "PROCESSING", "EXPIRED"),
        ("a006", "PROCESSING", "PROCESSING"),
        ("a009", "PROCESSING", "DECLINED"),
        ("a00a", "APPROVED", "APPROVED"),
        ("a00b", "APPROVED", "APPROVED"),
        ("a00c", "DECLINED", "APPROVED"),
    ],
)
def test_a_mit_is_told_in_the_documented_words(sandbox: Sandbox, last: str, after_an_hour: str, after_expiry: str) -> None:
    """SUBMITTED at first, PROCESSING while it is worked on, then APPROVED, DECLINED or EXPIRED."""
    found = []
    with api(sandbox) as client:
        key = client.post("evaluate", json=decline(sandbox, "o", token_ending(last))).json()["orderSessionKey"]
    for step in (timedelta(0), timedelta(hours=1), timedelta(days=21)):
        sandbox.advance(step)
        with api(sandbox) as client:
            found.append(client.post("outcome", json={"orderSessionKey": key}).json()["status"])

    assert found == ["PROCESSING" if last == "a006" else "SUBMITTED", after_an_hour, after_expiry]


def test_the_answer_is_the_envelope_and_a_confirmation(sandbox: Sandbox) -> None:
    """CONTRACT 8: envelope, status and a short confirmationId like hex."""
    with api(sandbox) as client:
        key = client.post("evaluate", json=cit(sandbox, card="4000002760003184")).json()["orderSessionKey"]
        answer = client.post("outcome", json={"OrderSessionKey": key.upper()})
    found = answer.json()
    confirmation = found.pop("confirmationId")

    assert len(confirmation) == len(f"{int(confirmation, 16):08x}") == 8
    assert found == {
        "success": True,
        "result": "Success",
        "status": "APPROVED",
        "statusCode": None,
        "errors": [],
        "customProperties": {},
    }


def test_a_merchants_own_cancel_reads_cancelled(sandbox: Sandbox) -> None:
    """CANCELLED is what the merchant did; DECLINED is what the provider did."""
    with api(sandbox) as client:
        key = client.post("evaluate", json=decline(sandbox)).json()["orderSessionKey"]
        client.post(f"orders/{key}/cancel", json={})
        found = client.post("outcome", json={"orderSessionKey": key}).json()

    assert found["status"] == "CANCELLED"


def test_an_unknown_order_is_notfound_in_a_200(sandbox: Sandbox) -> None:
    """CONTRACT 8 lists NOTFOUND among the statuses."""
    with api(sandbox) as client:
        answer = client.post("outcome", json={"orderSessionKey": "00000000-0000-4000-8000-000000000000"})

    assert (answer.status_code, answer.json()["status"], answer.json()["confirmationId"]) == (200, "NOTFOUND", None)


def test_the_key_is_required(sandbox: Sandbox) -> None:
    """An empty question is 400 with the property's name."""
    with api(sandbox) as client:
        answer = client.post("outcome", json={})

    assert (answer.status_code, set(answer.json())) == (400, {"TraceId", "OrderSessionKey"})


def test_curl_asks_for_an_outcome(sandbox: Sandbox) -> None:
    """curl reads SUBMITTED."""
    with api(sandbox) as client:
        key = client.post("evaluate", json=decline(sandbox)).json()["orderSessionKey"]
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", "outcome", authorization, {"orderSessionKey": key})

    assert (status, json.loads(text)["status"]) == (200, "SUBMITTED")
