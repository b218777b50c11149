"""Everything that the oracle judges, read once at the end of a story, as plain values that a test can doctor."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.world.hands import Decided
from tests.world.merchant import Charge, RowChange
from tests.world.put_back import PutBack
from tests.world.receiver import Delivered
from tests.world.story import Story
from tests.world.turning import Turned
from tests.world.witness import Heard, RunMark, Send
from tests.world.witness import rows as rows_found
from tests.world.world import Ended, World

Row = dict[str, Any]
OPEN = ("claimed", "held", "sending", "in_doubt", "pending", "capture_required", "review")
"""States of an order that is, or may be, at the provider, or is about to be."""
AT_PROVIDER = ("pending", "capture_required", "completed", "declined", "expired", "cancelled")
"""States that say that the provider has, or had, the order."""
RECOVERED = ("Completed", "Returned", "Chargeback")
"""The provider's own names for an order that was paid. What it gave back since, it tells by webhook alone (D-19)."""

CARDS = ("4111111111111111", "4111 1111 1111 1111", "5555555555554444")
"""Card numbers that bad rows bear; once they stand in the order system, they may stand nowhere else."""

LIES = ("contradictory_rows", "same_name_other_content", "expired_after_approved", "approved_after_expired")
"""The provider's faults by which an outcomes file says what is not true."""

_TABLES = {
    "submissions": "SELECT * FROM submission ORDER BY order_id, attempt",
    "events": "SELECT event.*, run.fencing_token FROM event JOIN run USING (mid, run_id) ORDER BY event.rowid",
    "items": "SELECT * FROM item ORDER BY rowid",
    "batches": "SELECT * FROM batch ORDER BY rowid",
    "pieces": "SELECT * FROM evidence ORDER BY rowid",
    "remote_files": "SELECT * FROM remote_file ORDER BY rowid",
    "decisions": "SELECT * FROM decision ORDER BY business_date, order_id",
    "ledger_runs": "SELECT * FROM run ORDER BY fencing_token",
    "identities": "SELECT * FROM identity",
    "operations": "SELECT * FROM operation ORDER BY rowid",
    "webhooks": "SELECT * FROM webhook ORDER BY rowid",
}


