"""The flows as a customer sees them, in headless Chromium: each ending, an impatient customer, a phone, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.certify.attestation import evidence_of
from jobs.sandbox import Sandbox
from jobs.sandbox.checkout import Checkout
from tests.checkout.buying import row_of
from tests.checkout.walking import CHALLENGE, DECLINED, SUCCESS, Walk
from tests.metrics.test_browser import CONTRAST, NAMELESS
from tests.sandbox.browser import ELEMENT, Browser, browsing


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless browser for this module."""
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def walk(browser: Browser, shop: Checkout) -> Walk:
    """A customer at a desk, with an empty console."""
    browser.complaints()
    customer = Walk(browser, shop)
    customer.screen()
    return customer


def evaluated(sandbox: Sandbox) -> list[object]:
    """The order ids of all evaluates that the provider took."""
    return [row["order_id"] for row in sandbox.accepted("evaluate")]


def test_standard_success(sandbox: Sandbox, walk: Walk, tmp_path: Path) -> None:
    """The order id on the page is the one that goes out, APPROVED leads to the success screen, and a picture shows it."""
    order_id = walk.pay()
    walk.reaches("success")

    assert (walk.order_id, evaluated(sandbox)) == (order_id, [order_id])
    assert "Thank you, your order is paid" in walk.words
    assert [word for word in ("APPROVED", "COMPLETED", "202 Insufficient funds") if word not in walk.words] == []
    assert row_of(walk.shop.orders_path, order_id)["status"] == "completed"
    assert walk.picture(tmp_path / "success.png").read_bytes().startswith(b"\x89PNG")
    assert walk.browser.complaints() == []


def test_standard_decline(sandbox: Sandbox, walk: Walk) -> None:
    """DECLINED leads to a page that says that nothing was charged, and on to another card for the same basket."""
    first = walk.pay(DECLINED)
    walk.reaches("declined")
    words = walk.words
    walk.browser.click(".verdict button")
    walk.reaches("form")
    second = walk.order_id
    walk.fill()
    walk.browser.click("#pay-button")
    walk.reaches("success")

    assert "Nothing has been charged" in words
    assert (evaluated(sandbox), first != second) == ([first, second], True)
    assert walk.browser.complaints() == []


@pytest.mark.parametrize(("flow", "number", "word"), [("standard", CHALLENGE, "CHALLENGE"), ("advanced", SUCCESS, "SUBMITTED")])
@pytest.mark.parametrize(
    ("code", "stage", "status"),
    [("999", "success", "completed"), ("1", "declined", "not_recovered"), ("", "declined", "not_recovered")],
)
def test_the_widget_leads_on(
    sandbox: Sandbox, walk: Walk, flow: str, number: str, word: str, code: str, stage: str, status: str
) -> None:
    """The widget opens on the shop's page; the answer in it leads to success or failure, and the row says the same."""
    order_id = walk.pay(number, flow)
    walk.reaches("widget")
    before = row_of(walk.shop.orders_path, order_id)
    walk.answer(code)
    walk.reaches(stage)

    assert (before["status"], before["provider_status"], before["retry_state"]) == ("pending", word, "in_flight")
    assert row_of(walk.shop.orders_path, order_id)["status"] == status
    assert (evaluated(sandbox), walk.browser.complaints()) == ([order_id], [])


def test_the_pictures_are_evidence(sandbox: Sandbox, walk: Walk, tmp_path: Path) -> None:
    """Pictures of widget and success screen are taken for evidence, and neither page shows a card number or a whole token."""
    order_id = walk.pay(flow="advanced")
    walk.reaches("widget")
    walk.into_widget()
    walk.out_of_widget()
    pictures, words = [walk.picture(tmp_path / "widget.png")], walk.words
    walk.answer()
    walk.reaches("success")
    pictures.append(walk.picture(tmp_path / "success.png"))
    token = row_of(walk.shop.orders_path, order_id)["payment_token"]

    assert [evidence_of(path).kind for path in pictures] == ["png", "png"]
    assert [secret for secret in (SUCCESS, token) if secret in words + walk.words] == []
    assert order_id in words


def test_a_good_charge_needs_nobody(sandbox: Sandbox, walk: Walk) -> None:
    """Where the shop's own gateway takes the card, the customer sees the success screen and the provider no evaluate."""
    order_id = walk.pay(approves=True)
    walk.reaches("success")

    assert (row_of(walk.shop.orders_path, order_id)["status"], evaluated(sandbox)) == ("paid", [])


def test_a_refused_token_is_told_kindly(sandbox: Sandbox, browser: Browser, shop: Checkout) -> None:
    """No bearer to be had: the customer learns that nothing was charged, and the row is left to mitbatch."""
    with Checkout(sandbox, shop.orders_path) as fresh:
        sandbox.faults.switch_on("token_refused", times=9)
        walk = Walk(browser, fresh)
        walk.pay()
        walk.reaches("later")

        assert ("Nothing has been charged" in walk.words, "declined, left to mitbatch" in walk.words) == (True, True)
    assert evaluated(sandbox) == []


