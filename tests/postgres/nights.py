"""Whole nights with ledger and orders on PostgreSQL, whose connections die at random statements, judged from outside.

The provider is the world's: real SFTP packets and HTTP requests in memory, and a journal that is the judge.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

from batch.ledger import Owner
from batch.sftp_connection import SftpAccess
from jobs.clock import MovableClock
from jobs.databases import open_ledger
from jobs.disk import MachineDisk
from jobs.night import run_with
from jobs.output import Options
from jobs.outside import StopRequest, side_by_side
from jobs.sample_orders import orders as orders_table
from jobs.sandbox import Sandbox
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, no_log
from schemas.errors import ExitCode, MitbatchError
from tests.in_memory import private_folder
from tests.night.house import START, order
from tests.postgres.cluster import Cluster
from tests.postgres.house import THEIRS
from tests.world.line import Transport, public_key
from tests.world.points import Points
from tests.world.requests import Requests
from tests.world.world import in_place

ENDINGS = {"a001": "completed", "a002": "declined", "a004": "pending", "a005": "rejected", "a006": "pending"}
"""Endings of payment tokens, and where their orders stand a day later."""

SHOWN = {"completed": "completed", "declined": "not_recovered", "pending": "pending", "rejected": "not_recovered"}
MOMENTS = ("before", "after", "before commit", "after commit")
ARRIVED = "once a file has arrived"
ALLOWED = {ExitCode.CLEAN, ExitCode.NEEDS_PERSON, ExitCode.IN_DOUBT, ExitCode.NOTHING_SENT}
MOST_STATEMENTS = 160


class Killer:
    """Ends the backend of a connection at the n-th statement of a run: before it, after it, or around a COMMIT.

    With `ARRIVED` the statements are counted from the one that follows a file's arrival at the provider.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._direct = cluster.connect(autocommit=True)
        self.plan: dict[int, str] = {}
        self.seen = self.since = self.fired = 0
        self.arrived: Callable[[], bool] = lambda: False

    def arm(self, plan: dict[int, str], arrived: Callable[[], bool] = lambda: False) -> None:
        """From now on, kill at these statements."""
        self.plan, self.seen, self.since, self.arrived = plan, 0, 0, arrived

    def watch(self, engine: Engine) -> None:
        """Look at every statement and every commit of an engine."""
        event.listen(engine, "before_cursor_execute", lambda link, *_: self._count(link.connection.dbapi_connection))
        event.listen(engine, "after_cursor_execute", lambda link, *_: self._strike("after", link.connection.dbapi_connection))
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:  # noqa: ANN401 - the driver's own type
            link = getattr(connection, "dbapi_connection", connection)
            self._strike("before commit", link)
            commit(connection)
            if self._strike("after commit", link):
                raise psycopg.OperationalError("the connection was lost before the answer to COMMIT came")

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign,assignment]

    def _count(self, link: "psycopg.Connection[Any]") -> None:
        self.seen += 1
        self._strike("before", link)
        if ARRIVED in self.plan.values() and self.arrived():
            self.since += 1
            self._strike(ARRIVED, link)

    def _strike(self, moment: str, link: "psycopg.Connection[Any]") -> bool:
        passed = self.since if moment == ARRIVED else self.seen
        due = [at for at, when in self.plan.items() if at <= passed and when == moment]
        for at in due:
            del self.plan[at]
            self.fired += 1
            self._direct.execute("SELECT pg_terminate_backend(%s, 5000)", [link.info.backend_pid])
        if due and moment == "after commit":
            link.close()
        return bool(due)