@dataclass
class Evidence:
    """The outside records first, the ledger's tables after them.

    `steps` are each order's words at the provider with their moments, `given` each order row as it was at the beginning,
    `changed` the orders whose row the merchant changed by hand, `changes` when each was, `traits` what is odd about a row,
    `edited` the dates whose files an operator changed. `lied_to` says that the provider's files, which are believed, told
    what is not true, `hears` by which ways outcomes were heard of, `decided` what somebody honest decided by hand,
    `turned` which switches, `put_back` what the ledger held whenever the clock was put back. `secrets` may stand nowhere,
    `personal` only where the payload itself is kept. `keeps_holds`
    says that holds stay on what was not recovered. `labels` are the points, `texts` what the runs said.
    """

    seed: int
    journal: list[Row]
    provider: dict[str, Row]
    steps: dict[str, list[tuple[datetime, str]]]
    charges: list[Charge]
    given: dict[str, Row]
    rows: dict[str, Row]
    changed: dict[str, str]
    changes: list[RowChange]
    traits: dict[str, str]
    edited: frozenset[str]
    restored: bool
    two_faced: bool
    lied_to: bool
    hears: frozenset[str]
    decided: list[Decided]
    turned: list[Turned]
    put_back: list[PutBack]
    files: dict[Path, bytes]
    once_written: frozenset[bytes]
    root: Path
    runs: list[tuple[str, Ended]]
    marks: list[RunMark]
    sends: list[Send]
    touched: list[tuple[str, str]]
    heard: list[Heard]
    stops: list[tuple[int, int]]
    breaches: list[str]
    labels: list[str]
    texts: dict[str, str]
    secrets: tuple[str, ...]
    personal: tuple[str, ...]
    identity: tuple[str, str, str]
    keeps_holds: bool
    grace: float
    window: float
    ledger_bytes: bytes
    submissions: list[Row]
    events: list[Row]
    items: list[Row]
    batches: list[Row]
    pieces: list[Row]
    remote_files: list[Row]
    decisions: list[Row]
    ledger_runs: list[Row]
    identities: list[Row]
    operations: list[Row]
    webhooks: list[Row]
    delivered: list[Delivered]
    subscriber_key: str

    @cached_property
    def latest(self) -> dict[str, Row]:
        """Each order's latest claim."""
        return {row["order_id"]: row for row in self.submissions}

    @cached_property
    def accepted(self) -> list[Row]:
        """What the provider took over any channel, its repetitions among it: it was handed over all the same.

        In sync mode repetitions are called for; I12 judges them.
        """
        repeated = {order_id for order_id, claim in self.latest.items() if claim["mit_mode"] == "sync"}
        taken = [row for row in self.journal if row["event"] in ("accepted", "deduplicated") and row["kind"] == "evaluate"]
        return [row for row in taken if row["event"] == "accepted" or row["order_id"] not in repeated]

    @cached_property
    def chains(self) -> dict[str, list[Row]]:
        """Each subject's events in their order."""
        found: dict[str, list[Row]] = {}
        for row in sorted(self.events, key=lambda event: event["seq"]):
            found.setdefault(row["subject"], []).append(row)
        return found

    @cached_property
    def tables(self) -> dict[tuple[str, str], list[Row]]:
        """Finance's files by date and name, their cells as they were before guarding; not those that an operator changed."""
        return {
            (path.parent.name, path.stem): rows_of(content)
            for path, content in sorted(self.files.items())
            if path.suffix == ".csv" and path.parent.parent.name == "audit" and path.parent.name not in self.edited
        }

    def told(self) -> set[str]:
        """What open items are about: order ids, batch ids, names of files."""
        return {item["subject"].partition(":")[2] for item in self.items if item["closed_at"] is None}

    def word_at(self, order_id: str, at: datetime) -> str:
        """What the provider says of an order at a moment; empty before it has it."""
        said = [name for moment, name in self.steps.get(order_id, []) if moment <= at]
        return said[-1] if said else ""

    def took_away(self, order_id: str, hold_reference: object, point: int) -> bool:
        """Whether the merchant had changed an order's row by a point, while it bore this hold: then it is to be withdrawn."""
        mine = (each for each in self.changes if each.order_id == order_id and each.hold_reference == hold_reference)
        return any(each.point <= point for each in mine)

    def is_left_free(self, send: Send, order_id: str, claim: Row) -> bool:
        """Whether a power cut at a send would leave an order's row without our hold, which the merchant had not taken away."""
        ours, left = claim["hold_reference"], send.left
        return left is not None and left.holds.get(order_id) != ours and not self.took_away(order_id, ours, send.point)


_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


def as_stored(cell: str) -> str:
    """A cell without its guard: the apostrophe in front goes, escapes become what they stand for."""
    if "\\" not in cell and not cell.startswith("'"):
        return cell
    return re.sub(r"\\([rnt\\])", lambda found: _ESCAPES[found[1]], cell[1:] if cell.startswith("'") else cell)


