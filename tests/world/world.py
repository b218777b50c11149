"""World(seed): one merchant and one provider on one clock, in which runs of the production code live, die and go on.

Nothing here reads the machine's clock, makes an id of its own, or opens a socket. The two databases are real SQLite
files; a run reaches everything through the surroundings that it is handed, and every touch is a labelled point.
"""

import functools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from batch.asking import Asked, latest_claim
from batch.cancelling import cancel_order
from batch.capturing import capture_order
from batch.choosing import verdicts
from batch.equipment import Equipment
from batch.ledger import Owner, Run
from batch.pace import business_date, utc_text
from batch.refund_requests import RefundRequest
from batch.refunding import refund_order
from batch.review import Decision
from batch.sftp_connection import SftpAccess
from jobs.actions import Request, run_requests
from jobs.assembly import assemble
from jobs.clock import MovableClock
from jobs.databases import open_ledger
from jobs.night import run_with
from jobs.output import Options
from jobs.outside import StopRequest, side_by_side
from jobs.review import carry_out
from jobs.running import RunReport
from jobs.sample_orders import orders as orders_table
from jobs.sandbox import Sandbox
from jobs.sandbox.options import SandboxOptions
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, no_log
from schemas.errors import MitbatchError
from schemas.operations import OperationKind
from schemas.settings import Settings
from tests.in_memory import private_folder
from tests.night.house import order
from tests.world.dice import dice
from tests.world.disk import WorldDisk
from tests.world.line import Transport, public_key
from tests.world.merchant import Charge, Merchant
from tests.world.points import Points, PowerCut
from tests.world.pool import OneThreadPool
from tests.world.put_back import PutBack, held_by
from tests.world.receiver import Receiver
from tests.world.requests import Requests
from tests.world.statements import ShortConnection
from tests.world.witness import Witness

Given = TypeVar("Given")

_MADE = "SELECT sql FROM {schema}.sqlite_schema WHERE name = ? AND type = 'table'"

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""Half past one in the night of 23 November in New York."""

MOST_STATEMENTS = 512
"""So many statements stay prepared on a connection: all jobs use the same one here, and need more than the driver's 128."""

REASON, PERSON = "as the customer asked", "ada@desk"
"""What an operator says, and who it is."""


