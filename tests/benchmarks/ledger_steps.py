"""The ledger's batch steps beside the same rows written with the standard library's `sqlite3`, synced as often, to one disk.

Ours builds the records and the hash chain, checks the lease and every permitted move, and compares before it sets; the other
only writes what came of it. So the share is what all of that leaves of the speed of the database.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

from batch.choosing import verdicts
from batch.equipment import Equipment
from batch.gate import Verdict
from batch.holding import claim
from batch.ledger import Run
from batch.ledger.moves import Move, move_orders
from batch.ledger.past import Past
from batch.ledger.reading import submissions_of_batch
from schemas.states import State
from tests.benchmarks.figures import Cost, Figure, Goal
from tests.benchmarks.measuring import here, in_turn, ratio
from tests.call_speed.__main__ import leased, workshop

PART = "ledger"
AT_ONCE = 2000
MOVES = (State.HELD, State.SENDING, State.PENDING)
OURS, RAW = "claim and three moves, by the ledger", "the same rows, with sqlite3"
Rows = Sequence[tuple[object, ...]]
_SCHEMA = (
    "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
    " ORDER BY type DESC, name"
)
"""The same tables and indexes."""
_NOBODY = "http://127.0.0.1:9/v1/"


def ledger_steps(orders: int, times: int = 5) -> Iterator[Figure]:
    """Both ways, in turns, each in a new ledger."""
    with tempfile.TemporaryDirectory(prefix="mitbatch-bench-") as place:
        folder, number = Path(place), count()
        written = folder / "written.db"
        ways = {
            OURS: lambda: _ours(folder / f"merchant{next(number)}", orders, written),
            RAW: lambda: _raw(written, folder / f"raw{next(number)}.db"),
        }
        costs = in_turn(ways, times)
    for what, cost in costs.items():
        yield Figure(PART, what, cost, orders * (1 + len(MOVES)), "steps of orders", times)


def _ours(folder: Path, orders: int, keep: Path) -> Cost:
    """Claim and move so many orders, and keep the ledger that came of it for the other way."""
    with workshop(_NOBODY, folder, orders) as found:
        equipment, run = found.equipment, leased(found)
        chosen = [pair for page in verdicts(equipment, run.business_date) for pair in page]
        assert len(chosen) == orders
        cost = here(lambda: _steps(equipment, run, chosen))
        keep.unlink(missing_ok=True)
        with closing(sqlite3.connect(folder / "var" / "ledger.db")) as ledger:
            ledger.execute("VACUUM INTO ?", [str(keep)])
    return cost


def _steps(equipment: Equipment, run: Run, chosen: Sequence[tuple[Verdict, Past | None]]) -> None:
    for start in range(0, len(chosen), AT_ONCE):
        batch = claim(equipment, run, chosen[start : start + AT_ONCE], is_cit=False)
        with equipment.ledger.reading() as connection:
            orders = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id)
        for state in MOVES:
            with equipment.ledger.writing(run) as writing:
                orders = move_orders(writing, [Move(order, state, "send", "as the night does it") for order in orders])


def _raw(written: Path, new: Path) -> Cost:
    """Write the rows of that ledger into an empty one: those of a claim in one transaction, then each move in one."""
    with closing(sqlite3.connect(written)) as source:
        schema = [sql for (sql,) in source.execute(_SCHEMA)]
        rows = {name: source.execute(f"SELECT * FROM {name}").fetchall() for name in ("submission", "decision")}
        events = source.execute("SELECT * FROM event WHERE subject LIKE 'order:%' ORDER BY seq, subject").fetchall()
        names = [row[1] for row in source.execute("PRAGMA table_info(submission)")]
    states = [(row[names.index("mid")], row[names.index("order_id")], row[names.index("attempt")]) for row in rows["submission"]]
    with closing(sqlite3.connect(new, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode=WAL")
        target.execute("PRAGMA synchronous=FULL")
        for sql in schema:
            target.execute(sql)
        return here(lambda: _write(target, rows, events, states))


def _write(target: sqlite3.Connection, rows: Mapping[str, Rows], events: Rows, keys: Rows) -> None:
    size = len(keys)
    for start in range(0, size, AT_ONCE):
        part = slice(start, min(start + AT_ONCE, size))
        target.execute("BEGIN IMMEDIATE")
        for name, found in rows.items():
            _insert(target, name, found[part])
        _insert(target, "event", events[part])
        target.execute("COMMIT")
        for number, state in enumerate(MOVES, start=1):
            target.execute("BEGIN IMMEDIATE")
            _insert(target, "event", events[number * size + part.start : number * size + part.stop])
            target.executemany(
                "UPDATE submission SET state = ?, event_seq = ?, row_version = row_version + 1 WHERE mid = ? AND order_id = ?"
                " AND attempt = ?",
                [(state.value, number + 1, *key) for key in keys[part]],
            )
            target.execute("COMMIT")


def _insert(target: sqlite3.Connection, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    target.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' for _ in rows[0])})", rows)


def goals(figures: list[Figure]) -> list[Goal]:
    """The share of the database's own speed."""
    cost = {each.what: each.cost for each in figures}
    return [Goal(PART, "of the speed of sqlite3", ratio(cost[RAW], cost[OURS]), 0.3)]
