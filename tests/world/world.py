"""World(seed): one merchant and one provider on one clock, in which runs of the production code live, die and go on.

Nothing here reads the machine's clock, makes an id of its own, or opens a socket. The two databases are real SQLite
files; a run reaches everything through the surroundings that it is handed, and every touch is a labelled point.
"""

import functools
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from batch.ledger import Owner
from batch.sftp_connection import SftpAccess
from jobs.clock import MovableClock
from jobs.databases import open_ledger
from jobs.night import run_with
from jobs.output import Options
from jobs.outside import StopRequest, side_by_side
from jobs.running import RunReport
from jobs.sample_orders import orders as orders_table
from jobs.sandbox import Sandbox
from jobs.sandbox.options import SandboxOptions
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings
from schemas.errors import MitbatchError
from schemas.settings import Settings
from tests.night.house import order
from tests.world.dice import dice
from tests.world.disk import WorldDisk
from tests.world.line import Transport, public_key
from tests.world.merchant import Merchant
from tests.world.points import Points, PowerCut
from tests.world.requests import Requests

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""Half past one in the night of 23 November in New York."""


class Ground:
    """The folder in memory where worlds stand, one after another, with engines that are made once and used by all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engines: dict[str, Engine] = {}
        self._connections: list[sqlite3.Connection] = []
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

    def make_engine(self, url: URL | str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
        """An engine for each database, kept, so that statements are compiled once; each commit is two points."""
        name = str(make_url(url).database)
        if name not in self.engines:
            engine = create_engine(url, **options)
            _with_points(engine, Path(name).stem, lambda: self.points)
            event.listen(engine, "connect", lambda connection, _record: self._connections.append(connection))
            self.engines[name] = engine
        return self.engines[name]

    def clear(self) -> None:
        """Put both databases back to blank, after every connection was closed: one that a dead run left would read the past."""
        for engine in self.engines.values():
            engine.dispose()
        while self._connections:
            self._connections.pop().close()
        for path, content in ((self.ledger_path, self.blank_ledger), (self.orders_path, self.blank_orders)):
            for ending in ("-wal", "-shm", "-journal"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            path.write_bytes(content)

    def leave(self) -> None:
        """Take the folder away."""
        for engine in self.engines.values():
            engine.dispose()
        shutil.rmtree(self.folder)


def _with_points(engine: Engine, name: str, points: Callable[[], Points]) -> None:
    commit = engine.dialect.do_commit

    def do_commit(connection: Any) -> None:  # noqa: ANN401 - the driver's own type
        points().cross(f"commit {name}", "before")
        commit(connection)
        points().cross(f"commit {name}", "after")

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign,assignment]


@functools.cache
def ground() -> Ground:
    """This process's ground; in memory where the machine has such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - a fresh folder of our own is made inside
    return Ground(Path(tempfile.mkdtemp(prefix="mitbatch-world-", dir=memory if memory.is_dir() else None)))


@dataclass(frozen=True)
class Ended:
    """How a run ended: killed at a point, refused at the door, or with a report."""

    killed: bool
    code: int
    report: RunReport | None = None
    refusal: str = ""


class World:
    """One merchant, one provider, one clock, one disk, decided by a seed. Use it as a context manager."""

    def __init__(self, seed: int, options: SandboxOptions | None = None, orders: int = 3) -> None:
        self.seed = seed
        self.ground = ground()
        self.ground.clear()
        self.points = self.ground.points = Points()
        self.clock = MovableClock(START)
        provider = self.ground.folder / "provider"
        shutil.rmtree(provider, ignore_errors=True)
        self.provider = Sandbox(provider, clock=self.clock, options=replace(options or SandboxOptions(), seed=0))
        self.disk = WorldDisk(self.ground.folder / "var", self.points)
        self.merchant = Merchant(self.ground.orders_path)
        self.settings = self.ground.settings
        self.runs: list[tuple[str, Ended]] = []
        self.http_trouble: Callable[[str, str], Exception | None] = lambda _name, _moment: None
        self._ids = dice(seed, "ids")
        self._process = 100
        self._alive: set[int] = set()
        self.order_ids = [f"{n:04d}-{dice(seed, 'order', n).randrange(1000)}" for n in range(orders)]
        self._fill()

    def __enter__(self) -> Self:
        """Nothing more: the world stands."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Close what the provider keeps open."""
        self.provider._journal.close()

    def _fill(self) -> None:
        endings = ("a001", "a002", "a003", "a004", "a005", "a006")
        with closing(sqlite3.connect(self.ground.orders_path)) as connection, connection:
            for order_id in self.order_ids:
                chance = dice(self.seed, "payment", order_id)
                token = f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7{chance.choice(endings)}"
                row = order(order_id, payment_token=token, amount_minor=chance.randrange(100, 99999))
                marks = ", ".join("?" for _ in row)
                connection.execute(f"INSERT INTO orders ({', '.join(row)}) VALUES ({marks})", list(row.values()))

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
            deadline_seconds=self.settings.sftp.deadline_seconds,
            transports=1,
            channels=1,
            watch=_no_watch,
        )
        return Surroundings(
            clock=self.clock,
            stop=_Undisturbed(),
            disk=self.disk,
            new_run_id=lambda: f"{self._ids.getrandbits(128):032x}",
            new_batch_id=lambda: f"{self._ids.getrandbits(48):012x}",
            new_scrub_key=lambda: "00" * 32,
            this_process=lambda: owner,
            is_alive=lambda other: other.pid in self._alive,
            secret=lambda _settings, name: getattr(self.provider, name),
            make_engine=self.ground.make_engine,
            sftp_access=lambda _settings: access,
            http_transport=lambda: Requests(self.provider, self.points, lambda name, moment: self.http_trouble(name, moment)),
            side_by_side=lambda _workers: side_by_side(1),
        )

    def _deadline(self) -> None:
        self.clock.advance(timedelta(seconds=self.settings.sftp.deadline_seconds))

    def run(self, job: str = "nightly", day: str = "", **more: Any) -> Ended:  # noqa: ANN401 - what run_with takes
        """Run one job in a process of its own, to its end or its death."""
        options = Options(config=self.ground.folder / "mitbatch.toml", quiet=True)
        around = self.surroundings()
        mine = self._process
        try:
            report, _ = run_with(self.settings, options, job, day, clock=self.clock, surroundings=around, **more)
            ended = Ended(killed=False, code=int(report.code), report=report)
        except PowerCut:
            ended = Ended(killed=True, code=137)
        except MitbatchError as refusal:
            ended = Ended(killed=False, code=int(refusal.exit_code), refusal=str(refusal))
        self._alive.discard(mine)
        self.points.revive()
        self.runs.append((job, ended))
        return ended

    def pass_time(self, **step: float) -> None:
        """Let time pass on both sides, and the merchant's engine wake."""
        self.provider.advance(timedelta(**step))
        self.wake_engine()

    def wake_engine(self) -> None:
        """The merchant's own retry runs over everything that it may take."""
        self.merchant.retry(self.clock.now(), len(self.provider._journal.rows()))

    def states(self) -> dict[str, str]:
        """Each order's latest state in the ledger."""
        with closing(sqlite3.connect(self.ground.ledger_path)) as connection:
            return dict(connection.execute("SELECT order_id, state FROM submission ORDER BY attempt").fetchall())


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
