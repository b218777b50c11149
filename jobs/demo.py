"""`mitbatch demo`: two nights and three weeks against the pretend provider, through the same code as production.

Only the settings file differs, and it stays in the demo's folder. One clock, which the demo can move, is handed to both
sides.
"""

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from batch.ledger.reading import count_by_state
from batch.source import OrderSource
from jobs.assembly import open_books
from jobs.clock import ShiftedClock
from jobs.night import run_with, show
from jobs.output import Options, answer, say
from jobs.running import RunReport
from jobs.sample_orders import fill_orders, sample_files
from jobs.settings_file import load_settings
from schemas.errors import ExitCode, UsageRefused
from schemas.money import people_text
from schemas.reasons import REASON_TEXTS, Reason
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
SAMPLE_AGE = timedelta(hours=3, minutes=30)


class Demo:
    """One demo: its folder, its provider, its clock, and the reports of its runs."""

    def __init__(self, options: Options, folder: Path, clock: ShiftedClock, sandbox: "Sandbox") -> None:
        self.options, self.folder, self.clock, self.sandbox = options, folder, clock, sandbox
        self.reports: list[RunReport] = []
        self.settings = self._settings()

    def _settings(self) -> Settings:
        path = self.folder / "mitbatch.toml"
        path.write_text(self.sandbox.settings_toml("var", "sqlite:///orders.db") + CLOSED_SITE, encoding="utf-8")
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
    with _quiet_libraries(), Sandbox(folder / "provider", clock=clock) as sandbox:
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
        checks = _checks(demo, second)
    _closing(demo, checks, time.monotonic() - began)
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
def _quiet_libraries() -> Iterator[None]:
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _checks(demo: Demo, second: RunReport) -> dict[str, bool]:
    accepted = Counter(str(each["order_id"]) for each in demo.sandbox.accepted("evaluate"))
    copies = Counter(str(each["order_id"]) for each in demo.sandbox.accepted("transmit"))
    with open_books(demo.settings, clock=demo.clock) as (ledger, source, _), ledger.reading() as connection:
        states = count_by_state(connection, ledger.mid)
        completed = sum(orders for orders, _ in states.get("completed", {}).values())
        shown = _completed_rows(source, list(accepted))
    told = sum(order["status"] == "Completed" or order.get("code") == 7 for order in demo.sandbox.orders())
    return {
        f"the provider has each of {len(accepted)} orders exactly once": bool(accepted) and set(accepted.values()) == {1},
        f"the provider has each of {len(copies)} copies exactly once": bool(copies) and set(copies.values()) == {1},
        "the second night sent nothing": not second.findings.delivered,
        f"{completed} orders are completed in the ledger, in the order system and at the provider": completed == shown == told,
        "the books balance": all(report.audit is not None and report.audit.balanced for report in demo.reports),
    }


def _completed_rows(source: OrderSource, order_ids: list[str]) -> int:
    return sum(row["status"] == "completed" for row in source.written(order_ids).values())


def _closing(demo: Demo, checks: dict[str, bool], seconds: float) -> None:
    first, audit = demo.reports[0], demo.settings.data_dir / "audit"
    with open_books(demo.settings, clock=demo.clock) as (ledger, source, _), ledger.reading() as connection:
        states, free = count_by_state(connection, ledger.mid), source.count_retryable()
    rows = [("sent: " + state, sum(n for n, _ in totals.values()), _money(totals)) for state, totals in states.items()]
    for reason, totals in sorted(first.figures.not_sent.items()):
        amounts = {currency: (total.orders, total.amount_minor) for currency, total in totals.items()}
        rows.append((f"not sent: {reason}", sum(t.orders for t in totals.values()), _money(amounts)))
    rows.append(("your own retry may take now", sum(n for n, _ in free.values()), _money(free)))
    say(demo.options, ["== Where everything stands"])
    say(demo.options, _table(rows))
    say(demo.options, ["", *(f"{'ok  ' if good else 'FAIL'}  {words}" for words, good in checks.items()), ""])
    codes = ", ".join(f"{report.job} {int(report.code)}" for report in demo.reports)
    places = {
        "exit codes": f"{codes} (10: an item needs a person, here card numbers and refused rows on purpose)",
        "settings": demo.folder / "mitbatch.toml",
        "finance's CSV": audit,
        "sent rows": demo.settings.data_dir / "export",
        "the provider": demo.folder / "provider" / "journal.jsonl",
        "try": f"mitbatch --config {demo.folder / 'mitbatch.toml'} explain 000471",
    }
    say(demo.options, [*(f"{name:<16}{place}" for name, place in places.items()), f"took            {seconds:.0f} s"])
    answer(
        demo.options,
        {
            "schema": "mitbatch.demo/1",
            "type": "result",
            "command": "demo",
            "checks": checks,
            "folder": str(demo.folder),
            "runs": [{"job": report.job, "exit_code": int(report.code)} for report in demo.reports],
        },
    )


def _money(totals: dict[str, tuple[int, int]]) -> str:
    return "   ".join(people_text(minor, currency) for currency, (_, minor) in sorted(totals.items()) if currency)


def _table(rows: list[tuple[str, int, str]]) -> list[str]:
    explained = {f"not sent: {reason.value}": REASON_TEXTS[reason] for reason in Reason}
    width = max(len(name) for name, _, _ in rows)
    amounts = max(len(money) for _, _, money in rows)
    return [
        f"{name:<{width}}  {count:>5,}  {money:>{amounts}}   {explained.get(name, '')}".rstrip() for name, count, money in rows
    ]
