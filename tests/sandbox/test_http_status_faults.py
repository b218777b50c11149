"""Every fault that refuses a call by its HTTP status, as the client sees it, and what it leaves behind."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from jobs.sandbox import Sandbox
from jobs.sandbox.faults import CATALOGUE
from tests.sandbox.merchant import api, decline, http


@pytest.mark.parametrize(
    ("name", "status", "accepted"),
    [
        ("forbidden", 403, 0),
        ("bad_gateway", 502, 0),
        ("service_unavailable", 503, 0),
        ("gateway_timeout", 504, 0),
        ("gateway_timeout_after", 504, 1),
        ("conflict_before", 409, 0),
        ("conflict_after", 409, 1),
        ("order_invalid", 400, 0),
        ("redirect_elsewhere", 307, 0),
        ("too_many_requests", 429, 0),
    ],
)
def test_a_refusal_strikes_once(sandbox: Sandbox, name: str, status: int, accepted: int) -> None:
    """The next evaluate is answered with the status; whether it was taken is what the fault's sentence says."""
    with api(sandbox) as client:
        sandbox.faults.switch_on(name)
        first = client.post("evaluate", json=decline(sandbox, "first")).status_code
        taken = len(sandbox.accepted("evaluate"))
        second = client.post("evaluate", json=decline(sandbox, "second")).status_code

    assert (first, taken, second) == (status, accepted, 200)
    assert sandbox.faults.fired(name) == 1


@pytest.mark.parametrize(
    ("name", "after", "header"),
    [
        ("too_many_requests", None, None),
        ("too_many_requests_seconds", None, "2"),
        ("too_many_requests_seconds", 30, "30"),
        ("too_many_requests_absurd", None, "946080000"),
        ("too_many_requests_negative", None, "-120"),
    ],
)
def test_a_429_may_name_a_time_to_wait(sandbox: Sandbox, name: str, after: int | None, header: str | None) -> None:
    """Retry-After comes in seconds, absurd, negative, or not at all."""
    sandbox.faults.switch_on(name, after=after)
    with http(sandbox) as client:
        found = client.post("oauth2/token", json={})

    assert (found.status_code, found.headers.get("retry-after")) == (429, header)


def test_a_429_may_name_a_date(sandbox: Sandbox) -> None:
    """Retry-After comes as an HTTP date that many seconds ahead."""
    sandbox.faults.switch_on("too_many_requests_date", after=90)
    with http(sandbox) as client:
        found = client.post("oauth2/token", json={})
    ahead = parsedate_to_datetime(found.headers["retry-after"]) - datetime.now(UTC)

    assert found.headers["retry-after"].endswith(" GMT")
    assert timedelta(seconds=60) < ahead <= timedelta(seconds=91)


def test_silence_after(sandbox: Sandbox) -> None:
    """The order is accepted, and the client waits in vain."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("silence_after")
        with pytest.raises(httpx.ReadTimeout):
            client.post("evaluate", json=decline(sandbox), timeout=httpx.Timeout(20, read=1))
        alive = client.get("orders").status_code

    assert (alive, len(sandbox.accepted("evaluate"))) == (200, 1)


def test_silence_ends_by_itself(sandbox: Sandbox) -> None:
    """With a figure of seconds the answer comes late, not never."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("silence_after", after=0)
        assert client.post("evaluate", json=decline(sandbox)).status_code == 200


@pytest.mark.parametrize(("after", "host"), [(None, "elsewhere.invalid"), (8099, "localhost:8099")])
def test_a_redirect_leads_to_another_host(sandbox: Sandbox, after: int | None, host: str) -> None:
    """The Location is another host than the one that was asked."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("redirect_elsewhere", after=after)
        found = client.get("orders", follow_redirects=False)

    assert httpx.URL(found.headers["location"]).netloc.decode() == host


def test_one_order_is_invalid_and_the_others_go_on(sandbox: Sandbox) -> None:
    """The flat map of CONTRACT 13 names a field of the one order only."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("order_invalid", skip=1)
        found = [client.post("evaluate", json=decline(sandbox, f"o-{n}")) for n in range(3)]

    assert [answer.status_code for answer in found] == [200, 400, 200]
    assert set(found[1].json()) == {"TraceId", "Transaction.AvsResultCode"}


def test_every_fault_of_the_class_has_a_name() -> None:
    """Each entry of the catalogue's class H is named by a fault's sentence, but certificates: this server speaks no TLS."""
    sentences = " ".join(known.sentence for known in CATALOGUE.values() if known.point.startswith("api."))

    assert {n for n in range(1, 21) if f"H-{n:02}" not in sentences} == {18}


def test_conflicts_strike_changes_only(sandbox: Sandbox) -> None:
    """A read neither feels nor uses up a conflict."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("conflict_before")
        found = [client.get("orders").status_code, client.post("orders/x/external-cancel", json={}).status_code]

    assert found == [200, 409]