class Ground:
    """The folder in memory where worlds stand, one after another, with engines that are made once and used by all."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.process = folder, os.getpid()
        self.engines: dict[str, Engine] = {}
        self._connections: list[sqlite3.Connection] = []
        self._files: dict[str, int] = {}
        self._readers: dict[Path, tuple[tuple[int, int], sqlite3.Connection]] = {}
        self.points = Points()
        self.orders_path, self.ledger_path = folder / "orders.db", folder / "var" / "ledger.db"
        self.ledger_path.parent.mkdir(mode=0o700)
        self._sandbox = Sandbox(folder / "provider", clock=MovableClock(START))
        text = self._sandbox.settings_toml("var", "sqlite:///orders.db")
        text = text.replace("127.0.0.1:0/", "127.0.0.1:9/").replace("port = 0", "port = 9")  # nobody is asked there
        (folder / "mitbatch.toml").write_text(text, encoding="utf-8")
        self.settings: Settings = load_settings(folder / "mitbatch.toml")
        open_ledger(self.settings.ledger.url).dispose()
        self.blank_ledger = self.ledger_path.read_bytes()
        engine = create_engine(f"sqlite:///{self.orders_path}")
        orders_table.metadata.create_all(engine)
        engine.dispose()
        self.blank_orders = self.orders_path.read_bytes()
        self._blanks = {self.ledger_path: _in_memory(self.blank_ledger), self.orders_path: _in_memory(self.blank_orders)}
        self._schemas = {path: _schema_of(blank) for path, blank in self._blanks.items()}

    def make_engine(self, url: URL | str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
        """An engine for each database, kept, so that statements are compiled once; each commit is two points."""
        name = str(make_url(url).database)
        there = os.stat(name).st_ino if os.path.exists(name) else 0  # noqa: PTH110, PTH116 - the same without a Path
        if self._files.setdefault(name, there) != there:
            self.let_go()  # another file stands there now
            self._files[name] = there
        if name not in self.engines:
            engine = quick_engine(url, lambda: self.points, **options)
            event.listen(engine, "connect", self._connected)
            engine.dispose = lambda close=True: None if close else Engine.dispose(engine, close=False)  # type: ignore[method-assign]
            self.engines[name] = engine
        return self.engines[name]

    def _connected(self, connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=0")  # nobody else runs meanwhile: who would have to wait, waits in vain
        self._connections.append(connection)

    def reader(self, path: Path) -> sqlite3.Connection:
        """A connection for looking at a database as it is committed, kept until another file, or another process, is there.

        Raises OSError where there is none.
        """
        here = (os.getpid(), os.stat(path).st_ino)  # noqa: PTH116 - in half the time
        kept, connection = self._readers.get(path, (None, None))
        if connection is None or kept != here:
            connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            self._readers[path] = (here, connection)
            self._connections.append(connection)
        return connection

    def let_go(self) -> None:
        """Close every connection: one that a dead run left would hold a lock, or read the past."""
        for engine in self.engines.values():
            Engine.dispose(engine)
        while self._connections:
            self._connections.pop().close()
        self._readers.clear()

    def let_go_of_the_dead(self) -> None:
        """Close every connection if a run has ended without giving all of its own back; else the next run has them."""
        if any(engine.pool.checkedout() for engine in self.engines.values()):  # type: ignore[attr-defined]
            self.let_go()

    def put(self, path: Path, content: bytes) -> None:
        """Let a database be this one, after every connection was closed."""
        self.let_go()
        for ending in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.write_bytes(content)

    def clear(self) -> None:
        """Put both databases back to blank, under the connections that are open: to open them anew costs a tenth of a run."""
        self.let_go_of_the_dead()
        for path, blank in self._blanks.items():
            try:
                _put_back(blank, self.reader(path), self._schemas[path])
            except (sqlite3.Error, OSError):  # the last world left it damaged, locked, or away
                self.put(path, self.blank_ledger if path == self.ledger_path else self.blank_orders)

    def leave(self) -> None:
        """Take the folder away."""
        self.let_go()
        shutil.rmtree(self.folder)


def _put_back(blank: sqlite3.Connection, connection: sqlite3.Connection, schema: list[tuple[object, ...]]) -> None:
    """Copy a blank database over another one. Where the schema was the same, its version is as well, and what other
    connections have prepared stays good."""
    (version,) = connection.execute("PRAGMA schema_version").fetchone()
    is_same = _schema_of(connection) == schema
    blank.backup(connection)
    if is_same:
        connection.execute(f"PRAGMA schema_version={version}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _schema_of(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM sqlite_schema").fetchall()


def _in_memory(content: bytes) -> sqlite3.Connection:
    """A database as a copy in memory, where a write-ahead log cannot be."""
    connection = sqlite3.connect(":memory:")
    connection.deserialize(content[:18] + b"\x01\x01" + content[20:])
    return connection


def quick_engine(url: URL | str, points: Callable[[], Points], **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own
    """An engine for one thread at a time, on which what was done before is quick; each commit is two points."""
    arguments = {**options.pop("connect_args", {}), "cached_statements": MOST_STATEMENTS}
    engine = create_engine(url, connect_args=arguments, **{"poolclass": OneThreadPool, **options})
    engine._connection_cls = ShortConnection
    _with_points(engine, Path(str(engine.url.database)).stem, points)
    _with_known_columns(engine)
    return engine


def _with_points(engine: Engine, name: str, points: Callable[[], Points]) -> None:
    commit = engine.dialect.do_commit

    def do_commit(connection: Any) -> None:  # noqa: ANN401 - the driver's own type
        begun = points().witness.now()
        points().cross(f"commit {name}", "before")
        commit(connection)
        points().witness.committed(name, connection, begun)
        points().cross(f"commit {name}", "after")

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign,assignment]


def _with_known_columns(engine: Engine) -> None:
    """Let the columns of a table be asked for once, as long as the statement that made it is the same."""
    asked, known = engine.dialect.get_columns, dict[tuple[str, str], Any]()

    def get_columns(connection: Any, table_name: str, schema: str | None = None, **more: Any) -> Any:  # noqa: ANN401
        made = _MADE.format(schema=schema or "main")
        try:
            found = connection.connection.execute(made, (table_name,)).fetchone()
        except sqlite3.Error:
            found = None
        if found is None:
            return asked(connection, table_name, schema, **more)
        if (table_name, found[0]) not in known:
            known[table_name, found[0]] = asked(connection, table_name, schema, **more)
        return known[table_name, found[0]]

    engine.dialect.get_columns = get_columns  # type: ignore[method-assign]


def _open_handed(options: SandboxOptions) -> SandboxOptions:
    """The provider that hides nothing: it shows what it gave back, and gives back as often as it is asked."""
    return replace(options, seed=0, shows_refunds=True, repeated_refund="new")


@functools.cache
def ground() -> Ground:
    """This process's ground; in memory where the machine has such a place."""
    return Ground(private_folder("world"))


