"""What cannot be seen in one story alone: the same story with poison in it (I15).

Like a date run a second time (`oracle_rerun`) it lets more runs happen, so that it is asked of a share of the seeds only:
`is_due` says which.
"""

import sqlite3
from contextlib import closing
from typing import Any

from tests.night.house import order
from tests.world.dice import dice
from tests.world.oracle_doors import i18_no_leak
from tests.world.oracle_evidence import CARDS, Evidence, evidence_of, rows_of
from tests.world.schedule import Schedule
from tests.world.story import Story
from tests.world.world import World

RERUN_EVERY, POISON_EVERY = 4, 64
"""One of so many seeds is judged so."""
_VOLATILE = ("batch_id", "file_name", "run_id", "evidence_id", "row_check", "sequence_number")

Poison = dict[str, dict[str, object]]

BAD_ROWS: Poison = {
    "bad-currency": {"currency": "dollars"},
    "bad-amount": {"amount_minor": "12.34"},
    "bad-time": {"charged_at": "yesterday"},
    "bad-site": {"site": "nowhere"},
    "bad-token": {"payment_token": None},
    "bad-card": {"response_description": f"declined, card {CARDS[0]}"},
    "bad-origin": {"origin": "carrier pigeon"},
}
"""Rows of the order system that must be refused, each for a reason of its own."""

BAD_FILES: dict[str, bytes] = {
    "evaluate_fffc82c3_20261122_000000000000_response.json": b'{"file": "evaluate_fffc82c3_20261122_000000000000.json", "resu',
    "outcomes_20261123.json": b"\xff\xfe\x00[not a document",
    "outcomes_20261122.json": b'{"mid": "11111111-0000-4000-8000-000000000009", "outcomes": []}',
}
"""Files of the provider's that must be set aside."""


def is_due(seed: int, every: int) -> bool:
    """Whether a seed belongs to the share that is judged in this way; any seed may be asked for by hand."""
    return dice(seed, "apart", every).randrange(every) == 0


def i15_poison_isolated(schedule: Schedule) -> list[str]:
    """Let a quiet story happen without and with bad rows and bad files: for every other order nothing differs."""
    quiet = Schedule(schedule.seed, schedule.orders, ())
    clean, poisoned = told(quiet, poison=False), told(quiet, poison=True)
    return isolated(clean, poisoned)


def told(schedule: Schedule, *, poison: bool) -> Evidence:
    """What a schedule leaves behind, with or without poison in it."""
    with World(schedule.seed, orders=schedule.orders) as world:
        if poison:
            put_poison(world)
        story = Story(world, schedule)
        story.tell()
        return evidence_of(story)


def put_poison(world: World) -> None:
    """Put bad rows into the order system and bad files into the provider's outbound folder."""
    with closing(sqlite3.connect(world.ground.orders_path)) as connection, connection:
        for order_id, changed in BAD_ROWS.items():
            row = order(order_id, **changed)
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO orders ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    for name, content in BAD_FILES.items():
        (world.provider.outbound / name).write_bytes(content)


def isolated(clean: Evidence, poisoned: Evidence) -> list[str]:
    """What differs between the two for orders that are in both, and what bad rows and files went unnoticed."""
    found = []
    for order_id in clean.given:
        without, with_it = _fate(clean, order_id), _fate(poisoned, order_id)
        found += [
            f"I15: {order_id}: {name} is {with_it[name]!r} with poison, {without[name]!r} without"
            for name in without
            if without[name] != with_it[name]
        ]
    reasons = {row["order_id"]: row["reason"] for row in poisoned.decisions if row["decision"] == "skipped"}
    refused = {order_id for order_id in BAD_ROWS if order_id in reasons}
    hidden = sum(order_id.startswith("pan:") for order_id in reasons)
    if len(refused) + hidden != len(BAD_ROWS):
        found.append(f"I15: of the bad rows only {sorted(reasons)} were refused with a reason")
    aside = {row["name"] for row in poisoned.remote_files if row["verdict"] == "set_aside"}
    told = {item["subject"].partition(":")[2] for item in poisoned.items if item["kind"] == "quarantine"}
    found += [f"I15: {name} was not set aside, or nobody was told" for name in BAD_FILES if name not in aside & told]
    counted = max((sum(_counted(ended)) for _, ended in poisoned.runs), default=0)
    if counted < len(BAD_ROWS):
        found.append(f"I15: the reports count {counted} refused rows of {len(BAD_ROWS)}")
    return [*found, *i18_no_leak(poisoned)]


def _counted(ended: Any) -> list[int]:  # noqa: ANN401 - how a run ended
    if ended.report is None:
        return []
    return [total.orders for totals in ended.report.figures.not_sent.values() for total in totals.values()]


def _fate(seen: Evidence, order_id: str) -> dict[str, object]:
    """All that finance, the merchant and the provider can see of an order, without what is drawn afresh in each world."""
    row = {name: value for name, value in seen.rows[order_id].items() if name != "updated_at"}
    lines = {
        f"{name}.csv": [
            {column: cell for column, cell in line.items() if column not in _VOLATILE}
            for path, content in sorted(seen.files.items())
            if path.stem == name and path.suffix == ".csv" and path.parent.parent.name == "audit"
            for line in rows_of(content)
            if line["order_id"] == order_id
        ]
        for name in ("declines", "submissions", "outcomes", "holds")
    }
    known = seen.provider.get(order_id)
    return {
        "the order row": row,
        "the state": seen.latest[order_id]["state"] if order_id in seen.latest else None,
        "the provider": known and {name: known[name] for name in ("status", "amount", "currency", "placed", "expiry")},
        **lines,
    }
