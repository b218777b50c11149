"""CONTRACT 5: `POST transmit`, the copy of a charge that went well."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import api, charge, curl, without


def test_a_copy_is_taken_with_result_success(sandbox: Sandbox) -> None:
    """The checklist's success is result "success"; the answer bears a transmitId and a number as status."""
    with api(sandbox) as client:
        answer = client.post("transmit", json=charge(sandbox))
    found = answer.json()

    assert (answer.status_code, found["result"]) == (200, "success")
    assert isinstance(found["status"], int)
    assert [row["transmit_id"] for row in sandbox.accepted("transmit")] == [found["transmitId"]]


@pytest.mark.parametrize(("deduplicate", "copies"), [("off", 2), ("order_id", 1)])
def test_a_copy_sent_twice_shows(
    tmp_path: Path, clock: MovableClock, deduplicate: Literal["off", "order_id"], copies: int
) -> None:
    """Without deduplication a second copy is taken under a new id; with it the first id is answered again."""
    with Sandbox(tmp_path, clock, SandboxOptions(deduplicate=deduplicate)) as sandbox, api(sandbox) as client:
        ids = {client.post("transmit", json=charge(sandbox)).json()["transmitId"] for _ in range(2)}
        taken = len(sandbox.accepted("transmit"))

    assert (len(ids), taken) == (copies, copies)


def test_a_copy_starts_no_rescue(sandbox: Sandbox) -> None:
    """A transmitted charge is no order."""
    with api(sandbox) as client:
        client.post("transmit", json=charge(sandbox))

    assert sandbox.orders() == []
    assert sandbox.accepted("evaluate") == []


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("orderId", "OrderId"),
        ("isDeclined", "IsDeclined"),
        ("isMIT", "IsMIT"),
        ("isRecurring", "IsRecurring"),
        ("transaction", "Transaction"),
        ("payer", "Payer"),
        ("paymentMethod", "PaymentMethod"),
    ],
)
def test_a_required_field_is_named(sandbox: Sandbox, path: str, key: str) -> None:
    """A copy without a required field is refused with the field's name."""
    with api(sandbox) as client:
        answer = client.post("transmit", json=without(charge(sandbox), path))

    assert answer.status_code == 400
    assert set(answer.json()) == {"TraceId", key}


def test_a_card_number_is_refused_and_kept_nowhere(sandbox: Sandbox) -> None:
    """A copy carries six and four digits only (CONTRACT 5); a whole number is refused and not journaled."""
    record: dict[str, Any] = charge(sandbox)
    record["paymentMethod"]["cardNumber"] = "4111 1111 1111 1111"
    with api(sandbox) as client:
        answer = client.post("transmit", json=record)

    assert set(answer.json()) == {"TraceId", "PaymentMethod.CardNumber"}
    assert "1111 1111" not in (sandbox.folder / "journal.jsonl").read_text()


def test_curl_transmits(sandbox: Sandbox) -> None:
    """curl sends a copy and reads result "success"."""
    with api(sandbox) as client:
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", "transmit", authorization, charge(sandbox))

    assert (status, json.loads(text)["result"]) == (200, "success")
