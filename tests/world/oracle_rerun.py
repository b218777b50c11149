"""A date run a second time, when all has ended: nothing is sent, nothing moves, no byte changes (I10).

Some orders and files may have something left: then the second run has that to do, and everything else stays as it was.
"""

import csv
import hashlib
import io
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from batch.responses import MOST_FILE_BYTES
from batch.sftp import PLAIN_NAME
from tests.world.befores import SETTLED
from tests.world.story import Story
from tests.world.witness import rows as rows_found
from tests.world.world import World

Row = dict[str, Any]
Tables = dict[str, list[Row]]

_TABLES = ("event", "submission", "batch", "decision", "item")
_CHANGES_WITH_ANY = ("row_check", "sequence_number")
"""Columns of finance's files that count the rows before, whoever they are about."""


@dataclass(frozen=True)
class Left:
    """What the last run left for the next one.

    `orders` may move: a request about them is in doubt, they were given back and are judged anew, their decline has grown too old
    since, or they came under review after the last run's reads while one of them was due. Of these only `given_back` may be
    handed over. `batches` are delivered files without an acknowledgement.
    `ended` have ended since their rows were judged, which were set back to declined meanwhile: why they are skipped is another
    reason now, and nothing else about them is.
    """

    orders: frozenset[str]
    ended: frozenset[str]
    given_back: frozenset[str]
    batches: frozenset[str]
    in_doubt: bool

    @property
    def codes(self) -> tuple[int, ...]:
        """How the second run may end."""
        return (0, 10, 11) if self.in_doubt or self.batches else (0, 10)


def i10_rerun_changes_nothing(story: Story) -> list[str]:
    """Run the last date of a story once more: it does what was left, and nothing else.

    Not while an order is open, or the provider has news that no run has read: then it has anything to do. Finance's files are
    made anew for it, whatever is noted of them, so that one which was wrongly left alone changes.
    """
    world = story.world
    if not set(world.states().values()) <= SETTLED or _has_news(world):
        return []
    day = world.runs[-1][1].report.business_date if world.runs[-1][1].report else ""
    left = _left(world)
    before, journal, files = _tables(world), len(world.provider.journal()), dict(world.disk.there)
    world.remembers_files = False
    ended = world.run("rerun", day)
    after = _tables(world)
    known = {row["batch_id"] for row in before["batch"]}
    new = {row["batch_id"] for row in after["batch"] if row["batch_id"] not in known and _is_of(after, row, left.given_back)}
    found = [] if ended.code in left.codes else [f"the second run of {day} ended with {ended.code}"]
    found += [f"the second run of {day} handed over {words}" for words in _handed_over(world, after, journal, left, new)]
    found += [f"the second run of {day} changed the ledger: {row}" for row in _changed(before, after, left, new)]
    moved = before != after
    found += [f"the second run of {day} changed {words}" for words in _changed_files(files, world.disk.there, left, moved=moved)]
    return [f"I10: {words}" for words in found[:6]]


def _left(world: World) -> Left:
    mark, ledger = world.witness.marks[-1], world.ground.reader(world.ground.ledger_path)
    last = "run_id = (SELECT run_id FROM run ORDER BY fencing_token DESC LIMIT 1)"
    withdrawn = rows_found(ledger, f"SELECT subject FROM event WHERE to_state = 'withdrawn' AND {last}")
    doubted = rows_found(ledger, "SELECT order_id FROM operation WHERE step NOT IN ('done', 'refused')")
    given_back = frozenset(row["subject"].partition(":")[2] for row in withdrawn)
    now = world.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    due = rows_found(ledger, f"SELECT order_id FROM submission WHERE state = 'review' AND next_read_at <= '{now}'")
    orders = given_back | _grown_old(world) | {row["order_id"] for row in (*doubted, *due)}
    batches = frozenset(row["batch_id"] for row in mark.batches if row["step"] == "delivered")
    return Left(orders, _ended_since(ledger), given_back, batches, in_doubt=bool(mark.unsettled))


def _ended_since(ledger: sqlite3.Connection) -> frozenset[str]:
    """Orders that were skipped because they were at the provider then, and that have an end now."""
    skipped = rows_found(ledger, "SELECT order_id FROM decision WHERE reason = 'already_active'")
    claims = rows_found(ledger, "SELECT order_id, state FROM submission ORDER BY attempt")
    states = {row["order_id"]: row["state"] for row in claims}
    return frozenset(row["order_id"] for row in skipped if states.get(row["order_id"], "review") != "review")


