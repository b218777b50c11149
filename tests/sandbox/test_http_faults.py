"""Every fault of the API once, as the client sees it."""

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, decline, http, login


def test_unauthorized_once(sandbox: Sandbox) -> None:
    """A good bearer is refused once, nothing is accepted, and the next call works."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("unauthorized_once")
        found = [client.post("evaluate", json=decline(sandbox)).status_code for _ in range(2)]

    assert found == [401, 200]
    assert len(sandbox.accepted("evaluate")) == 1


@pytest.mark.parametrize(("name", "accepted"), [("server_error_before", 0), ("server_error_after", 1)])
def test_server_errors(sandbox: Sandbox, name: str, accepted: int) -> None:
    """The two kinds of 500 look alike to the client; only one of them accepted the order."""
    with api(sandbox) as client:
        sandbox.faults.switch_on(name)
        found = client.post("evaluate", json=decline(sandbox))

    assert (found.status_code, found.json()["status"]) == (500, 500)
    assert len(sandbox.accepted("evaluate")) == accepted


def test_reset_connection(sandbox: Sandbox) -> None:
    """The order is accepted and the connection is reset without an answer."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("reset_connection")
        with pytest.raises(httpx.ReadError):
            client.post("evaluate", json=decline(sandbox))
        alive = client.get("orders").status_code

    assert alive == 200
    assert len(sandbox.accepted("evaluate")) == 1


def test_html_answer(sandbox: Sandbox) -> None:
    """200 with a page instead of JSON; the order is accepted."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("html_answer")
        found = client.post("evaluate", json=decline(sandbox))

    assert (found.status_code, found.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert len(sandbox.accepted("evaluate")) == 1


def test_empty_answer(sandbox: Sandbox) -> None:
    """200 without a body; the order is accepted."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("empty_answer")
        found = client.post("evaluate", json=decline(sandbox))

    assert (found.status_code, found.content) == (200, b"")
    assert len(sandbox.accepted("evaluate")) == 1


def test_faults_of_reads(sandbox: Sandbox) -> None:
    """A read can tell an unknown status, another order, or nothing, and then the truth again."""
    with api(sandbox) as client:
        key = client.post("evaluate", json=decline(sandbox)).json()["orderSessionKey"]
        sandbox.faults.switch_on("unknown_status", where="order")
        unknown = client.get(f"orders/{key}").json()
        sandbox.faults.switch_on("other_order_answer")
        other = client.get(f"orders/{key}").json()
        sandbox.faults.switch_on("not_found")
        missing = client.get(f"orders/{key}").status_code
        truth = client.get(f"orders/{key}").json()

    assert (unknown["status"], unknown["statusName"], unknown["id"]) == (42, "QUANTUM", key)
    assert other["id"] != key
    assert other["externalOrderId"] != "sub-88-2026-12"
    assert missing == 404
    assert (truth["id"], truth["statusName"]) == (key, "DRAFT")


def test_an_unknown_status_of_evaluate(sandbox: Sandbox) -> None:
    """The answer to an evaluate can bear an unknown status too."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("unknown_status")
        found = client.post("evaluate", json=decline(sandbox)).json()

    assert (found["status"], "orderSessionKey" in found) == ("QUANTUM", True)


def test_token_refused(sandbox: Sandbox) -> None:
    """Good credentials are refused once."""
    sandbox.faults.switch_on("token_refused")
    with http(sandbox) as client:
        body = {"AppKey": sandbox.app_key, "AppSecret": sandbox.app_secret}
        found = client.post("oauth2/token", json=body).status_code
        assert login(sandbox, client)

    assert found == 400


def test_a_fault_can_be_limited_to_a_route(sandbox: Sandbox) -> None:
    """`where` names the route; other routes neither feel nor use up the fault."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("server_error_before", where="orders")
        found = [client.post("evaluate", json=decline(sandbox)).status_code, client.get("orders").status_code]

    assert found == [200, 500]