class Ground:
    """What all schedules of one process share: two databases, their engines, the settings and a folder in memory."""

    def __init__(self, cluster: Cluster) -> None:
        self.folder = private_folder("pg")
        self.cluster, self.killer, self._engines = cluster, Killer(cluster), dict[str, Engine]()
        databases = {name: cluster.database() for name in ("orders", "ledger")}
        self._urls = {name: cluster.url(database) for name, database in databases.items()}
        text = Sandbox(self.folder / "provider", clock=MovableClock(START)).settings_toml("var", "sqlite:///orders.db")
        text = text.replace("127.0.0.1:0/", "127.0.0.1:9/").replace("port = 0", "port = 9")  # nobody is asked there
        self.config = self.folder / "mitbatch.toml"
        self.config.write_text(text, encoding="utf-8")
        loaded = load_settings(self.config)
        changed = {name: getattr(loaded, name).model_copy(update={"url": self._urls[name]}) for name in self._urls}
        self.settings = loaded.model_copy(update=changed)
        engine = create_engine(self._urls["orders"])
        orders_table.metadata.create_all(engine)
        engine.dispose()
        open_ledger(self._urls["ledger"]).dispose()
        self.orders = cluster.connect(databases["orders"], autocommit=True)
        self.ledger = cluster.connect(databases["ledger"], autocommit=True)

    def make_engine(self, url: URL | str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
        """One engine for each database, kept and watched."""
        name = str(url)
        if name not in self._engines:
            self._engines[name] = create_engine(url, **options)
            self.killer.watch(self._engines[name])
        return self._engines[name]

    def clear(self) -> None:
        """Empty both databases and the folders."""
        for name in ("provider", "var"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.orders.execute("TRUNCATE orders")
        tables = self.ledger.execute("SELECT tablename FROM pg_tables WHERE schemaname='public' AND tablename!='alembic_version'")
        self.ledger.execute("SET session_replication_role = replica")
        self.ledger.execute(f"TRUNCATE {', '.join(row['tablename'] for row in tables.fetchall())}".encode())

    def leave(self) -> None:
        """Close what is open, and take the folder away."""
        for connection in (self.orders, self.ledger, self.killer._direct):
            connection.close()
        shutil.rmtree(self.folder)


class _Undisturbed(StopRequest):
    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to nothing."""
        yield


class Nights:
    """One seed: a few orders, two runs in which connections die, then quiet ones, and what is wrong at the end."""

    def __init__(self, ground: Ground, seed: int, figures: Counter[str]) -> None:
        ground.clear()
        self.ground, self.seed, self.figures = ground, seed, figures
        self.rng, self.clock, self.points = random.Random(seed), MovableClock(START), Points()  # noqa: S311 - a seed's choices
        self.points.witness = mock.Mock()  # the world's own oracle is not here
        self.provider = Sandbox(ground.folder / "provider", clock=self.clock)
        self._process, self._ids = 0, random.Random(seed + 1)  # noqa: S311
        self.wanted: dict[str, str] = {}
        self.violations: list[str] = []
        for number in range(self.rng.randint(1, 4)):
            order_id, ending = f"{seed % 10**6:06d}-{number}", self.rng.choice(list(ENDINGS))
            self.wanted[order_id] = ENDINGS[ending]
            row = order(order_id, payment_token=f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7{ending}")
            marks = ", ".join(["%s"] * len(row))
            ground.orders.execute(f"INSERT INTO orders ({', '.join(row)}) VALUES ({marks})".encode(), list(row.values()))

    def play(self) -> list[str]:
        """Let it happen. Returns what was violated, each with the seed."""
        for job in ("nightly", self.rng.choice(("nightly", "nightly", "poll"))):
            places = self.rng.sample(range(1, MOST_STATEMENTS), self.rng.choice((1, 1, 2, 3)))
            plan = {place: self.rng.choice(MOMENTS) for place in places}
            if self.rng.random() < 0.5:
                storm = range(1, self.rng.choice((2, 3, 60, 60)))  # sixty: nothing of this run is recorded any more
                plan |= dict.fromkeys(storm, ARRIVED)
            before = len(self._received())
            self.ground.killer.arm(plan, lambda before=before: len(self._received()) > before)  # type: ignore[misc]
            self._run(job)
            self.provider.advance(timedelta(hours=1))
        self.ground.killer.arm({})
        for job, hours in (("nightly", 2), ("poll", 20), ("poll", 1)):
            self._run(job, everything=job == "poll")
            self.provider.advance(timedelta(hours=hours))
        self.provider._journal.close()
        return [f"{words} (seed {self.seed})" for words in [*self.violations, *self._at_the_end()]]

    def _run(self, job: str, **more: Any) -> None:  # noqa: ANN401 - what run_with takes
        received = len(self._received())
        try:
            report, _ = run_with(
                self.ground.settings,
                Options(config=self.ground.config, quiet=True),
                job,
                "",
                clock=self.clock,
                surroundings=self._surroundings(),
                **more,
            )
            code, words = report.code, str([str(problem) for problem in report.findings.problems])
        except MitbatchError as problem:
            code, words = problem.exit_code, str(problem)
        self.figures[f"PostgreSQL nights that ended with {int(code)}"] += 1
        if code not in ALLOWED:
            self.violations.append(f"I20: {job} ended with {int(code)}: {words}")
        if code is ExitCode.NOTHING_SENT and len(self._received()) > received:
            self.violations.append(f"I20: {job} ended with 20 although a file arrived")
        self._retry()

    def _received(self) -> list[dict[str, Any]]:
        return [row for row in self.provider.journal() if row["event"] == "file_received"]

    def _retry(self) -> None:
        """The merchant's own retry may take none of the orders that the provider has."""
        have = {str(row["order_id"]) for row in self.provider.accepted("evaluate")}
        at_work = {str(row["order_id"]) for row in self.provider.orders() if row["status"] not in ENDED_THERE}
        free = f"SELECT order_id FROM orders WHERE order_id = ANY(%s) AND {THEIRS.partition('order_id=? AND ')[2]}"
        for row in self.ground.orders.execute(free.encode(), [sorted(have & at_work)]):
            self.violations.append(f"I1: {row['order_id']} is free for the merchant while the provider works on it")

    def _at_the_end(self) -> Iterator[str]:
        accepted = Counter(str(row["order_id"]) for row in self.provider.accepted("evaluate"))
        yield from (f"I2: {name} was accepted {times} times" for name, times in accepted.items() if times > 1)
        found = self.ground.ledger.execute("SELECT order_id, state FROM submission ORDER BY attempt").fetchall()
        states = {row["order_id"]: row["state"] for row in found}
        rows = {row["order_id"]: row for row in self.ground.orders.execute("SELECT * FROM orders").fetchall()}
        for name, state in self.wanted.items():
            if states.get(name) != state or rows[name]["status"] != SHOWN[state]:
                yield f"I13: {name} is {states.get(name)} and its row {rows[name]['status']}, not {state}"
            if (rows[name]["hold_reference"] is None) != (SHOWN[state] == "not_recovered"):
                yield f"I1: the hold of {name} is {rows[name]['hold_reference']}"
            if state != "rejected" and accepted[name] != 1:
                yield f"I2: {name} was accepted {accepted[name]} times"

    def _surroundings(self) -> Surroundings:
        self._process += 1
        me, ids = Owner(host="here", pid=self._process, pid_started=str(self._process)), self._ids
        access = SftpAccess(
            name="provider",
            connect=lambda: Transport(self.provider, self.points, lambda: None),  # type: ignore[arg-type,return-value]
            username=self.provider.sftp_username,
            key=public_key("merchant"),
            host_keys=(public_key("the provider"),),
            deadline_seconds=60,
            transports=1,
            channels=1,
            watch=_no_watch,
        )
        return Surroundings(
            clock=self.clock,
            stop=_Undisturbed(),
            disk=MachineDisk(),
            new_run_id=lambda: f"{ids.getrandbits(128):032x}",
            new_batch_id=lambda: f"{ids.getrandbits(48):012x}",
            new_scrub_key=lambda: "00" * 32,
            this_process=lambda: me,
            is_alive=lambda other: other == me,
            secret=lambda _settings, name: getattr(self.provider, name),
            make_engine=self.ground.make_engine,
            sftp_access=lambda _settings: access,
            http_transport=lambda: Requests(self.provider, self.points, lambda _name, _moment: None, self.clock),
            side_by_side=lambda _workers: side_by_side(1),
            aside=in_place,
            event_log=no_log,
        )


ENDED_THERE = ("Completed", "Declined", "Cancelled", "Expired", "Rejected")


@contextmanager
def _no_watch(_seconds: float, _action: Callable[[], None]) -> Iterator[None]:
    yield
