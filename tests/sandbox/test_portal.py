"""The page at /_sandbox/: what it shows, its forms, who may press its buttons, and how it lives in a real browser."""

import html
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from jobs.sandbox.portal_view import money
from tests.sandbox.browser import Browser, browsing
from tests.sandbox.conftest import START
from tests.sandbox.merchant import api, batch_name, decline, deliver, evaluate_file, http, sftp, token_ending
from tests.sandbox.receiver import listening

HOSTILE = '<script>alert("x")</script>\u2028&amp;'


def page(sandbox: Sandbox, query: str = "") -> str:
    """The page as text."""
    with http(sandbox) as client:
        answer = client.get(f"{sandbox.control_url}{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


def press(sandbox: Sandbox, form: str, headers: dict[str, str] | None = None, **given: str) -> httpx.Response:
    """Send one of the page's forms."""
    with http(sandbox) as client:
        return client.post(f"{sandbox.control_url}page/{form}", data=given, headers=headers)


def send(sandbox: Sandbox, *order_ids: str, token: str = "") -> None:
    """Accept these orders over the API."""
    with api(sandbox) as client:
        for order_id in order_ids:
            assert client.post("evaluate", json=decline(sandbox, order_id, token)).status_code == 200


def test_it_says_what_it_is(sandbox: Sandbox) -> None:
    """An empty sandbox has a page that says that it is not the provider, what time it is, and that nothing has happened."""
    text = page(sandbox)

    assert "This is not FlexFactor" in text
    assert sandbox.clock.now().strftime("%H:%M:%S UTC") in text
    assert "No orders yet" in text
    assert "Nothing has happened yet" in text


def test_orders_and_files_are_on_it(sandbox: Sandbox) -> None:
    """Orders with status and amount, files of both folders, and the journal can be read without JavaScript."""
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox, "sub-88", token_ending("a001"))]))
        session.open("inbound/half.part", "w").close()
    sandbox.advance(timedelta(hours=1))
    text = page(sandbox)

    for words in (
        "sub-88",
        "Completed",
        "25.99 USD",
        batch_name(sandbox).replace(".json", "_response.json"),
        "half.part",
        "acknowledged",
    ):
        assert words in text


def test_whatever_comes_from_outside_is_text(sandbox: Sandbox) -> None:
    """An order id that is markup, and a search for it, are shown as text."""
    send(sandbox, HOSTILE)
    text = page(sandbox, f"?q={httpx.QueryParams({'q': HOSTILE})['q'][:8]}")

    assert html.escape(HOSTILE, quote=False).replace('"', "&#34;") in text
    assert text.count("<script") == 1


def test_nothing_on_it_comes_from_elsewhere(sandbox: Sandbox) -> None:
    """The policy allows the page's own style and script only, both are there, and no address leads out."""
    with http(sandbox) as client:
        answer = client.get(sandbox.control_url)
        parts = {name: client.get(f"{sandbox.control_url}static/{name}") for name in ("portal.css", "portal.js")}

    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert [part.status_code for part in parts.values()] == [200, 200]
    assert [part.headers["content-type"] for part in parts.values()] == [
        "text/css; charset=utf-8",
        "text/javascript; charset=utf-8",
    ]
    assert "//" not in answer.text.replace('placeholder="http://127.0.0.1:8000/webhooks"', "")
    assert "http" not in parts["portal.css"].text + parts["portal.js"].text


@pytest.mark.parametrize(
    "path", ["static/../portal.py", "static/%2e%2e/portal.py", "static/none.css", "static/", "..%2f..%2fserver.py"]
)
def test_no_other_file_is_served(sandbox: Sandbox, path: str) -> None:
    """Only the two files of the page are served, whatever path is asked for."""
    with http(sandbox) as client:
        request = client.build_request("GET", sandbox.control_url)
        request.url = request.url.copy_with(raw_path=f"/_sandbox/{path}".encode())
        assert client.send(request).status_code == 404


def test_the_clock_has_buttons(sandbox: Sandbox) -> None:
    """A press moves the one clock by an hour and leads back to the page; another step is refused with a sentence."""
    before = sandbox.clock.now()
    moved = press(sandbox, "clock", seconds="3600")
    refused = press(sandbox, "clock", seconds="-5")

    assert (moved.status_code, moved.headers["location"]) == (303, "/_sandbox/")
    assert sandbox.clock.now() - before == timedelta(hours=1)
    assert refused.status_code == 400
    assert "steps on the buttons" in refused.text


def test_faults_have_switches(sandbox: Sandbox) -> None:
    """A fault is switched on and off by its button, and the page says which are on."""
    press(sandbox, "faults", name="server_error_before", switch="on")
    on = page(sandbox)
    press(sandbox, "faults", name="server_error_before", switch="off")
    off = page(sandbox)
    unknown = press(sandbox, "faults", name="unheard_of", switch="on")

    assert "on, 1 left" in on
    assert "on, 1 left" not in off
    assert unknown.status_code == 400


def test_a_webhook_address_is_registered_by_its_form(sandbox: Sandbox) -> None:
    """The form registers an address, refuses one on another machine with a sentence, and an empty one forgets it."""
    with listening() as receiver:
        press(sandbox, "webhooks", url=receiver.url)
        send(sandbox, "sub-88", token=token_ending("a001"))
        sandbox.advance(timedelta(hours=1))
        assert sandbox.webhooks.settle()
        shown = page(sandbox)
        refused = press(sandbox, "webhooks", url="http://example.com/")
        kept = sandbox.webhooks.url
        press(sandbox, "webhooks", url="")

    assert "order.completed" in shown
    assert kept == receiver.url
    assert refused.status_code == 400
    assert "other machines" in refused.text
    assert sandbox.webhooks.url is None


