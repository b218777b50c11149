"""CONTRACT 7 and 13: `POST evaluate` on an account with managed MIT."""

import http.client
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, curl, decline, token_ending, without

SEVEN = {
    "OrderId": "orderId",
    "Transaction.Id": "transaction.id",
    "Transaction.ResponseCode": "transaction.responseCode",
    "Transaction.ResponseCodeSource": "transaction.responseCodeSource",
    "Transaction.AvsResultCode": "transaction.avsResultCode",
    "Transaction.CvvResultCode": "transaction.cvvResultCode",
    "Transaction.CavvResultCode": "transaction.cavvResultCode",
}


def test_a_decline_is_submitted_with_the_recorded_answer(sandbox: Sandbox) -> None:
    """CONTRACT 7.5: orderId in the answer is the provider's own id, equal to orderSessionKey; status SUBMITTED."""
    with api(sandbox) as client:
        answer = client.post("evaluate", json=decline(sandbox))
    found = answer.json()

    assert answer.status_code == 200
    assert found["orderId"] == found["orderSessionKey"] == str(uuid.UUID(found["orderSessionKey"]))
    assert (found["success"], found["result"], found["status"]) == (True, "Success", "SUBMITTED")
    assert (found["senseKey"], found["statusCode"], found["errors"], found["customProperties"]) == (None, None, [], {})


def test_the_journal_says_what_was_accepted(sandbox: Sandbox) -> None:
    """An acceptance is journaled with its order, key, amount, expiry and a hash of the record."""
    record = decline(sandbox)
    with api(sandbox) as client:
        key = client.post("evaluate", json=record).json()["orderSessionKey"]
    (row,) = sandbox.accepted("evaluate")

    assert len(str(row.pop("payload_sha256"))) == 64
    assert isinstance(row.pop("n"), int)
    assert row == {
        "at": row["at"],
        "event": "accepted",
        "kind": "evaluate",
        "channel": "api",
        "order_id": "sub-88-2026-12",
        "order_session_key": key,
        "file": None,
        "sequence_number": None,
        "amount": 2599,
        "currency": "USD",
        "idempotency_key": record["idempotencyKey"],
        "expiry": record["expiryDateUtc"],
    }


def test_all_seven_enforced_fields_are_named_at_once(sandbox: Sandbox) -> None:
    """CONTRACT 7.2 and 13: the 400 is a flat map of exactly the seven keys and TraceId, with the wire's messages."""
    with api(sandbox) as client:
        answer = client.post("evaluate", json=without(decline(sandbox), *SEVEN.values()))
    found = answer.json()
    trace = found.pop("TraceId")

    assert answer.status_code == 400
    assert len(trace) == 1
    assert trace[0].startswith("00-")
    assert set(found) == set(SEVEN)
    assert found["OrderId"] == ["Merchant's orderId is required"]
    assert found["Transaction.Id"] == ["The Id field is required."]
    assert found["Transaction.CavvResultCode"] == ["The CavvResultCode field is required."]
    assert sandbox.accepted("evaluate") == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"idempotencyKey": None}, "IdempotencyKey"),
        ({"idempotencyKey": "not-a-guid"}, "IdempotencyKey"),
        ({"isDeclined": None}, "IsDeclined"),
        ({"isDeclined": False}, "IsDeclined"),
        ({"isDeclined": "true"}, "IsDeclined"),
        ({"expiryDateUtc": None}, "ExpiryDateUtc"),
        ({"expiryDateUtc": ""}, "ExpiryDateUtc"),
        ({"expiryDateUtc": "2026-11-23T01:29:59Z"}, "ExpiryDateUtc"),
        ({"mid": str(uuid.UUID(int=7))}, "Mid"),
        ({"siteId": str(uuid.UUID(int=7))}, "SiteId"),
        ({"siteId": None}, "SiteId"),
        ({"isMIT": "true"}, "IsMIT"),
        ({"orderId": 12}, "OrderId"),
    ],
)
def test_a_bad_field_is_named(sandbox: Sandbox, change: dict[str, object], key: str) -> None:
    """A record with one bad field is refused with that field's name alone."""
    with api(sandbox) as client:
        answer = client.post("evaluate", json={**decline(sandbox), **change})

    assert answer.status_code == 400
    assert set(answer.json()) == {"TraceId", key}


@pytest.mark.parametrize("amount", [0, -1, 12.5, "2599", True, 10**12])
def test_an_amount_is_a_positive_whole_number_of_cents(sandbox: Sandbox, amount: object) -> None:
    """CONTRACT 7.2: amount is an integer in cents."""
    record = decline(sandbox)
    record["transaction"]["amount"] = amount
    with api(sandbox) as client:
        assert set(client.post("evaluate", json=record).json()) == {"TraceId", "Transaction.Amount"}


