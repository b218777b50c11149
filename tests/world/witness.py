"""What the world itself saw while it ran, for the oracle: every send, with what a power cut at that moment would have left.

Level E (tests/power) records the real writes and syncs. Here the picture after a power cut is made by rule. As long as each
commit was fully synchronised (with a write-ahead log), or its folder too (without one: a removed journal may otherwise come
back and undo it), everything that is committed is left. If one was not, the worst is: the log is lost, or the commit undone.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from schemas.settings import Settings

Row = dict[str, Any]
FULL, EXTRA = 2, 3
UNDERWAY = ("claimed", "held", "sending", "in_doubt", "pending", "capture_required")
_HOLDS = "SELECT order_id, hold_reference FROM orders"
_CLAIMS = "SELECT order_id, state, currency, amount_minor, batch_id, expires_at, written_version, row_version FROM submission"


class _Database:
    """One SQLite file, and what of it is safe: all that is committed, as long as every commit was synchronised enough."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_safe = True
        self._wal = path.with_name(f"{path.name}-wal")
        self._log = str(self._wal)
        self._content = path.read_bytes()

    def committed(self, synchronous: int) -> None:
        """A commit has ended at this level of synchronising."""
        has_log = os.path.exists(self._log)  # noqa: PTH110 - after every commit, in half the time
        self.is_safe = synchronous >= (FULL if has_log else EXTRA)
        if self.is_safe and not has_log:
            self._content = self.path.read_bytes()

    def after_power_cut(self, copy: Path) -> None:
        """Put into another file what a power cut now could leave: no log, or the content before what was not synchronised."""
        copy.write_bytes(self.path.read_bytes() if self._wal.exists() else self._content)


UNSETTLED = "SELECT operation_id FROM operation WHERE step NOT IN ('done', 'refused') ORDER BY operation_id"
"""Requests of which nobody can say whether they happened."""


@dataclass(frozen=True)
class Left:
    """What both databases would have held after a power cut: the file's batch, its orders, the lease, and the holds."""

    batch: Row
    orders: dict[str, Row]
    lease_pid: int | None
    holds: dict[str, str | None]


@dataclass(frozen=True)
class Send:
    """Bytes leave: a part is opened, written from its beginning, or renamed, or an evaluate is called. `name` is the final
    name, of a call the order id.

    `content` is what is being written, or the part that is renamed, or a call's body. `creates`: the part is opened as a
    new one. `status` is the HTTP status with which the provider answered a call, 0 where it gave none.
    """

    kind: Literal["open", "write", "rename", "removed", "call"]
    name: str
    process: int
    point: int
    at: datetime
    content: bytes = b""
    creates: bool = False
    left: Left | None = None
    status: int = 0


@dataclass(frozen=True)
class Heard:
    """A file of the provider's as it lay there when a run opened it."""

    name: str
    point: int
    content: bytes


@dataclass(frozen=True)
class RunMark:
    """One run from outside: its process, its stretch of points and of the provider's journal, and the ledger at its end.

    `inside` counts the runs that it happened inside of. `underway` are orders that have not ended, `unwritten` those whose
    row does not show where they stand, `unsettled` requests without a clear answer; `switched_off` are the origins and
    sites that the run may not begin to send. `wrote`: when the run came to its last commit to the ledger, and at which point
    that was done. `meanwhile` is how all of that stood when another run began inside, or went on beside it.
    """

    job: str
    process: int
    inside: int
    points: tuple[int, int]
    journal: tuple[int, int]
    times: tuple[datetime, datetime]
    states: dict[tuple[str, str], tuple[int, int]]
    items: tuple[Row, ...]
    batches: tuple[Row, ...]
    unwritten: tuple[str, ...]
    underway: tuple[Row, ...]
    unsettled: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()
    zone: str = "America/New_York"
    wrote: tuple[datetime, int] | None = None
    meanwhile: tuple[tuple[int, Row], ...] = ()


