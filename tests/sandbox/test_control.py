"""The controls under /_sandbox/: what a test in another process can see and do."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, batch_name, decline, deliver, evaluate_file, http, sftp


def control(sandbox: Sandbox, method: str, path: str, **given: object) -> httpx.Response:
    """One control call."""
    with http(sandbox) as client:
        return client.request(method, f"{sandbox.control_url}{path}", json=given or None)


def test_the_journal_is_the_same_from_outside(sandbox: Sandbox) -> None:
    """The journal over HTTP equals the one in Python, and can be read from a number on."""
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox))
    rows = sandbox.journal()
    found = control(sandbox, "GET", "journal").json()["journal"]
    rest = control(sandbox, "GET", f"journal?since={rows[0]['n']}").json()["journal"]

    assert found == rows
    assert rest == rows[1:]


def test_the_clock_can_be_moved_from_outside(sandbox: Sandbox) -> None:
    """An advance moves the one clock by so many seconds and tells the new time."""
    before = sandbox.clock.now()
    found = control(sandbox, "POST", "clock", advance_seconds=3600).json()

    assert sandbox.clock.now() - before == timedelta(hours=1)
    assert control(sandbox, "GET", "clock").json() == found


def test_faults_can_be_switched_from_outside(sandbox: Sandbox) -> None:
    """Faults are listed with their sentences, switched on, counted, and switched off."""
    listed = control(sandbox, "GET", "faults").json()["faults"]
    control(sandbox, "POST", "faults", name="unauthorized_once", times=5)
    with api(sandbox) as client:
        refused = client.get("orders").status_code
        control(sandbox, "DELETE", "faults/unauthorized_once")
        fine = client.get("orders").status_code
    after = {row["name"]: row for row in control(sandbox, "GET", "faults").json()["faults"]}

    assert {"drop_after_rename", "reset_connection", "refuse_row"} <= {row["name"] for row in listed}
    assert (refused, fine) == (401, 200)
    assert (after["unauthorized_once"]["fired"], after["unauthorized_once"]["left"]) == (1, 0)


def test_orders_can_be_seen_and_forgotten_from_outside(sandbox: Sandbox) -> None:
    """Orders are listed as in Python, and a reset empties everything."""
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox))
    orders = control(sandbox, "GET", "orders").json()["orders"]
    control(sandbox, "POST", "reset")

    assert [order["order_id"] for order in orders] == ["sub-88-2026-12"]
    assert (sandbox.orders(), sandbox.journal()) == ([], [])


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("GET", "nothing", {}, 404),
        ("POST", "journal", {}, 404),
        ("POST", "clock", {"advance_seconds": -1}, 400),
        ("POST", "clock", {"advance_seconds": "1"}, 400),
        ("POST", "faults", {"name": "unheard_of"}, 400),
        ("POST", "faults", {"name": "stall", "times": "many"}, 400),
        ("POST", "faults", {"name": "stall", "where": 1}, 400),
    ],
)
def test_a_wrong_control_call_says_so(sandbox: Sandbox, method: str, path: str, given: dict[str, object], status: int) -> None:
    """What cannot be understood is refused with a sentence."""
    answer = control(sandbox, method, path, **given)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_body_that_is_no_object_is_400(sandbox: Sandbox) -> None:
    """Broken JSON and lists are refused."""
    with http(sandbox) as client:
        found = [client.post(f"{sandbox.control_url}reset", content=body).status_code for body in (b"{", b"[]")]

    assert found == [400, 400]


def test_two_control_calls_equal_one_advance_in_python(tmp_path: Path, clock: MovableClock) -> None:
    """An advance from outside lets due things happen as one in Python does."""
    from jobs.sandbox import SandboxOptions

    with Sandbox(tmp_path, clock, SandboxOptions(pickup_delay_seconds=60)) as sandbox, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        control(sandbox, "POST", "clock", advance_seconds=59)
        before = len(sandbox.accepted("evaluate"))
        control(sandbox, "POST", "clock", advance_seconds=1)
        after = len(sandbox.accepted("evaluate"))

    assert (before, after) == (0, 1)