def test_many_orders_come_in_pages(sandbox: Sandbox) -> None:
    """Fifty orders are on a page, newest first, and a search finds one of the others."""
    send(sandbox, *(f"order-{n:03d}" for n in range(60)))
    queries = ("", "?page=2", "?q=order-003", "?page=999999&q=")
    first, second, found, beyond = (page(sandbox, query).partition('id="files"')[0] for query in queries)

    assert ("order-059" in first, "order-009" in first) == (True, False)
    assert ("order-009" in second, "order-059" in second) == (True, False)
    assert ("order-003" in found, "No order matches" in found) == (True, False)
    assert "Page 2 of 2" in beyond


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "sandbox.attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Host": "[::1"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_other_page_may_press_the_buttons(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """A call that another site's page makes, or that came by another name, is refused and changes nothing."""
    before = sandbox.clock.now()
    with http(sandbox) as client:
        found = [
            client.post(f"{sandbox.control_url}page/clock", data={"seconds": "3600"}, headers=headers).status_code,
            client.post(f"{sandbox.control_url}clock", json={"advance_seconds": 60}, headers=headers).status_code,
        ]

    assert found == [403, 403]
    assert sandbox.clock.now() == before


def test_its_own_page_may(sandbox: Sandbox) -> None:
    """The Origin of the page itself is accepted."""
    origin = sandbox.control_url.removesuffix("/_sandbox/")

    assert press(sandbox, "clock", {"Origin": origin, "Sec-Fetch-Site": "same-origin"}, seconds="600").status_code == 303


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&" * 100_000, b"seconds=" + b"9" * 5000, b"%00=%00"])
def test_a_broken_form_is_refused(sandbox: Sandbox, body: bytes) -> None:
    """A form that cannot be read is refused, and the page lives on."""
    with http(sandbox) as client:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post(f"{sandbox.control_url}page/clock", content=body, headers=form).status_code == 400
    assert page(sandbox)


@pytest.mark.parametrize(
    ("minor", "text"),
    [(2599, "25.99 USD"), (5, "0.05 USD"), (123456789, "1,234,567.89 USD"), (-150, "-1.50 USD"), (0, "0.00 USD")],
)
def test_money_for_people(minor: int, text: str) -> None:
    """Minor units are shown with a point, thousands apart, and the currency."""
    assert money(minor, "USD") == text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless browser for this module."""
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def watched(sandbox: Sandbox, browser: Browser) -> Browser:
    """The browser on the page of the empty sandbox, its console read up to here."""
    browser.call("POST", "url", url=sandbox.control_url)
    browser.complaints()
    return browser


def test_a_night_can_be_watched(sandbox: Sandbox, watched: Browser) -> None:
    """In a real browser orders appear by themselves, the button moves the clock, and the console stays empty."""
    watched.run("window.stayed = true")
    send(sandbox, "sub-88", token=token_ending("a001"))
    watched.wait_for("document.querySelector('#orders td.id')?.textContent === 'sub-88'")
    before = sandbox.clock.now()
    watched.click("button[value='3600']")
    watched.wait_for("document.querySelector('#orders .tag.good') !== null && !document.querySelector('button:disabled')")

    assert sandbox.clock.now() - before == timedelta(hours=1)
    assert watched.run("return document.getElementById('now').textContent").endswith(sandbox.clock.now().strftime("%H:%M:%S UTC"))
    assert watched.run("return window.stayed") is True
    assert watched.complaints() == []


def test_a_fault_can_be_switched_in_a_browser(sandbox: Sandbox, watched: Browser) -> None:
    """A person opens a list of faults, switches one on and off again, and the open list stays open."""
    watched.click("#faults details:nth-of-type(3) summary")
    watched.click("#faults details:nth-of-type(3) button")
    watched.wait_for("document.querySelector('#faults-live button')")
    (name,) = [row["name"] for row in sandbox.faults.listing() if row["left"]]
    watched.click("#faults-live button")
    watched.wait_for("!document.querySelector('#faults-live button')")

    assert str(name) in watched.run("return document.querySelector('#faults details[open]').textContent")
    assert [row for row in sandbox.faults.listing() if row["left"]] == []
    assert watched.complaints() == []


def test_a_hostile_order_id_runs_nothing(sandbox: Sandbox, watched: Browser) -> None:
    """Markup in an order id, brought in by the page's own refresh, stays text."""
    send(sandbox, "<img src=x onerror='window.broken=1'>")
    watched.wait_for("document.querySelector('#orders td.id')?.textContent.startsWith('<img')")

    assert watched.run("return window.broken ?? null") is None
    assert watched.complaints() == []


def test_a_phone_needs_no_sideways_scrolling(sandbox: Sandbox, watched: Browser) -> None:
    """At 360 points of width nothing sticks out of the page, whatever is on it."""
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox, "x" * 60)]))
    watched.wait_for("document.querySelector('#files td')")
    watched.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    watched.call("POST", "goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params=metrics)
    found = watched.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    watched.call("POST", "goog/cdp/execute", cmd="Emulation.clearDeviceMetricsOverride", params={})

    assert found == [360, 360]


def test_the_page_says_when_the_sandbox_is_gone(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> None:
    """When the sandbox stops, the open page says that it does not answer any more."""
    with Sandbox(tmp_path_factory.mktemp("gone"), clock=MovableClock(START)) as sandbox:
        browser.call("POST", "url", url=sandbox.control_url)
    browser.wait_for("document.getElementById('said').textContent.includes('does not answer')")
    browser.complaints()