@dataclass
class _Running:
    """A run that has begun and not ended."""

    job: str
    process: int
    point: int
    journal: int
    began: datetime
    off: tuple[str, ...]
    zone: str
    wrote: tuple[datetime, int] | None = None
    meanwhile: list[tuple[int, Row]] = field(default_factory=list)


@dataclass
class Witness:
    """Sees what the merchant's programs do to the provider and to their own databases."""

    ledger_path: Path
    orders_path: Path
    now: Callable[[], datetime]
    point: Callable[[], int]
    journal_length: Callable[[], int]
    reader: Callable[[Path], sqlite3.Connection]
    sends: list[Send] = field(default_factory=list)
    touched: list[tuple[str, str]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    marks: list[RunMark] = field(default_factory=list)
    stops: list[tuple[int, int]] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    running: list[_Running] = field(default_factory=list)
    _databases: dict[str, _Database] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What stands on both disks at the beginning is safe."""
        for path in (self.ledger_path, self.orders_path):
            self._databases[path.stem] = _Database(path)

    @property
    def process(self) -> int:
        """The process that runs now; 0 outside every run."""
        return self.running[-1].process if self.running else 0

    def committed(self, name: str, connection: Any, begun: datetime) -> None:  # noqa: ANN401 - the driver's own type
        """A program has committed to one of its databases, and had come to it at this moment."""
        mine = next((each for each in self.running if each.process == self.process), None)
        if mine is not None and name == self.ledger_path.stem:
            mine.wrote = (begun, self.point())
        if name in self._databases:
            self._databases[name].committed(connection.execute("PRAGMA synchronous").fetchone()[0])

    def touches(self, what: str, path: str) -> None:
        """A program asks the SFTP server for something by this path."""
        self.touched.append((what, path))

    def reads(self, name: str, content: bytes) -> None:
        """A program opens a file of the provider's."""
        self.heard.append(Heard(name, self.point(), content))

    def sends_bytes(self, kind: Literal["open", "write", "rename"], name: str, content: bytes, *, creates: bool = False) -> None:
        """A part is opened, written or renamed, and nothing of it has happened yet."""
        at = (self.process, self.point(), self.now())
        self.sends.append(Send(kind, name, *at, content, creates, self._left(name)))

    def calls(self, body: bytes) -> None:
        """An evaluate has left, and the provider has not answered it."""
        order_id = str(json.loads(body).get("orderId"))
        at = (self.process, self.point(), self.now())
        self.sends.append(Send("call", order_id, *at, body, left=self._left_of(order_id)))

    def answered(self, status: int) -> None:
        """The provider has answered the last call, or has cut the line (0)."""
        self.sends[-1] = replace(self.sends[-1], status=status)

    def removed(self, name: str) -> None:
        """A part was there, and has been removed."""
        self.sends.append(Send("removed", name, self.process, self.point(), self.now()))

    def begins(self, job: str, process: int, settings: Settings) -> None:
        """A run begins, with these settings."""
        switches = {
            "recurring": settings.switches.mit,
            "website": settings.switches.cit_website,
            "call_center": settings.switches.cit_call_center,
            **{f"site:{site.name}": site.enabled for site in settings.sites},
        }
        off = tuple(name for name, is_on in switches.items() if not is_on)
        zone = settings.schedule.timezone
        self.stand_still(self.running)
        self.running.append(_Running(job, process, self.point(), self.journal_length(), self.now(), off, zone))

    def stand_still(self, others: list[_Running]) -> None:
        """These runs do nothing while another one begins, or goes on."""
        standing = self._standing() if others else {}
        for other in others:
            other.meanwhile.append((self.point(), standing))

    def ends(self) -> None:
        """A run has ended, or died."""
        run = self.running.pop()
        points, journal = (run.point, self.point()), (run.journal, self.journal_length())
        times, inside, meanwhile = (run.began, self.now()), len(self.running), tuple(run.meanwhile)
        mark = RunMark(run.job, run.process, inside, points, journal, times, **self._standing())
        self.marks.append(replace(mark, switched_off=run.off, zone=run.zone, wrote=run.wrote, meanwhile=meanwhile))

    def asks_to_stop(self) -> None:
        """Somebody asks the running process to stop."""
        self.stops.append((self.process, self.point()))

    @contextmanager
    def of_a_person(self) -> Iterator[None]:
        """Inside, somebody is at work by hand, and what they commit is none of a run that stands still."""
        running, self.running = self.running, []
        try:
            yield
        finally:
            self.running = running

    def _left(self, name: str) -> Left:
        with self._after_power_cut("ledger") as ledger:
            found = rows(ledger, "SELECT * FROM batch WHERE file_name = ?", name)
            batch = found[0] if found else {}
            orders = rows(ledger, "SELECT * FROM submission WHERE batch_id = ?", batch.get("batch_id"))
            return self._with_holds(ledger, batch, orders)

    def _left_of(self, order_id: str) -> Left:
        with self._after_power_cut("ledger") as ledger:
            orders = rows(ledger, "SELECT * FROM submission WHERE order_id = ? ORDER BY attempt DESC LIMIT 1", order_id)
            found = rows(ledger, "SELECT * FROM batch WHERE batch_id = ?", orders[0]["batch_id"] if orders else "")
            return self._with_holds(ledger, found[0] if found else {}, orders)

    def _with_holds(self, ledger: sqlite3.Connection, batch: Row, orders: list[Row]) -> Left:
        lease = rows(ledger, "SELECT pid FROM lease")
        with self._after_power_cut("orders") as connection:
            holds = {
                row["order_id"]: row["hold_reference"] for row in rows(connection, "SELECT order_id, hold_reference FROM orders")
            }
        return Left(batch, {row["order_id"]: row for row in orders}, lease[0]["pid"] if lease else None, holds)

    @contextmanager
    def _after_power_cut(self, stem: str) -> Iterator[sqlite3.Connection]:
        """A database as a power cut would leave it; as it is committed, if all of it is safe."""
        database = self._databases[stem]
        if database.is_safe and _may_look(self.reader(database.path)):
            yield self.reader(database.path)
            return
        copy = self.orders_path.with_name(f"{stem}.left")
        if database.is_safe:
            copy.write_bytes(database.path.read_bytes())  # another program has it for itself, and has written nothing
        else:
            database.after_power_cut(copy)
        with closing(sqlite3.connect(copy, timeout=0)) as connection:
            yield connection

    def _standing(self) -> dict[str, Any]:
        try:
            return self._read_standing()
        except (sqlite3.DatabaseError, OSError):  # it is damaged or away just now, and nothing can be read of it
            return {"states": {}, "items": (), "batches": (), "unwritten": (), "underway": (), "unsettled": ()}

    def _read_standing(self) -> dict[str, Any]:
        ledger = self.reader(self.ledger_path)
        claims = rows(ledger, _CLAIMS)
        states: dict[tuple[str, str], tuple[int, int]] = {}
        for row in claims:
            orders, amount = states.get((row["state"], row["currency"]), (0, 0))
            states[row["state"], row["currency"]] = (orders + 1, amount + row["amount_minor"])
        items = rows(ledger, "SELECT * FROM item WHERE closed_at IS NULL")
        batches = rows(ledger, "SELECT file_name, batch_id, kind, step, delivered_at FROM batch")
        return {
            "states": states,
            "items": tuple(items),
            "batches": tuple(batches),
            "unwritten": tuple(row["order_id"] for row in claims if row["written_version"] != row["row_version"]),
            "underway": tuple(row for row in claims if row["state"] in UNDERWAY),
            "unsettled": tuple(row["operation_id"] for row in rows(ledger, UNSETTLED)),
        }


def _may_look(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        return False
    return True


def rows(connection: sqlite3.Connection, query: str, *values: object) -> list[Row]:
    """What a query finds, by column."""
    cursor = connection.execute(query, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