def leave_ground() -> None:
    """Take this process's ground away, if it has one; the next world makes another. One that was forked is left to its maker."""
    if ground.cache_info().currsize and ground().process == os.getpid():
        ground().leave()
    ground.cache_clear()


@dataclass(frozen=True)
class Ended:
    """How a run ended: killed at a point, refused at the door, or with a report."""

    killed: bool
    code: int
    report: RunReport | None = None
    refusal: str = ""


class World:
    """One merchant, one provider, one clock, one disk, decided by a seed. Use it as a context manager."""

    def __init__(
        self,
        seed: int,
        options: SandboxOptions | None = None,
        orders: int = 3,
        start: datetime = START,
        *,
        is_sync: bool = False,
        hides_refunds: bool = False,
    ) -> None:
        self.seed = seed
        self.ground = ground()
        self.ground.clear()
        self.points = self.ground.points = Points()
        self.clock = MovableClock(start)
        self._latest = self.clock.now()
        self.put_back: list[PutBack] = []
        self.remembers_files = True
        provider = self.ground.folder / "provider"
        shutil.rmtree(provider, ignore_errors=True)
        options = _open_handed(options or SandboxOptions())
        options = replace(options, shows_refunds=False) if hides_refunds else options
        self.provider = Sandbox(provider, clock=self.clock, options=options)
        self.disk = WorldDisk(self.ground.folder / "var", self.points)
        self.merchant = Merchant(self.ground.orders_path, self.ground.reader)
        self.is_sync = is_sync
        self.settings = _of_sync_mode(self.ground.settings, self.provider) if is_sync else self.ground.settings
        self.runs: list[tuple[str, Ended]] = []
        self.stop: StopRequest = _Undisturbed()
        self.secrets: dict[str, str] = {}
        self.receiver = Receiver(self)
        self.http_trouble: Callable[[str, str], Exception | None] = lambda _name, _moment: None
        self._ids = dice(seed, "ids")
        self._process = 100
        self._alive: set[int] = set()
        self.order_ids = [f"{n:04d}-{dice(seed, 'order', n).randrange(1000)}" for n in range(orders)]
        self._fill()
        self.given = self.merchant.rows()
        self.witness = self.points.witness = Witness(
            self.ground.ledger_path,
            self.ground.orders_path,
            now=self.clock.now,
            point=lambda: len(self.points.labels),
            journal_length=lambda: self.provider._journal._n,
            reader=self.ground.reader,
        )

    def __enter__(self) -> Self:
        """Nothing more: the world stands."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Close what the provider keeps open."""
        self.provider._journal.close()

    def _fill(self) -> None:
        endings = ("a001", "a002", "a003", "a004", "a005", "a006")
        for order_id in self.order_ids:
            chance = dice(self.seed, "payment", order_id)
            token = f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7{chance.choice(endings)}"
            self.merchant.add(
                order(
                    order_id,
                    payment_token=token,
                    amount_minor=chance.randrange(100, 99999),
                    charged_at=utc_text(self.clock.now() - timedelta(hours=3, minutes=30)),
                )
            )

    def surroundings(self) -> Surroundings:
        """The surroundings of a new process."""
        self._process += 1
        owner = Owner(host="world", pid=self._process, pid_started=str(self._process))
        self._alive.add(owner.pid)
        access = SftpAccess(
            name="provider",
            connect=lambda: Transport(self.provider, self.points, self._deadline),  # type: ignore[arg-type,return-value]
            username=self.provider.sftp_username,
            key=public_key("merchant"),
            host_keys=(public_key("the provider"),),
            deadline_seconds=self._deadline_seconds,
            transports=1,
            channels=1,
            watch=_no_watch,
        )
        return Surroundings(
            clock=self.clock,
            stop=self.stop,
            disk=self.disk,
            new_run_id=lambda: f"{self._ids.getrandbits(128):032x}",
            new_batch_id=lambda: f"{self._ids.getrandbits(48):012x}",
            new_scrub_key=lambda: "00" * 32,
            this_process=lambda: owner,
            is_alive=lambda other: other.pid in self._alive,
            secret=lambda _settings, name: self.secrets.get(name, getattr(self.provider, self.name_of_secret(name))),
            make_engine=self.ground.make_engine,
            sftp_access=lambda _settings: access,
            http_transport=lambda: Requests(
                self.provider, self.points, lambda name, moment: self.http_trouble(name, moment), self.clock
            ),
            side_by_side=lambda _workers: side_by_side(1),
            aside=in_place,
            event_log=no_log,
            written_program=(lambda _timezone: "the program") if self.remembers_files else None,
        )

    def name_of_secret(self, name: str) -> str:
        """What the provider calls a secret of our account."""
        return f"sync_{name}" if self.is_sync else name

    def _deadline(self) -> None:
        self.clock.advance(timedelta(seconds=self._deadline_seconds))

    @property
    def _deadline_seconds(self) -> float:
        assert self.settings.sftp is not None
        return self.settings.sftp.deadline_seconds

    def run(self, job: str = "nightly", day: str = "", **more: Any) -> Ended:  # noqa: ANN401 - what run_with takes
        """Run one job in a process of its own, to its end or its death."""
        return self._run_of(
            job,
            lambda options, around: run_with(self.settings, options, job, day, clock=self.clock, surroundings=around, **more)[0],
        )

    def ask(self, kind: str, order_id: str, amount_minor: int) -> Ended:
        """An operator asks the provider for something about one order, in a process of its own."""

        def make(equipment: Equipment, run: Run) -> Asked:
            if kind == "cancel":
                return cancel_order(equipment, run, order_id, reason=REASON, asked_by=PERSON)
            if kind == "capture":
                return capture_order(equipment, run, order_id, reason=REASON, asked_by=PERSON)
            currency = latest_claim(equipment, order_id).currency
            return refund_order(equipment, run, RefundRequest(order_id, amount_minor, currency, REASON, PERSON))

        return self._run_of(
            kind,
            lambda options, around: run_requests(
                self.settings,
                options,
                OperationKind(kind),
                [Request(order_id, make)],
                clock=self.clock,
                surroundings=around,
            )[0],
        )

    def decide(self, decision: Decision) -> Ended:
        """An operator decides about what waits for a person, in a process of its own."""
        return self._run_of("review", lambda _options, around: carry_out(self.settings, around, decision)[0])

    def _run_of(self, job: str, work: Callable[[Options, Surroundings], RunReport]) -> Ended:
        options = Options(config=self.ground.folder / "mitbatch.toml", quiet=True)
        around = self.surroundings()
        mine = self._process
        self.witness.begins(job, mine, self.settings)
        try:
            report = work(options, around)
            ended = Ended(killed=False, code=int(report.code), report=report)
        except PowerCut:
            ended = Ended(killed=True, code=137)
        except KeyboardInterrupt:
            ended = Ended(killed=True, code=130)
        except MitbatchError as refusal:
            ended = Ended(killed=False, code=int(refusal.exit_code), refusal=str(refusal))
        self._alive.discard(mine)
        self.points.revive()
        self.witness.ends()
        if not self.witness.process:
            self.ground.let_go_of_the_dead()
        self.runs.append((job, ended))
        return ended

    def plan(self) -> Ended:
        """A dry run: judge every candidate, and write nothing."""
        try:
            with assemble(self.settings, self.surroundings(), writes=False) as workshop:
                list(verdicts(workshop.equipment, business_date(self.clock.now(), self.settings.schedule.timezone)))
            ended = Ended(killed=False, code=0)
        except PowerCut:
            ended = Ended(killed=True, code=137)
        except MitbatchError as refusal:
            ended = Ended(killed=False, code=int(refusal.exit_code), refusal=str(refusal))
        self.points.revive()
        return ended

    def pass_time(self, **step: float) -> None:
        """Let time pass on both sides, and the merchant's engine wake."""
        self.provider.advance(timedelta(**step))
        self.wake_engine()

    def set_clock_right(self) -> None:
        """A clock that was put back shows again how late it had been: no decline lies ahead of the nights to come."""
        behind = self._latest - self.clock.now()
        if behind > timedelta():
            self.pass_time(seconds=behind.total_seconds())

    def wake_engine(self) -> None:
        """The merchant's own retry runs over everything that it may take."""
        self.merchant.retry(self._charge_of)

    def _charge_of(self, order_id: str) -> Charge:
        """What is to be remembered of a charge that the merchant makes now."""
        now, journal_end, point = self.clock.now(), self.provider._journal._n, len(self.points.labels)
        return Charge(order_id, now, max(self._latest, now), journal_end, self._unread(), point, self._told_of(order_id))

    def _told_of(self, order_id: str) -> tuple[tuple[str, str], ...]:
        """The states by which the ledger tells of an order, with their moments; none, while it cannot be read."""
        query = "SELECT to_state, at FROM event WHERE subject = ? AND kind = 'transition' ORDER BY seq"
        try:
            return tuple(self.ground.reader(self.ground.ledger_path).execute(query, (f"order:{order_id}",)))
        except (sqlite3.DatabaseError, OSError):
            return ()

    def leap(self, step: timedelta) -> None:
        """The clock that all share leaps; how late it had ever been is kept, for nobody unsays what they said then.

        Where it is put back, what the ledger holds is kept too: later moments do not tell any more what came first.
        """
        self._latest = max(self._latest, self.clock.now())
        if step < timedelta():
            with suppress(sqlite3.DatabaseError, OSError):  # it cannot be read just now, and nothing is known of it
                self.put_back.append(held_by(self.ground.reader(self.ground.ledger_path)))
        self.clock.advance(step)

    def _unread(self) -> tuple[bytes, ...]:
        """What lies in the provider's inbound folder under a final name."""
        waiting = [path for path in sorted(self.provider.inbound.iterdir()) if path.suffix != ".part"]
        rows = self.provider._journal.rows() if waiting else []
        read = {row["file"] for row in rows if row["event"] in ("file_received", "file_refused")}
        return tuple(path.read_bytes() for path in waiting if path.name not in read)

    def states(self) -> dict[str, str]:
        """Each order's latest state in the ledger."""
        ledger = self.ground.reader(self.ground.ledger_path)
        return dict(ledger.execute("SELECT order_id, state FROM submission ORDER BY attempt").fetchall())


def _of_sync_mode(settings: Settings, provider: Sandbox) -> Settings:
    """The same merchant with the provider's account of sync mode, which knows no files."""
    ours = settings.provider.model_copy(update={"mid": provider.sync_mid, "mit_mode": "sync"})
    channels = settings.channels.model_copy(update={"evaluate": "api", "transmit": "off"})
    ids = provider.sync_site_ids
    sites = tuple(site.model_copy(update={"site_id": ids[site.name]}) if site.name in ids else site for site in settings.sites)
    return settings.model_copy(update={"provider": ours, "channels": channels, "sites": sites})


async def in_place(work: Callable[[], Given]) -> Given:
    """Do what others do on another thread at once, in this one, so that a seed decides what comes first."""
    return work()


class _Undisturbed(StopRequest):
    """Signals are the machine's, and no part of this world."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to nothing."""
        yield


class _NoWatch:
    def __enter__(self) -> None:
        """Deadlines are decided by the world."""

    def __exit__(self, *failure: object) -> None:
        """Nothing was started."""


def _no_watch(_seconds: float, _action: Callable[[], None]) -> Any:  # noqa: ANN401 - a context of nothing
    return _NoWatch()
