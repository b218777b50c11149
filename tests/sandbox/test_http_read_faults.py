"""Every fault of logins and of reads, as the client sees it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, decline, http, token_ending


def submit(client: httpx.Client, sandbox: Sandbox, order_id: str = "o-1") -> str:
    """Submit one order."""
    return str(client.post("evaluate", json=decline(sandbox, order_id, token_ending("a004"))).json()["orderSessionKey"])


@pytest.mark.parametrize(
    ("name", "after", "seconds"),
    [
        ("expires_zero", None, None),
        ("expires_negative", None, None),
        ("clock_behind", None, 600 - 3600),
        ("clock_behind", 60, 540),
        ("expires_far_away", None, 600 + 100 * 365 * 86_400),
    ],
)
def test_a_login_may_name_a_wrong_end(sandbox: Sandbox, name: str, after: int | None, seconds: int | None) -> None:
    """The bearer is good for ten minutes all the same."""
    sandbox.faults.switch_on(name, after=after)
    with http(sandbox) as client:
        found = client.post("oauth2/token", json={"AppKey": sandbox.app_key, "AppSecret": sandbox.app_secret}).json()
        alive = client.get("orders", headers={"Authorization": f"Bearer {found['accessToken']}"}).status_code
    expected = {"expires_zero": 0, "expires_negative": -600_000}
    now = int(sandbox.clock.now().timestamp())

    assert found["expires"] == (expected[name] if seconds is None else (now + seconds) * 1000)
    assert alive == 200


def listed(client: httpx.Client, page: int = 1) -> dict[str, Any]:
    """One page of three orders."""
    found: dict[str, Any] = client.get("orders", params={"pageSize": 3, "pageNumber": page, "sort": "asc"}).json()
    return {**found, "ids": [row["externalOrderId"] for row in found["orders"]]}


@pytest.mark.parametrize(
    ("name", "ids", "more"),
    [
        ("page_repeats", ["o-0", "o-1", "o-0"], True),
        ("page_skips", ["o-1", "o-2"], True),
        ("next_page_wrong", ["o-0", "o-1", "o-2"], False),
    ],
)
def test_a_page_may_be_wrong(sandbox: Sandbox, name: str, ids: list[str], more: bool) -> None:
    """A page repeats an order, leaves one out, or denies the next page; the next reading is right."""
    with api(sandbox) as client:
        for n in range(5):
            submit(client, sandbox, f"o-{n}")
        sandbox.faults.switch_on(name)
        wrong, right = listed(client), listed(client)

    assert (wrong["ids"], wrong["hasNextPage"]) == (ids, more)
    assert (right["ids"], right["hasNextPage"]) == (["o-0", "o-1", "o-2"], True)


def test_not_found_yet(sandbox: Sandbox) -> None:
    """An order is 404 in its first minute, on every read, and there afterwards, though the fault is still on."""
    with api(sandbox) as client:
        key = submit(client, sandbox)
        sandbox.faults.switch_on("not_found_yet", times=99)
        young = [client.get(f"orders/{key}").status_code for _ in range(2)]
        sandbox.advance(timedelta(seconds=60))
        old = client.get(f"orders/{key}").status_code

    assert (young, old) == ([404, 404], 200)


def test_outcome_not_found(sandbox: Sandbox) -> None:
    """The deprecated call says NOTFOUND about an order that exists."""
    with api(sandbox) as client:
        key = submit(client, sandbox)
        sandbox.faults.switch_on("outcome_not_found")
        found = [client.post("outcome", json={"orderSessionKey": key}).json() for _ in range(2)]

    assert [row["status"] for row in found] == ["NOTFOUND", "SUBMITTED"]
    assert set(found[0]) == set(found[1])
