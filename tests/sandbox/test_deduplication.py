"""CONTRACT 7.6: what becomes of a second submission, by profile."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import api, batch_name, decline, deliver, evaluate_file, sftp, token_ending

Profile = Literal["off", "order_id", "key_24h", "file_name"]


def again(sandbox: Sandbox, record: dict[str, Any], **changed: object) -> tuple[int, str | None]:
    """Send a record, changed or not: HTTP status and order session key."""
    with api(sandbox) as client:
        answer = client.post("evaluate", json={**record, **changed})
    return answer.status_code, answer.json().get("orderSessionKey")


@pytest.mark.parametrize(
    ("profile", "same", "new_key", "other_payload", "orders"),
    [
        ("off", "new", "new", "new", 4),
        ("file_name", "new", "new", "new", 4),
        ("order_id", "first", "first", "first", 1),
        ("key_24h", "first", "new", "conflict", 2),
    ],
)
def test_profiles(
    tmp_path: Path, clock: MovableClock, profile: Profile, same: str, new_key: str, other_payload: str, orders: int
) -> None:
    """The same record, the same order under a new key, and another payload under the same key, in each profile."""
    with Sandbox(tmp_path, clock, SandboxOptions(deduplicate=profile)) as sandbox:
        record = decline(sandbox)
        first = again(sandbox, record)
        found = [
            again(sandbox, record),
            again(sandbox, record, idempotencyKey=str(uuid.uuid4())),
            again(sandbox, record, orderSource="installment"),
        ]
        words = ["conflict" if status == 409 else "first" if (status, key) == first else "new" for status, key in found]
        taken = len(sandbox.accepted("evaluate"))

    assert words == [same, new_key, other_payload]
    assert taken == orders


def test_a_key_is_forgotten_after_24_hours(tmp_path: Path, clock: MovableClock) -> None:
    """A replay works for 24 hours less a second; then the same key is a new submission."""
    with Sandbox(tmp_path, clock, SandboxOptions(deduplicate="key_24h")) as sandbox:
        record = decline(sandbox)
        _, first = again(sandbox, record)
        sandbox.advance(timedelta(hours=24) - timedelta(seconds=1))
        _, second = again(sandbox, record)
        sandbox.advance(timedelta(seconds=1))
        _, third = again(sandbox, record)

    assert first == second != third


def test_a_reset_forgets_the_keys(tmp_path: Path, clock: MovableClock) -> None:
    """After a reset the keys of evaluate and of cancel are new again, whatever they were used for."""
    key = str(uuid.uuid4())
    with Sandbox(tmp_path, clock, SandboxOptions(deduplicate="key_24h")) as sandbox, api(sandbox) as client:
        found = []
        for source in ("ecommerce", "installment"):
            record = {**decline(sandbox), "orderSource": source}
            session_key = client.post("evaluate", json=record).json()["orderSessionKey"]
            cancelled = client.post(f"orders/{session_key}/cancel", json={"idempotencyKey": key, "reason": source})
            found.append((session_key, cancelled.status_code))
            sandbox.reset()

    assert [status for _, status in found] == [200, 200]


def test_a_replay_tells_the_first_answer(tmp_path: Path, clock: MovableClock) -> None:
    """Under key_24h the first answer is replayed though the order is over; under order_id the state is told."""
    found = []
    for profile in ("key_24h", "order_id"):
        options = SandboxOptions(deduplicate=profile)
        with Sandbox(tmp_path / profile, clock, options) as sandbox:
            record = decline(sandbox, "o", token_ending("a001"))
            again(sandbox, record)
            sandbox.advance(timedelta(hours=2))
            with api(sandbox) as client:
                found.append(client.post("evaluate", json=record).json()["status"])

    assert found == ["SUBMITTED", "APPROVED"]


def test_a_conflict_in_a_file_is_a_refused_row(tmp_path: Path, clock: MovableClock) -> None:
    """A row whose key was used for another payload is refused, and the journal says why."""
    with Sandbox(tmp_path, clock, SandboxOptions(deduplicate="key_24h")) as sandbox, sftp(sandbox) as session:
        record = decline(sandbox)
        again(sandbox, record)
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [{**record, "orderSource": "other"}]))
        refused = [row for row in sandbox.journal() if row["event"] == "row_refused"]

    assert [row["errors"] for row in refused] == [
        {"IdempotencyKey": ["The key was used for another payload in the last 24 hours."]}
    ]


def test_a_misspelt_profile_is_refused() -> None:
    """A profile that is not known is an error at once."""
    with pytest.raises(ValueError, match="key_24h"):
        SandboxOptions(deduplicate="key")  # type: ignore[arg-type]
