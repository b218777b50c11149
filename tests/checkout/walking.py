"""A customer in the shop: walks a flow in headless Chromium, as a person would, and takes pictures on the way."""

import base64
import time
from dataclasses import dataclass
from pathlib import Path

from jobs.sandbox.checkout import Checkout
from jobs.sandbox.checkout.cards import CHALLENGE_PHONE, TEST_CARDS
from tests.sandbox.browser import ELEMENT, Browser

SUCCESS, CHALLENGE, DECLINED = TEST_CARDS


@dataclass
class Walk:
    """One customer's window on one shop. `screen` decides how wide it is, and whether its owner likes it dark."""

    browser: Browser
    shop: Checkout

    def screen(self, width: int = 1200, scheme: str = "light") -> None:
        """A desk or a phone, light or dark."""
        metrics = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": width < 500}
        self.browser.call("POST", "goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params=metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.call("POST", "goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": features})

    def choose(self, flow: str = "standard") -> str:
        """Put the tent into the basket and go to the checkout of this flow; the order's id."""
        self.browser.call("POST", "url", url=self.shop.url)
        self.browser.click(f"button[value='{flow}']")
        self.until("document.getElementById('pay') !== null")
        return self.order_id

    def fill(self, number: str = SUCCESS, *, phone: str = "", approves: bool = False) -> None:
        """Fill in the form; the phone of the challenge goes with its card."""
        phone = phone or (CHALLENGE_PHONE if number == CHALLENGE else "")
        given = {"number": number, "month": "12", "year": "2031", "cvv": "123", "phone": phone}
        for name, value in given.items():
            self.browser.run("document.getElementById(arguments[0]).value = arguments[1]", name, value)
        if approves:
            self.browser.click("input[value='approve']")

    def pay(self, number: str = SUCCESS, flow: str = "standard", *, approves: bool = False) -> str:
        """The whole way up to the press of the button; the order's id."""
        order_id = self.choose(flow)
        self.fill(number, approves=approves)
        self.browser.click("#pay-button")
        return order_id

    def reaches(self, stage: str) -> None:
        """Wait until the page shows this stage of the order."""
        self.until(f"document.querySelector('[data-stage={stage}]') !== null && document.readyState === 'complete'")

    def until(self, condition: str) -> None:
        """Wait until this holds, asking anew each time: a script that waits inside a page dies when the page goes on."""
        ends = time.monotonic() + 30
        while self.browser.run(f"return Boolean({condition})") is not True:
            assert time.monotonic() < ends, f"never true: {condition}; the page says: {self.words}"
            time.sleep(0.02)

    def answer(self, code: str = "999") -> None:
        """Answer in the widget's frame; an empty code presses the button that says that it cannot be confirmed."""
        self.into_widget()
        if code:
            self.browser.run("document.getElementById('code').value = arguments[0]", code)
        self.browser.click(".second" if not code else "button:not(.second)")
        self.out_of_widget()

    def into_widget(self) -> None:
        """Look into the widget's frame, once it asks."""
        frame = self.browser.call("POST", "element", using="css selector", value="iframe")
        self.browser.call("POST", "frame", id={ELEMENT: frame[ELEMENT]})
        self.until("document.getElementById('code') !== null")

    def out_of_widget(self) -> None:
        """Look at the shop's page again."""
        self.browser.call("POST", "frame", id=None)

    @property
    def order_id(self) -> str:
        """The order id that the page shows."""
        return str(self.browser.run("return document.getElementById('order-id').textContent"))

    @property
    def words(self) -> str:
        """All that the page says."""
        return str(self.browser.run("return document.body.innerText"))

    def picture(self, path: Path) -> Path:
        """The whole page as a PNG: what `mitbatch certify attest` takes as evidence."""
        given = {"format": "png", "captureBeyondViewport": True}
        taken = self.browser.call("POST", "goog/cdp/execute", cmd="Page.captureScreenshot", params=given)
        path.write_bytes(base64.b64decode(taken["data"]))
        return path
