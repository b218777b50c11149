"""CONTRACT 7.6 and 15: MITs of the account in sync mode, where the merchant retries and each answer is the current state."""

import json
import stat
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import (
    api,
    batch_name,
    curl,
    decline,
    deliver,
    evaluate_file,
    expiry,
    sftp,
    sync_api,
    sync_decline,
    token_ending,
)


def evaluate(client: httpx.Client, record: dict[str, Any]) -> dict[str, Any]:
    """The answer to one evaluate."""
    answer = client.post("evaluate", json=record)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("card", "status"),
    [
        ("4000002760003184", "APPROVED"),
        ("4111111111111111", "APPROVED"),
        ("4000300011112220", "DECLINED"),
        ("5555555555554444", "DECLINED"),
    ],
)
@pytest.mark.parametrize("tokenized", [True, False])
def test_a_documented_card_has_its_documented_answer(sandbox: Sandbox, card: str, status: str, tokenized: bool) -> None:
    """CONTRACT 15: the success card is APPROVED at once, any other card DECLINED, raw or by its token."""
    record = sync_decline(sandbox, card=card)
    with sync_api(sandbox) as client:
        if tokenized:
            fields = {"first_name": "A", "last_name": "B", "number": card, "month": 12, "year": 2030}
            stored = client.post("tokenize", json={"payment_method": {"credit_card": fields}}).json()
            record["paymentMethod"] = {"token": True, "cardNumber": stored["transaction"]["payment_method"]["token"]}
        found = evaluate(client, record)

    assert (found["status"], found["success"], found["result"]) == (status, True, "Success")


def test_a_repeat_tells_the_current_state_of_the_same_order(sandbox: Sandbox) -> None:
    """CONTRACT 7.6: a retry with the same orderId starts nothing; DECLINED turns APPROVED once the rescue has worked."""
    record = sync_decline(sandbox, token=token_ending("a001"))
    with sync_api(sandbox) as client:
        first = evaluate(client, record)
        sandbox.advance(timedelta(minutes=5))
        second = evaluate(client, {**record, "idempotencyKey": str(uuid.uuid4())})
    sandbox.advance(timedelta(hours=1))
    with sync_api(sandbox) as client:
        third = evaluate(client, record)

    assert [found["status"] for found in (first, second, third)] == ["DECLINED", "DECLINED", "APPROVED"]
    assert len({found["orderSessionKey"] for found in (first, second, third)}) == 1
    assert len(sandbox.accepted("evaluate")) == 1


def test_a_declined_order_is_worked_on_until_the_agreed_period_ends(tmp_path: Path, clock: MovableClock) -> None:
    """After the DECLINED the order reads Processing, and expires when the account's period is over."""
    with Sandbox(tmp_path, clock, SandboxOptions(sync_period_days=10)) as sandbox:
        with sync_api(sandbox) as client:
            key = evaluate(client, sync_decline(sandbox, token=token_ending("a003")))["orderSessionKey"]
        found = []
        for step in (timedelta(minutes=1), timedelta(days=10) - timedelta(minutes=2), timedelta(minutes=1)):
            sandbox.advance(step)
            with sync_api(sandbox) as client:
                found.append(client.get(f"orders/{key}").json()["statusName"])

    assert found == ["PROCESSING", "PROCESSING", "EXPIRED"]


def test_an_expiry_is_not_needed_and_not_heeded(sandbox: Sandbox) -> None:
    """CONTRACT 7.1: a sync MIT sends no expiryDateUtc; one that comes, even a bad one, changes nothing."""
    with sync_api(sandbox) as client:
        keys = [
            evaluate(client, {**sync_decline(sandbox, f"o-{n}", token_ending("a003")), **sent})["orderSessionKey"]
            for n, sent in enumerate(({}, {"expiryDateUtc": expiry(sandbox)}, {"expiryDateUtc": "yesterday"}))
        ]
        dates = {client.get(f"orders/{key}").json()["expiryDate"] for key in keys}

    assert len(dates) == 1


def test_an_authorisation_waits_for_its_capture(sandbox: Sandbox) -> None:
    """CONTRACT 7.1: a success card with the transactionType AUTHORIZATION answers CAPTUREREQUIRED."""
    record = {**sync_decline(sandbox, card="4000002760003184"), "transactionType": "AUTHORIZATION"}
    with sync_api(sandbox) as client:
        assert evaluate(client, record)["status"] == "CAPTUREREQUIRED"


def test_the_accounts_do_not_see_each_other(sandbox: Sandbox) -> None:
    """A bearer of one account neither reads, lists, cancels nor names the other."""
    with api(sandbox) as managed, sync_api(sandbox) as sync:
        key = evaluate(managed, decline(sandbox, "m"))["orderSessionKey"]
        evaluate(sync, sync_decline(sandbox, "s"))
        listed = [[row["externalOrderId"] for row in client.get("orders").json()["orders"]] for client in (managed, sync)]
        hidden = [
            sync.get(f"orders/{key}").status_code,
            sync.post(f"orders/{key}/cancel", json={}).status_code,
            sync.post("orders/m/external-cancel", json={}).status_code,
            sync.post(f"orders/{key}/refund", json={"amountToRefund": 1}).status_code,
        ]
        refused = sync.post("evaluate", json={**sync_decline(sandbox, "x"), "mid": sandbox.mid}).json()

    assert listed == [["m"], ["s"]]
    assert hidden == [404] * 4
    assert set(refused) == {"TraceId", "Mid"}


def test_a_file_with_the_other_accounts_token_is_refused(sandbox: Sandbox) -> None:
    """The SFTP folder belongs to the managed account; a token of the sync one does not open it."""
    with sync_api(sandbox) as client, sftp(sandbox) as session:
        authorization = str(client.headers["Authorization"])
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)], authorization))

    assert sandbox.accepted("evaluate") == []


def test_its_credentials_are_private_files_of_its_own(sandbox: Sandbox) -> None:
    """Key and secret of the sync account lie beside the others, for their owner alone."""
    paths = (sandbox.sync_app_key_path, sandbox.sync_app_secret_path)

    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600] * 2
    assert paths[1].read_text() == sandbox.sync_app_secret
    assert len({sandbox.mid, sandbox.sync_mid}) == len({sandbox.app_key, sandbox.sync_app_key}) == 2
    assert set(sandbox.site_ids.values()).isdisjoint(sandbox.sync_site_ids.values())


def test_curl_is_answered_at_once(sandbox: Sandbox) -> None:
    """curl sends a sync MIT and reads its verdict in the answer."""
    with sync_api(sandbox) as client:
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", "evaluate", authorization, sync_decline(sandbox, card="4000002760003184"))

    assert (status, json.loads(text)["status"]) == (200, "APPROVED")
