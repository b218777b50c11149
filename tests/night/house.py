"""A merchant's house for the tests: its orders, its settings, its ledger, and the provider next door."""

import csv
import functools
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batch.audit_csv import unguard
from jobs.clock import MovableClock, ShiftedClock
from jobs.databases import open_ledger
from jobs.night import run_with
from jobs.output import Options
from jobs.running import RunReport
from jobs.sample_orders import orders as orders_table
from jobs.sandbox import Sandbox
from jobs.settings_file import load_settings
from jobs.surroundings import of_this_machine
from schemas.settings import Settings

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""Half past one in the night of 23 November in New York."""

DAY = "2026-11-23"

COMPLETED, CANCELLED, EXPIRED, UNANSWERED, REFUSED, ONHOLD, OTHER_AMOUNT = (
    f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7{ending}" for ending in ("a001", "a002", "a003", "a004", "a005", "a006", "a008")
)
"""Payment tokens whose ending decides what the sandbox does."""

AnyClock = MovableClock | ShiftedClock

VOLATILE = ("run", "lease", "figure")
"""Ledger tables that every run writes, even one that changes nothing."""


def order(order_id: str = "000471", **changed: object) -> dict[str, object]:
    """A declined recurring charge that may be handed over, with these columns changed."""
    return {
        "order_id": order_id,
        "site": "acme-us",
        "origin": "recurring",
        "customer_id": "c-1",
        "email": "ada@example.com",
        "phone": "+1 202-555-0101",
        "first_name": "Ada",
        "last_name": "Marsh",
        "address_line1": "5 Orchard Way",
        "address_line2": None,
        "city": "Burlington",
        "state": "MA",
        "zipcode": "01803",
        "country": "US",
        "subscription_id": "sub-1",
        "subscription_interval": "monthly",
        "payment_number": "3",
        "amount_minor": 1999,
        "currency": "USD",
        "charged_at": "2026-11-23T03:00:00Z",
        "response_code": "202",
        "response_code_source": "nmi",
        "response_description": "Insufficient funds",
        "avs_result_code": "Y",
        "cvv_result_code": "M",
        "cavv_result_code": None,
        "processor_name": "Processor One",
        "network_response_code": "51",
        "network_advice_code": None,
        "attempts_30d": 1,
        "payment_token": COMPLETED,
        "holder_name": "Ada Marsh",
        "card_brand": "VISA",
        "card_bin": "424242",
        "card_last4": "4242",
        "card_country": "US",
        "exp_month": 6,
        "exp_year": 2029,
        "status": "declined",
        "hold_reference": None,
        "retry_state": None,
    } | changed


def paid(order_id: str = "paid-1", **changed: object) -> dict[str, object]:
    """A good charge of three and a half hours ago, with these columns changed."""
    return order(order_id, status="paid", response_code="100", response_description="Approved") | changed


@functools.cache
def empty_ledger() -> bytes:
    """A ledger as it is made at first use; made once, because its migrations take as long as a night."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        open_ledger(f"sqlite:///{path}").dispose()
        return path.read_bytes()


