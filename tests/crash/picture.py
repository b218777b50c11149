"""What stands at the end of a case, in every book there is: order rows, ledger, provider, and finance's files."""

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_PASSING = ("run_id", "batch_id", "file_name", "evidence_id", "row_check", "attempt")
"""Columns that two runs of the same night may differ in, besides those that end in `_at`."""


_SUBMISSION = tuple("order_id state site currency amount_minor provider_order_id provider_status sequence_number".split())
_ROW = ("status", "hold_reference", "provider_order_id", "provider_status", "retry_state")


@dataclass(frozen=True)
class Picture:
    """All books of one case. Rows of the ledger and the order system are by order id."""

    orders: dict[str, Row]
    submissions: list[Row]
    batches: list[Row]
    transmissions: list[Row]
    items: list[Row]
    runs: list[Row]
    lease: Row
    events: list[Row]
    journal: list[Row]
    provider: dict[str, Row]
    inbound: list[str]
    audit: dict[str, list[Row]]
    left_over: list[str]
    broken_seals: list[str]

    def count(self, event: str, kind: str = "") -> Counter[str]:
        """How often the provider's journal says this of each order id (or file)."""
        rows = [row for row in self.journal if row["event"] == event and (not kind or row.get("kind") == kind)]
        return Counter(str(row.get("order_id", row.get("file"))) for row in rows)

    def essence(self, charged: Collection[str]) -> dict[str, Any]:
        """What a crashed night and a crash-free one must agree in: everything but times, run ids, attempts and random names.

        The status of an order that the merchant `charged` itself is the merchant's doing, and left out.
        """
        return {
            "orders": {
                key: {name: row[name] for name in _ROW if name != "status" or key not in charged}
                for key, row in self.orders.items()
            },
            "submissions": sorted([row[name] for name in _SUBMISSION] for row in self.submissions),
            "batches": sorted([row["kind"], row["step"], row["row_count"]] for row in self.batches),
            "transmissions": sorted([row["order_id"], row["result"], row["transmit_id"]] for row in self.transmissions),
            "items": sorted([row["kind"], row["subject"] if row["subject"].startswith("order:") else ""] for row in self.items),
            "accepted": sorted(self.count("accepted").items()),
            "refused": sorted(self.count("row_refused").items()),
            "provider": {key: [row["status"], row["amount"], row["currency"]] for key, row in self.provider.items()},
            "inbound": self.inbound,
            "audit": {name: sorted(_lasting(row) for row in rows) for name, rows in self.audit.items()},
        }


def _lasting(row: Row) -> list[tuple[str, str]]:
    return [(name, value) for name, value in row.items() if name not in _PASSING and not name.endswith("_at")]


def take_picture(folder: Path, record: dict[str, Any]) -> Picture:
    """Read everything; `record` is what the provider says."""
    ledger = _tables(folder / "var" / "ledger.db", "submission batch transmission item run lease event".split())
    rows = _tables(folder / "orders.db", ["orders"])["orders"]
    audit = folder / "var" / "audit"
    return Picture(
        orders={row["order_id"]: {name: row[name] for name in _ROW} for row in rows},
        submissions=ledger["submission"],
        batches=ledger["batch"],
        transmissions=ledger["transmission"],
        items=[row for row in ledger["item"] if row["closed_at"] is None],
        runs=ledger["run"],
        lease=ledger["lease"][0] if ledger["lease"] else {},
        events=ledger["event"],
        journal=record["journal"],
        provider={row["order_id"]: row for row in record["orders"]},
        inbound=sorted(record["inbound"]),
        audit={f"{path.parent.name}/{path.name}": _csv(path) for path in sorted(audit.glob("*/*.csv"))},
        left_over=sorted(path.name for path in (folder / "var").rglob("*") if path.name.endswith((".tmp", ".new"))),
        broken_seals=_broken_seals(audit),
    )


def _tables(path: Path, names: list[str]) -> dict[str, list[Row]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}
    finally:
        connection.close()


def _csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _broken_seals(audit: Path) -> list[str]:
    """Files of finance that are not what their day's manifest says; a folder without a manifest is one."""
    broken = []
    for folder in sorted(audit.iterdir()) if audit.is_dir() else []:
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            broken.append(folder.name)
            continue
        files = json.loads(manifest.read_bytes())["files"]
        bad = (file["name"] for file in files if sha256((folder / file["name"]).read_bytes()).hexdigest() != file["sha256"])
        broken += [f"{folder.name}/{name}" for name in bad]
    return broken
