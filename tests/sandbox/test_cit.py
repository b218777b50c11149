"""CONTRACT 7 and 15: evaluate for a customer who is present, with the documented cards, phones and combinations."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import api, batch_name, cit, curl, deliver, evaluate_file, raw_card, sftp, sync_api, token_ending

SUCCESS, CHALLENGE, DECLINED, OTHER = "4000002760003184", "4111111111111111", "4000300011112220", "4242424242424242"
PHONE = "+99.2001a/+99.2001b"


def status_of(client: httpx.Client, record: dict[str, Any]) -> str:
    """The status that evaluate answers."""
    answer = client.post("evaluate", json=record)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"])


@pytest.mark.parametrize(
    ("card", "phone", "cvv", "kind", "status"),
    [
        (SUCCESS, "998888", "123", "AUTHORIZATION", "CAPTUREREQUIRED"),
        (SUCCESS, "998888", "123", "Authorization", "CAPTUREREQUIRED"),
        (SUCCESS, "", "", "PURCHASE", "APPROVED"),
        (SUCCESS, "", "", "Purchase", "APPROVED"),
        (CHALLENGE, PHONE, "999", "PURCHASE", "CHALLENGE"),
        (CHALLENGE, PHONE, "", "PURCHASE", "CHALLENGE"),
        (CHALLENGE, PHONE, "", "Authorization", "CHALLENGE"),
        (CHALLENGE, "", "", "PURCHASE", "DECLINED"),
        (CHALLENGE, "", "123", "PURCHASE", "APPROVED"),
        (CHALLENGE, "802-555-0100", "", "PURCHASE", "APPROVED"),
        (DECLINED, "", "123", "PURCHASE", "DECLINED"),
        (OTHER, "998888", "123", "AUTHORIZATION", "DECLINED"),
    ],
)
@pytest.mark.parametrize("mode", ["managed", "sync"])
def test_documented_combinations(sandbox: Sandbox, card: str, phone: str, cvv: str, kind: str, status: str, mode: str) -> None:
    """CONTRACT 15: card, phone, CVV and transactionType give the documented status, on either account, under HTTP 200."""
    record = {**cit(sandbox, card=card, phone=phone, cvv=cvv), "transactionType": kind}
    if mode == "sync":
        record.update({"mid": sandbox.sync_mid, "siteId": sandbox.sync_site_ids["acme-us"]})
    with (api if mode == "managed" else sync_api)(sandbox) as client:
        assert status_of(client, record) == status


@pytest.mark.parametrize(
    ("last", "status", "name", "later"),
    [
        ("b001", "APPROVED", "COMPLETED", "COMPLETED"),
        ("b002", "DECLINED", "CANCELLED", "CANCELLED"),
        ("b003", "CHALLENGE", "PROCESSING", "COMPLETED"),
        ("b004", "CHALLENGE", "PROCESSING", "CANCELLED"),
        ("b005", "CAPTUREREQUIRED", "CAPTUREREQUIRED", "CAPTUREREQUIRED"),
    ],
)
def test_a_test_token_decides(sandbox: Sandbox, last: str, status: str, name: str, later: str) -> None:
    """Each documented token ending has its documented answer, order status, and status after ten minutes."""
    record = cit(sandbox)
    record["paymentMethod"]["cardNumber"] = token_ending(last)
    with api(sandbox) as client:
        answer = client.post("evaluate", json=record).json()
        first = client.get(f"orders/{answer['orderId']}").json()
    sandbox.advance(timedelta(minutes=10))
    with api(sandbox) as client:
        second = client.get(f"orders/{answer['orderId']}").json()

    assert (answer["status"], first["statusName"], second["statusName"]) == (status, name, later)
    assert first["expiryDate"] is None


def test_a_cit_needs_no_mit_fields(sandbox: Sandbox) -> None:
    """CONTRACT 7.1: isMIT may be absent, senseKey null, and no expiry is needed on a managed account."""
    record = {name: value for name, value in cit(sandbox, card=SUCCESS).items() if name != "isMIT"}
    with api(sandbox) as client:
        assert status_of(client, {**record, "senseKey": None}) == "APPROVED"


def test_a_sense_key_is_answered(sandbox: Sandbox) -> None:
    """CONTRACT 7.5: the answer repeats the browser's key."""
    with api(sandbox) as client:
        found = client.post("evaluate", json={**cit(sandbox, card=SUCCESS), "senseKey": "browser-1"}).json()

    assert found["senseKey"] == "browser-1"


