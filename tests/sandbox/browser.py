"""A headless Chromium for the tests, spoken to by plain WebDriver calls."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element (W3C WebDriver 12)."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Browser:
    """One browser window."""

    client: httpx.Client
    session: str

    def call(self, method: str, path: str, **given: object) -> Any:  # noqa: ANN401 - whatever the driver answers
        """One WebDriver command; its value."""
        answer = self.client.request(method, f"/session/{self.session}/{path}", json=given if method == "POST" else None)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401
        """Run a script in the page and return what it returns."""
        return self.call("POST", "execute/sync", script=script, args=list(arguments))

    def wait_for(self, condition: str) -> None:
        """Wait up to ten seconds until a JavaScript condition holds in the page."""
        script = f"""
            const done = arguments[arguments.length - 1], began = Date.now();
            const look = () => (({condition}) ? done(true) : Date.now() - began > 10000 ? done(false) : setTimeout(look, 20));
            look();
        """
        assert self.call("POST", "execute/async", script=script, args=[]), f"never true: {condition}"

    def click(self, selector: str) -> None:
        """Click the first element that matches, as a person would."""
        found = self.call("POST", "element", using="css selector", value=selector)
        self.call("POST", f"element/{found[ELEMENT]}/click")

    def complaints(self) -> list[str]:
        """What the console holds."""
        return [row["message"] for row in self.call("POST", "se/log", type="browser")]


def programs() -> tuple[str, str]:
    """Where chromium and its driver are. Without them: a failure under CI, else a skip."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        reason = "chromium and chromium-driver are not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return browser, driver


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile, closed at the end."""
    program, driver = programs()
    options = {"binary": program, "args": [*FLAGS, f"--user-data-dir={profile}", "--window-size=1200,900"]}
    wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    with subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            assert running.stdout is not None
            lines = (re.search(r"started successfully on port ([0-9]+)", line) for line in running.stdout)
            port = next(found.group(1) for found in lines if found)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
                made = client.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
                assert made.status_code == 200, made.text
                session = made.json()["value"]["sessionId"]
                yield Browser(client, session)
                client.delete(f"/session/{session}")
        finally:
            running.terminate()