def test_a_missing_expiry_is_called_invalid(sandbox: Sandbox) -> None:
    """CONTRACT 7.1: a managed account answers 400 "The field ExpiryDateUtc is invalid."."""
    with api(sandbox) as client:
        found = client.post("evaluate", json=without(decline(sandbox), "expiryDateUtc")).json()

    assert found["ExpiryDateUtc"] == ["The field ExpiryDateUtc is invalid."]


def test_names_are_matched_in_any_case(sandbox: Sandbox) -> None:
    """CONTRACT 1: a record in other casing is the same record, down to its hash."""

    def shouted(value: object) -> object:
        return {name.upper(): shouted(inner) for name, inner in value.items()} if isinstance(value, dict) else value

    with api(sandbox) as client:
        statuses = [client.post("evaluate", json=record).status_code for record in (decline(sandbox), shouted(decline(sandbox)))]

    assert statuses == [200, 200]
    assert len({row["payload_sha256"] for row in sandbox.accepted("evaluate")}) == 1


def test_a_double_send_shows(sandbox: Sandbox) -> None:
    """Without deduplication the same order is accepted again under a new key, and the journal has both."""
    with api(sandbox) as client:
        keys = [client.post("evaluate", json=decline(sandbox)).json()["orderSessionKey"] for _ in range(2)]

    assert len(set(keys)) == 2
    assert [row["order_session_key"] for row in sandbox.accepted("evaluate")] == keys


def test_a_token_that_is_refused_at_intake(sandbox: Sandbox) -> None:
    """A payment token that ends in a005 is refused."""
    with api(sandbox) as client:
        answer = client.post("evaluate", json=decline(sandbox, token=token_ending("a005")))

    assert answer.status_code == 400
    assert "PaymentMethod.CardNumber" in answer.json()


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "application/*+json", "application/vnd.x+json"])
def test_json_media_types_are_taken(sandbox: Sandbox, media: str) -> None:
    """CONTRACT 2: application/json and application/*+json both work."""
    with api(sandbox) as client:
        answer = client.post("evaluate", content=json.dumps(decline(sandbox)), headers={"Content-Type": media})

    assert answer.status_code == 200


def test_another_media_type_is_415(sandbox: Sandbox) -> None:
    """A body that does not say that it is JSON is refused."""
    with api(sandbox) as client:
        answer = client.post("evaluate", content=b"{}", headers={"Content-Type": "text/plain"})

    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"orderId": "a", "orderId": "b"}',
        b'{"orderId": "a", "ORDERID": "b"}',
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_a_body_that_is_no_strict_json_object_is_400(sandbox: Sandbox, body: bytes) -> None:
    """Doubles, NaN, half surrogates, giant numbers and great depth are refused, and the sandbox lives on."""
    with api(sandbox) as client:
        answer = client.post("evaluate", content=body, headers={"Content-Type": "application/json"})
        alive = client.post("evaluate", json=decline(sandbox)).status_code

    assert (answer.status_code, alive) == (400, 200)


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_above_one_mebibyte_is_413(sandbox: Sandbox, announced: bool) -> None:
    """A large body is refused whether its length is announced or sent in chunks."""
    content: Any = b" " * (1024 * 1024 + 1)
    with api(sandbox) as client:
        body = content if announced else iter([content])
        answer = client.post("evaluate", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 413


def test_a_large_announcement_is_413_before_the_body(sandbox: Sandbox) -> None:
    """A body announced as too large is refused without waiting for it."""
    with api(sandbox) as client:
        authorization = client.headers["Authorization"]
    address = urlsplit(sandbox.api_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.putrequest("POST", "/v1/evaluate")
    connection.putheader("Authorization", authorization)
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()

    assert status == 413


def test_another_http_library_sees_the_same(sandbox: Sandbox) -> None:
    """The standard library's client submits an order too."""
    with api(sandbox) as client:
        authorization = client.headers["Authorization"]
    address = urlsplit(sandbox.api_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    connection.request("POST", "/v1/evaluate", json.dumps(decline(sandbox)), headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()

    assert (answer.status, found["status"]) == (200, "SUBMITTED")


def test_curl_submits_too(sandbox: Sandbox) -> None:
    """curl, with the media type of the documentation, submits an order."""
    with api(sandbox) as client:
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", "evaluate", authorization, decline(sandbox))

    assert (status, json.loads(text)["status"]) == (200, "SUBMITTED")