@pytest.mark.parametrize(
    "method",
    [{**raw_card(SUCCESS), "token": True}, {"cardNumber": SUCCESS}, {"token": False, "cardNumber": token_ending("b001")}],
)
def test_a_card_number_comes_with_token_false_alone(sandbox: Sandbox, method: dict[str, Any]) -> None:
    """CONTRACT 7.3: a raw number is taken with `token: false`, and a token without it."""
    with api(sandbox) as client:
        found = client.post("evaluate", json={**cit(sandbox), "paymentMethod": method})

    assert (found.status_code, set(found.json())) == (400, {"TraceId", "PaymentMethod.CardNumber"})


def test_a_raw_card_is_kept_nowhere(sandbox: Sandbox) -> None:
    """Neither number nor CVV of a raw card reaches the journal, its file or the memory of orders."""
    with api(sandbox) as client:
        status_of(client, cit(sandbox, "o-1", card=OTHER, cvv="73791"))
        client.post("evaluate", json={**cit(sandbox, card=OTHER, cvv="73791"), "orderId": None})
        refused = client.post("evaluate", json={**cit(sandbox), "paymentMethod": {"cardNumber": OTHER}}).text
        hashes = []
        for cvv in ("", "73791"):
            record = cit(sandbox, "o-2", card=OTHER, cvv=cvv)
            status_of(client, record)
            hashes.append(sandbox.accepted("evaluate")[-1]["payload_sha256"])
    kept = [refused, json.dumps(sandbox.journal()), repr(sandbox._brain.orders()), (sandbox.folder / "journal.jsonl").read_text()]

    assert [text for text in kept if OTHER in text or "73791" in text] == []
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("method", [raw_card(SUCCESS), {"token": True, "cardNumber": SUCCESS}])
def test_no_card_number_comes_by_file(sandbox: Sandbox, method: dict[str, Any]) -> None:
    """CONTRACT 6.1: a row with a card number, whatever `token` says, is refused."""
    record = {**cit(sandbox), "isMIT": True, "paymentMethod": method}
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [record]))

    assert sandbox.accepted("evaluate") == []
    assert any(row["event"] == "row_refused" for row in sandbox.journal())


def test_authorisations_can_be_switched_off(tmp_path: Path, clock: MovableClock) -> None:
    """CONTRACT 7.1: on accounts without auth and capture the transactionType AUTHORIZATION is refused."""
    with Sandbox(tmp_path, clock, SandboxOptions(auth_capture=False)) as sandbox, api(sandbox) as client:
        record = {**cit(sandbox, card=SUCCESS), "transactionType": "AUTHORIZATION"}
        refused = client.post("evaluate", json=record).json()

        assert set(refused) == {"TraceId", "TransactionType"}
        assert status_of(client, {**record, "transactionType": "PURCHASE"}) == "APPROVED"


def test_strict_amounts_keep_to_the_documented_limits(tmp_path: Path, clock: MovableClock) -> None:
    """CONTRACT 15: with the option an amount is more than 10 and less than 20000 cents."""
    found = {}
    with Sandbox(tmp_path, clock, SandboxOptions(strict_amounts=True)) as sandbox, api(sandbox) as client:
        for amount in (10, 11, 19_999, 20_000):
            record = cit(sandbox, f"o-{amount}", card=SUCCESS)
            record["transaction"]["amount"] = amount
            found[amount] = client.post("evaluate", json=record).status_code

    assert found == {10: 400, 11: 200, 19_999: 200, 20_000: 400}


def test_curl_is_challenged(sandbox: Sandbox) -> None:
    """curl sends the documented combination and reads CHALLENGE."""
    with api(sandbox) as client:
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", "evaluate", authorization, cit(sandbox, card=CHALLENGE, phone=PHONE))

    assert (status, json.loads(text)["status"]) == (200, "CHALLENGE")