def rows_of(content: bytes) -> list[Row]:
    """A file of finance's as rows by column."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [dict(zip(header, map(as_stored, row), strict=True)) for row in rows]


def evidence_of(story: Story) -> Evidence:
    """Read all of it."""
    from jobs.sandbox.courses import course_of

    world = story.world
    world.provider._mailbox.catch_up()
    journal: list[Row] = list(world.provider._journal._rows)  # nobody writes any more, and a copy of each row costs its time
    ledger = world.ground.reader(world.ground.ledger_path)
    tables = {name: rows_found(ledger, query) for name, query in _TABLES.items()}
    settings, witness, rows = world.settings, world.witness, world.merchant.rows()
    orders = world.provider._brain.orders()
    return Evidence(
        seed=story.schedule.seed,
        journal=journal,
        provider=_provider_of(story, tables),
        steps={order.order_id: [(step.at, step.name) for step in course_of(order)] for order in orders},
        charges=world.merchant.charges,
        given={**rows, **world.given},
        rows=rows,
        changed=story.changed,
        changes=list(story.changes),
        traits=story.traits,
        edited=frozenset(story.edited),
        restored=story.restored,
        two_faced=any(world.provider.faults.fired(name) for name in ("same_name_other_content", "contradictory_rows")),
        lied_to="files" in story.hears and any(world.provider.faults.fired(name) for name in LIES),
        hears=frozenset(story.hears),
        decided=list(story.decided),
        turned=list(story.turned),
        put_back=list(world.put_back),
        files=dict(world.disk.there),
        once_written=frozenset(world.disk.synced),
        root=world.disk.root,
        runs=list(world.runs),
        marks=list(witness.marks),
        sends=witness.sends,
        touched=witness.touched,
        heard=witness.heard,
        stops=witness.stops,
        breaches=witness.breaches,
        labels=world.points.labels,
        texts=_said(story),
        secrets=(
            *(getattr(world.provider, world.name_of_secret(name)) for name in ("app_key", "app_secret")),
            world.provider.webhooks.key,
            "eyJhbGciOi",
            *_cards_in(rows),
        ),
        personal=("ada@example.com", "5 Orchard Way", "Ada Marsh", "202-555-0101"),
        identity=(settings.environment, settings.provider.api_url, settings.provider.mid),
        keeps_holds=settings.writeback.on_not_recovered == "keep",
        grace=settings.outcomes.expiry_grace_seconds,
        window=settings.outcomes.ingest_window_seconds,
        delivered=list(world.receiver.delivered),
        subscriber_key=world.provider.webhooks.key,
        ledger_bytes=_written_pages(ledger, world.ground.blank_ledger),
        **tables,
    )


def _provider_of(story: Story, tables: dict[str, list[Row]]) -> dict[str, Row]:
    """How the provider sees each order. What it completed for less and told by a word alone is shown with our amount.

    Outcomes files and the older call bear no amount (CONTRACT 6.4, 8): the stored one counts, and nobody can know better
    until a read names one, which is `read_as`.
    """
    ours = {row["order_id"]: row["amount_minor"] for row in tables["submissions"]}
    sources = {row["evidence_id"]: row["source"] for row in tables["pieces"]}
    by_word = {
        row["subject"].partition(":")[2]
        for row in tables["events"]
        if row["to_state"] == "completed" and sources.get(row["evidence_id"]) in ("file", "outcome")
    }
    untold = {order_id for order_id in by_word if story.traits.get(order_id) == "completed for less"}
    rows = {str(row["order_id"]): row for row in story.world.provider.orders()}
    return {key: {**row, "amount": ours[key], "read_as": row["amount"]} if key in untold else row for key, row in rows.items()}


def _keys_of(world: World) -> list[str]:
    """The secrets of our account."""
    return [str(getattr(world.provider, world.name_of_secret(name))) for name in ("app_key", "app_secret")]


def _cards_in(order_rows: dict[str, Row]) -> list[str]:
    """The test cards' numbers that stand in the order system, where none may be."""
    cells = {str(cell) for row in order_rows.values() for cell in row.values()}
    return [card for card in CARDS if any(card in cell for cell in cells)]


def _written_pages(ledger: sqlite3.Connection, blank: bytes) -> bytes:
    """The pages of the ledger's file that a blank one does not have."""
    before = frozenset(_pages(blank))
    return b"".join(page for page in _pages(ledger.serialize()) if page not in before)


def _pages(content: bytes) -> Iterator[bytes]:
    return (content[start : start + 4096] for start in range(0, len(content), 4096))


def _said(story: Story) -> dict[str, str]:
    """What each run printed, or would have: its lines for people, its object for machines, its refusal."""
    from jobs.report_lines import people_lines
    from jobs.report_object import machine_object

    said: dict[str, str] = {}
    for number, (job, ended) in enumerate(story.world.runs):
        words = [ended.refusal]
        if ended.report is not None:
            settings = story.world.settings
            words += [*people_lines(ended.report, settings), json.dumps(machine_object(ended.report, settings))]
        said[f"run {number} ({job})"] = "\n".join(words)
    return said
