"""`mitbatch demo`: two nights and three weeks against the pretend provider, through the same code as production.

Only the settings file differs, and it stays in the demo's folder. One clock, which the demo can move, is handed to both
sides.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.clock import ShiftedClock
from jobs.demo_closing import checks_of, print_closing
from jobs.night import run_with, show
from jobs.output import Options, say
from jobs.running import RunReport
from jobs.sample_orders import SAMPLE_AGE, fill_orders, sample_files
from jobs.settings_file import load_settings
from schemas.errors import ExitCode, UsageRefused
from schemas.settings import Settings

if TYPE_CHECKING:
    from jobs.sandbox import Sandbox

MARK = "made-by-mitbatch-demo"
CLOSED_SITE = """

[[sites]]
name = "acme-closed"
site_id = "5d0c1d5e-0000-4000-8000-00000000c105"
enabled = false
"""
ALL_SWITCHES = "mit = true\ncit_website = true\ncit_call_center = true"


class Demo:
    """One demo: its folder, its provider, its clock, and the reports of its runs."""

    def __init__(self, options: Options, folder: Path, clock: ShiftedClock, sandbox: "Sandbox") -> None:
        self.options, self.folder, self.clock, self.sandbox = options, folder, clock, sandbox
        self.reports: list[RunReport] = []
        self.settings = self._settings()

    def _settings(self) -> Settings:
        path = self.folder / "mitbatch.toml"
        text = self.sandbox.settings_toml("var", "sqlite:///orders.db").replace("mit = true", ALL_SWITCHES)
        path.write_text(text + CLOSED_SITE, encoding="utf-8")
        orders = self.folder / "orders.db"
        os.close(os.open(orders, os.O_CREAT | os.O_WRONLY, 0o600))
        count = fill_orders(f"sqlite:///{orders}", sample_files(), reference_is_now=self.clock.now() - SAMPLE_AGE)
        say(self.options, [f"A pretend provider runs on this machine; {count} sample orders are in {orders}.", ""])
        return load_settings(path)

    def run(self, title: str, job: str) -> RunReport:
        """Run one job as cron would, and print its title, summary and exit code."""
        say(self.options, [f"== {title}"])
        report, copies = run_with(self.settings, self.options, job, "", clock=self.clock)
        show(self.options, report, self.settings, copies)
        say(self.options, [""])
        self.reports.append(report)
        return report

    def pass_time(self, step: timedelta, words: str) -> None:
        """Let the provider's time, and ours, leap."""
        say(self.options, [f"-- {words} --", ""])
        self.sandbox.advance(step)


def run_demo(options: Options, folder: Path) -> int:
    """Run the demo in this folder and return its exit code: 0 when everything is as designed."""
    from jobs.sandbox import Sandbox

    began = time.monotonic()
    folder = _fresh(folder)
    clock = ShiftedClock()
    with quiet_libraries(), Sandbox(folder / "provider", clock=clock) as sandbox:
        demo = Demo(options, folder, clock, sandbox)
        demo.run("The first night", "nightly")
        demo.run("Copies of the good charges", "transmit")
        demo.pass_time(timedelta(hours=2), "two hours pass at the provider")
        demo.run("A poll", "poll")
        second = demo.run("The night once more: nothing is sent twice", "nightly")
        demo.pass_time(timedelta(days=9), "nine days pass")
        demo.run("A poll, nine days later", "poll")
        demo.pass_time(timedelta(days=14), "two more weeks pass, and the last expiry")
        demo.run("The last poll", "poll")
        checks = checks_of(demo, second)
    print_closing(demo, checks, time.monotonic() - began)
    return int(ExitCode.CLEAN if all(checks.values()) else ExitCode.INTERNAL)


def _fresh(folder: Path) -> Path:
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise UsageRefused(f"{folder} is a file.", next_step="Name a folder with --folder.")
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise UsageRefused(f"{folder} exists and was not made by a demo.", next_step="Name another one with --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    (folder / MARK).touch()
    return folder


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let the libraries of a provider in this very program write no log of their own."""
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
