"""The dashboard in a real browser: at a desk and on a phone, by keyboard, light and dark, with nothing from elsewhere."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.night.house import DAY, order
from tests.sandbox.browser import Browser, browsing
from tests.webhooks.serving import Reached

ODD = "e/<b>é"
PAGES = ("/", "/orders", f"/orders/{quote(ODD, safe='')}", "/review", "/files", f"/files/{DAY}", "/orders/none")

CONTRAST = """
const luminance = (color) => {
  const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (color !== 'rgba(0, 0, 0, 0)') return color;
  }
  return 'rgb(255, 255, 255)';
};
const poor = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.getClientRects().length) continue;
  const [light, dark] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => b - a);
  if ((light + 0.05) / (dark + 0.05) < 4.5) poor.push(element.outerHTML.slice(0, 100));
}
return poor;
"""
"""Text that stands out too little from its ground (WCAG 1.4.3: 4.5 to 1)."""

NAMELESS = """
return [...document.querySelectorAll('table')].filter((table) => !table.caption || !table.querySelector('th[scope]')).length
  + [...document.querySelectorAll('a')].filter((link) => !link.textContent.trim()).length
  + (document.documentElement.lang ? 0 : 1) + (document.querySelectorAll('h1').length === 1 ? 0 : 1)
  + (document.querySelectorAll('main').length === 1 ? 0 : 1);
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless browser for this module."""
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


def go(browser: Browser, reached: Reached, path: str) -> None:
    """Open a page."""
    browser.call("POST", "url", url=f"http://{reached.host}{path}")


def screen(browser: Browser, width: int, scheme: str = "light") -> None:
    """A screen of this width, of somebody who likes it light or dark."""
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": width < 500}
    browser.call("POST", "goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params=metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("POST", "goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": features})


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark"), (390, "light"), (1200, "dark")])
def test_every_page_can_be_read(reached: Reached, browser: Browser, width: int, scheme: str) -> None:
    """Nothing sticks out sideways, all text stands out, tables and links have names, and the console stays empty."""
    reached.house.add(order("x" * 180, payment_token="0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a006"))
    reached.house.run()
    screen(browser, width, scheme)
    browser.complaints()
    for path in (*PAGES, f"/orders/{'x' * 180}"):
        go(browser, reached, path)
        assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), path
        assert browser.run(CONTRAST) == [], path
        assert browser.run(NAMELESS) == 0, path
        assert [said for said in browser.complaints() if "404" not in said] == [], path


def test_it_can_be_used_by_keyboard(reached: Reached, browser: Browser) -> None:
    """The first stop leads past the menu, every stop can be seen, and an order is reached without a mouse."""
    screen(browser, 1200)
    go(browser, reached, "/orders?state=pending")
    stops = browser.run("return [...document.querySelectorAll('a')].every((link) => link.tabIndex === 0)")
    keys = [{"type": "keyDown", "value": "\ue004"}, {"type": "keyUp", "value": "\ue004"}]
    browser.call("POST", "actions", actions=[{"type": "key", "id": "keys", "actions": keys}])
    first = browser.run("return [document.activeElement.className, getComputedStyle(document.activeElement).outlineStyle]")
    browser.run("document.querySelector('td.id a').focus()")
    enter = [{"type": "keyDown", "value": "\ue007"}, {"type": "keyUp", "value": "\ue007"}]
    browser.call("POST", "actions", actions=[{"type": "key", "id": "keys", "actions": enter}])
    browser.wait_for("document.querySelector('.story') !== null")

    assert stops
    assert first == ["skip", "solid"]


def test_a_hostile_order_id_is_text(reached: Reached, browser: Browser) -> None:
    """Markup in an order id is shown as it stands and runs nothing, on the list and on its own page."""
    hostile = "<img src=x onerror='window.broken=1'>"
    reached.house.add(order(hostile, payment_token="0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a006"))
    reached.house.run()
    screen(browser, 1200)
    browser.complaints()
    for path in ("/orders?state=pending", f"/orders/{quote(hostile, safe='')}"):
        go(browser, reached, path)
        assert browser.run("return document.body.textContent").count(hostile) >= 1
        assert browser.run("return window.broken ?? null") is None
    assert browser.complaints() == []


def test_the_overview_stays_up_to_date(reached: Reached, browser: Browser) -> None:
    """An open page takes in what has changed when somebody comes back to it, without being loaded anew."""
    screen(browser, 1200)
    go(browser, reached, "/")
    browser.run("window.stayed = true")
    reached.house.pass_time(hours=1)
    reached.house.run("poll")
    browser.run("document.dispatchEvent(new Event('visibilitychange'))")
    browser.wait_for("document.getElementById('now').textContent === '2026-11-23 09:30:00 UTC'")

    assert browser.run("return window.stayed") is True
    assert browser.complaints() == []


def test_the_page_says_when_the_server_is_gone(reached: Reached, browser: Browser) -> None:
    """When nobody answers any more, the time of the figures is marked as old."""
    screen(browser, 1200)
    go(browser, reached, "/")
    browser.run("window.fetch = () => Promise.reject(new Error('gone'))")
    browser.run("document.dispatchEvent(new Event('visibilitychange'))")
    browser.wait_for("document.body.classList.contains('stale')")
    browser.complaints()