class House:
    """One merchant and its provider on one clock, which stands still until it is moved."""

    def __init__(self, folder: Path, sandbox: Sandbox, clock: AnyClock, columns: Mapping[str, str] | None = None) -> None:
        self.folder, self.sandbox, self.clock = folder, sandbox, clock
        self.columns = dict(columns or {})
        self.orders_path = folder / "orders.db"
        self.ledger_path = folder / "var" / "ledger.db"
        self.config = folder / "mitbatch.toml"
        text = sandbox.settings_toml("var", "sqlite:///orders.db")
        if self.columns:
            text += "\n[orders.columns]\n" + "".join(f"{ours} = {json.dumps(theirs)}\n" for ours, theirs in self.columns.items())
        self.config.write_text(text, encoding="utf-8")
        self.settings: Settings = load_settings(self.config)
        self.set(outcomes={"acknowledgement_wait_seconds": 4})
        names = [f'"{self._name(column.name)}" {column.type}' for column in orders_table.columns]
        self.sql(f'CREATE TABLE orders ({", ".join(names)}, PRIMARY KEY ("{self._name("order_id")}"))')

    def set(self, **sections: Mapping[str, object]) -> None:
        """Change settings, section by section: `set(gate={"network_rules": False})`."""
        changed = {name: getattr(self.settings, name).model_copy(update=dict(keys)) for name, keys in sections.items()}
        self.settings = self.settings.model_copy(update=changed)

    def set_site(self, name: str, **keys: object) -> None:
        """Change one site's settings."""
        sites = tuple(site.model_copy(update=keys) if site.name == name else site for site in self.settings.sites)
        self.settings = self.settings.model_copy(update={"sites": sites})

    def _name(self, ours: str) -> str:
        return self.columns.get(ours, ours)

    def sql(self, statement: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Run one statement in the order system."""
        with closing(sqlite3.connect(self.orders_path)) as connection, connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def add(self, *rows: Mapping[str, object]) -> None:
        """Put rows into the orders table."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = ", ".join(f'"{self._name(name)}"' for name in names)
        with closing(sqlite3.connect(self.orders_path)) as connection, connection:
            marks = ", ".join("?" for _ in names)
            connection.executemany(
                f"INSERT INTO orders ({columns}) VALUES ({marks})", [[row.get(name) for name in names] for row in rows]
            )

    def change(self, order_id: str, **columns: object) -> None:
        """What the merchant does to a row of its own."""
        settings = ", ".join(f'"{self._name(name)}" = ?' for name in columns)
        self.sql(f'UPDATE orders SET {settings} WHERE "{self._name("order_id")}" = ?', [*columns.values(), order_id])

    def row(self, order_id: str = "000471") -> dict[str, Any]:
        """One row of the orders table, by our column names."""
        (found,) = self.sql(f'SELECT * FROM orders WHERE "{self._name("order_id")}" = ?', [order_id])
        ours = {theirs: name for name, theirs in self.columns.items()}
        return {ours.get(name, name): value for name, value in found.items()}

    def retry_takes(self, order_id: str = "000471") -> bool:
        """The merchant's own retry job tries to take an order, by its one statement; whether it got it."""
        with closing(sqlite3.connect(self.orders_path)) as connection, connection:
            return (
                connection.execute(
                    "UPDATE orders SET retry_state='in_flight' WHERE order_id=? AND status IN ('declined','not_recovered') "
                    "AND hold_reference IS NULL AND retry_state IS NULL",
                    [order_id],
                ).rowcount
                == 1
            )

    def run(self, job: str = "nightly", day: str = "", **more: Any) -> RunReport:  # noqa: ANN401 - what run_with takes
        """Run one job in this process, on the house's clock; the report is drawn only by commands in processes of their own."""
        self._have_ledger()
        more.setdefault("surroundings", replace(of_this_machine(self.clock), page=None))
        options = Options(config=self.config, quiet=True)
        report, _ = run_with(self.settings, options, job, day, clock=self.clock, **more)
        return report

    def _have_ledger(self) -> None:
        if self.ledger_path.exists():
            return
        self.ledger_path.parent.mkdir(mode=0o700, exist_ok=True)
        self.ledger_path.touch(mode=0o600)
        self.ledger_path.write_bytes(empty_ledger())

    def pass_time(self, **step: float) -> None:
        """Let time pass on both sides."""
        self.sandbox.advance(timedelta(**step))

    def ledger(self, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Read the ledger, as a person with the sqlite3 shell would."""
        with closing(sqlite3.connect(f"file:{self.ledger_path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def ledger_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table of the ledger that a run without effect must leave alone, row for row."""
        names = [row["name"] for row in self.ledger("SELECT name FROM sqlite_master WHERE type='table'")]
        return {
            name: sorted((tuple(row.values()) for row in self.ledger(f'SELECT * FROM "{name}"')), key=repr)
            for name in names
            if name not in VOLATILE and not name.startswith("sqlite_")
        }

    def states(self) -> dict[str, str]:
        """Each order's latest state in the ledger."""
        return {row["order_id"]: row["state"] for row in self.ledger("SELECT order_id, state FROM submission ORDER BY attempt")}

    def state(self, order_id: str = "000471") -> str:
        """One order's latest state in the ledger, empty when it was never claimed."""
        return self.states().get(order_id, "")

    def steps(self) -> list[str]:
        """How far each batch file has got, in the order of claiming."""
        return [row["step"] for row in self.ledger("SELECT step FROM batch ORDER BY rowid")]

    def items(self) -> list[tuple[str, str]]:
        """Kind and subject of what needs a person now."""
        rows = self.ledger("SELECT kind, subject FROM item WHERE closed_at IS NULL ORDER BY kind, subject")
        return [(row["kind"], row["subject"]) for row in rows]

    def audit(self, name: str, day: str = DAY) -> list[dict[str, str]]:
        """One of finance's files as a careful reader sees it: guards and escapes undone."""
        with (self.settings.data_dir / "audit" / day / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        return [dict(zip(header, map(unguard, row), strict=True)) for row in rows]

    def audit_bytes(self, day: str = DAY) -> dict[str, bytes]:
        """All of finance's files of one date."""
        return {path.name: path.read_bytes() for path in (self.settings.data_dir / "audit" / day).iterdir()}

    def reasons(self, day: str = DAY) -> dict[str, tuple[str, str]]:
        """Decision and reason of each candidate."""
        return {row["order_id"]: (row["decision"], row["reason"]) for row in self.audit("declines", day)}

    def accepted(self, kind: str = "evaluate") -> Counter[str]:
        """How often the provider took each order."""
        return Counter(str(row["order_id"]) for row in self.sandbox.accepted(kind))

    def received(self) -> list[str]:
        """The files that the provider picked up."""
        return [str(row["file"]) for row in self.sandbox.journal() if row["event"] == "file_received"]

    def acknowledgement(self, batch_id: str = "") -> tuple[str, dict[str, Any]]:
        """The name of a file's acknowledgement and what it says when every row is accepted; the only file's, if none is named."""
        (row,) = self.ledger("SELECT file_name, batch_id FROM batch WHERE ? IN ('', batch_id)", [batch_id])
        rows = self.ledger("SELECT sequence_number, order_id FROM submission WHERE batch_id=? ORDER BY 1", [row["batch_id"]])
        keys = {str(each["order_id"]): each["order_session_key"] for each in self.sandbox.orders()}
        answers = [
            {
                "sequenceNumber": str(each["sequence_number"]),
                "orderId": each["order_id"],
                "orderSessionKey": keys.get(each["order_id"], "none"),
                "status": "SUBMITTED",
                "result": "Success",
                "errors": [],
            }
            for each in rows
        ]
        name = row["file_name"].rpartition(".")[0] + "_response.json"
        head = {"file": row["file_name"], "kind": "evaluate", "mid": self.sandbox.mid, "result": "success", "errors": []}
        return name, {**head, "responses": answers}

    def put_outbound(self, name: str, document: object) -> None:
        """Something new lies in the provider's outbound folder."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        (self.sandbox.outbound / name).write_bytes(content)

    def command(self, *arguments: str) -> list[str]:
        """The real command line for this house."""
        return [sys.executable, "-m", "jobs", "--config", str(self.config), *arguments]

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a command in a process of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **environment},
        )

    def cli(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in a process of its own to its end."""
        with self.start(*arguments, **environment) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def files(self, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
        """Every file of the merchant's side with its bytes."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and "provider" not in path.relative_to(self.folder).parts and path.name not in without
        }