def _grown_old(world: World) -> set[str]:
    """Free declines that have become too old to be chosen since the last night, so that the next run judges them anew."""
    night = max((mark.times[0] for mark in world.witness.marks if mark.job == "nightly"), default=None)
    age = timedelta(hours=world.settings.gate.max_decline_age_hours)
    query = "SELECT order_id, charged_at FROM orders WHERE charged_at LIKE '2___-%Z' AND status = 'declined'"
    rows = world.ground.reader(world.merchant.path).execute(query).fetchall() if night else []
    return {order_id for order_id, at in rows if night and night <= datetime.fromisoformat(at) + age <= world.clock.now()}


def _has_news(world: World) -> bool:
    world.pass_time()
    with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
        read = set(connection.execute("SELECT name, content_hash FROM remote_file WHERE verdict <> 'unstable'").fetchall())
        told = connection.execute("SELECT 1 FROM webhook WHERE verdict = 'stored'").fetchone()
    return told is not None or not {_as_read(path) for path in world.provider.outbound.iterdir()} <= read


def _as_read(path: Path) -> tuple[str, str]:
    """Name and hash by which the ledger knows what lies there once it was read; of what is never fetched, the name alone."""
    is_fetched = PLAIN_NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink()
    content = path.read_bytes() if is_fetched and path.stat().st_size <= MOST_FILE_BYTES else b""
    shown = path.name.encode("unicode_escape", "backslashreplace").decode()[:255]
    return shown, hashlib.sha256(content).hexdigest()


def _tables(world: World) -> Tables:
    ledger = world.ground.reader(world.ground.ledger_path)
    return {name: rows_found(ledger, f"SELECT * FROM {name} ORDER BY rowid") for name in _TABLES}


def _is_of(tables: Tables, batch: Row, order_ids: Collection[str]) -> bool:
    """Whether a file has orders, and none but these."""
    mine = {row["order_id"] for row in tables["submission"] if row["batch_id"] == batch["batch_id"]}
    return bool(mine) and mine <= set(order_ids)


def _handed_over(world: World, after: Tables, journal: int, left: Left, new: Collection[str]) -> Iterator[object]:
    """What the provider was given, beside orders that were given back before."""
    files = {row["file_name"] for row in after["batch"] if row["batch_id"] in new}
    for row in world.provider.journal()[journal:]:
        if row["event"] in ("accepted", "deduplicated") and row["order_id"] not in left.given_back:
            yield row
        if row["event"] == "file_received" and row["file"] not in files:
            yield row


def _changed(before: Tables, after: Tables, left: Left, new: Collection[str]) -> Iterator[Row]:
    """Rows of the ledger that came, went or are others, beside those about what was left."""
    batches = left.batches | set(new)
    for name in _TABLES:
        fresh = [row for row in after[name] if row not in before[name]]
        gone = [row for row in before[name] if row not in after[name]]
        for row in (*fresh, *gone):
            kind, _, subject = str(row.get("subject", "")).partition(":")
            is_left = row.get("order_id") in left.orders or row.get("batch_id") in batches
            is_left |= name == "decision" and row["order_id"] in left.ended
            is_left |= (kind == "order" and subject in left.orders) or (kind == "batch" and subject in batches)
            if not is_left:
                yield row


def _changed_files(before: dict[Path, bytes], after: dict[Path, bytes], left: Left, *, moved: bool) -> Iterator[str]:
    """Files that came, went or are others; where something moved that was left, only rows about other orders count.

    The metrics count runs, and this was one.
    """
    for path in sorted({*before, *after}):
        if path.name == "mitbatch.prom":
            continue
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            is_left = moved and old is None
        else:
            is_left = old == new or (moved and _of_others(path, old, left) == _of_others(path, new, left))
        if not is_left:
            yield path.name


def _of_others(path: Path, content: bytes, left: Left) -> Counter[tuple[tuple[str, str], ...]]:
    """The rows of one of finance's files that are about orders for which nothing was left."""
    if path.suffix != ".csv" or path.parent.parent.name != "audit":
        return Counter()
    found = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    judged_anew = left.orders | (left.ended if path.name.startswith("declines") else frozenset())
    rows = [row for row in found if row.get("order_id") and row["order_id"] not in judged_anew]
    return Counter(tuple((name, cell) for name, cell in row.items() if name not in _CHANGES_WITH_ANY) for row in rows)