def test_a_page_that_does_not_know_finds_out(sandbox: Sandbox, walk: Walk) -> None:
    """The answer is lost and the provider shows nothing at first: the page says not to pay again, and later goes on by itself."""
    sandbox.faults.switch_on("server_error_after", where="evaluate")
    sandbox.faults.switch_on("server_error_before", where="orders", times=3)
    order_id = walk.pay()
    walk.reaches("busy")
    words = walk.words
    walk.reaches("success")

    assert "do not pay again" in words
    assert evaluated(sandbox) == [order_id]


def test_a_double_click_pays_once(sandbox: Sandbox, walk: Walk) -> None:
    """A double click on the button, and two forms sent past the page's script: one evaluate, one charge each."""
    first = walk.choose()
    walk.fill()
    button = walk.browser.call("POST", "element", using="css selector", value="#pay-button")
    press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
    move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: button[ELEMENT]}}
    mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move, *press, *press]}
    walk.browser.call("POST", "actions", actions=[mouse])
    walk.reaches("success")
    second = walk.choose()
    walk.fill()
    walk.browser.run("for (let n = 0; n < 2; n++) HTMLFormElement.prototype.submit.call(document.getElementById('pay'))")
    walk.reaches("success")

    assert evaluated(sandbox) == [first, second]
    assert len([row for row in sandbox.journal() if row["event"] == "tokenized"]) == 2


def test_back_and_reload_repeat_nothing(sandbox: Sandbox, walk: Walk) -> None:
    """Going back to the form, or loading the page again, shows how the order stands and sends nothing."""
    order_id = walk.pay()
    walk.reaches("success")
    for way in ("refresh", "back", "forward", "refresh"):
        walk.browser.call("POST", way)
        walk.until("document.readyState === 'complete' && document.getElementById('order-id') !== null")
        walk.reaches("success")
    walk.pay(flow="advanced")
    walk.reaches("widget")
    walk.browser.call("POST", "refresh")
    walk.reaches("widget")
    walk.answer()
    walk.reaches("success")

    assert (evaluated(sandbox)[0], len(evaluated(sandbox))) == (order_id, 2)
    assert len([row for row in sandbox.journal() if row["event"] == "tokenized"]) == 2


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark"), (390, "light"), (1200, "dark")])
def test_every_page_can_be_read(sandbox: Sandbox, walk: Walk, width: int, scheme: str) -> None:
    """Nothing sticks out, all text stands out, everything has a name, the widget fits its frame, and the console stays empty."""
    walk.screen(width, scheme)

    def check(page: str) -> None:
        assert walk.browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), page
        assert walk.browser.run(CONTRAST) == [], page
        assert walk.browser.run(NAMELESS) == 0, page

    walk.browser.call("POST", "url", url=walk.shop.url)
    check("front")
    walk.choose()
    unnamed = "return [...document.querySelectorAll('input')].filter((field) => !field.labels.length).length"
    assert walk.browser.run(unnamed) == 0
    check("form")
    walk.fill("4242424242424242")
    walk.browser.click("#pay-button")
    walk.until("document.querySelector('[role=alert]') !== null")
    assert walk.browser.run("return document.getElementById('number').value + document.getElementById('cvv').value") == ""
    check("refused form")
    walk.browser.complaints()  # the browser tells of every answer that is an error, such as this 422
    for number, flow, stage in (
        (SUCCESS, "standard", "success"),
        (DECLINED, "standard", "declined"),
        (SUCCESS, "advanced", "widget"),
    ):
        walk.pay(number, flow)
        walk.reaches(stage)
        check(stage)
    walk.into_widget()
    assert walk.browser.run("return document.documentElement.scrollHeight <= window.innerHeight"), "the widget is cut off"
    check("widget's own")
    walk.out_of_widget()
    assert walk.browser.complaints() == []


def test_it_can_be_paid_by_keyboard(sandbox: Sandbox, walk: Walk) -> None:
    """The button beside a test card fills in the form and leads to Pay, where Enter pays; what has the focus can be seen."""
    walk.choose()
    walk.browser.run("document.querySelector('[data-number]').focus()")
    enter = [{"type": "keyDown", "value": "\ue007"}, {"type": "keyUp", "value": "\ue007"}]
    walk.browser.call("POST", "actions", actions=[{"type": "key", "id": "keys", "actions": enter}])
    walk.until("document.activeElement.id === 'pay-button'")
    assert walk.browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    walk.browser.call("POST", "actions", actions=[{"type": "key", "id": "keys", "actions": enter}])
    walk.reaches("success")

    assert evaluated(sandbox) == [walk.order_id]
