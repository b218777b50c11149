"""One ledger with its order table in one SQLite file, put back to any earlier moment in a fraction of a millisecond."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from batch.acknowledgements import STABLE_AFTER, collect
from batch.api_sends import ProviderSends
from batch.choosing import choose
from batch.delivery import Delivery
from batch.departures import Departures
from batch.equipment import Equipment
from batch.export import ExportFolder
from batch.findings import Findings
from batch.ledger import Batch, Ledger, Owner
from batch.ledger.batches import unsent_batches
from batch.ledger.hints import make_due
from batch.ledger.lease import LeaseTerms, take_lease
from batch.ledger.webhook_inbox import Arrival, store_webhooks
from batch.orders_table import orders_table
from batch.poll import poll
from batch.results import write_back
from batch.search import look_for_unanswered
from batch.source import OrderSource
from batch.webhook_news import apply_webhooks
from batch.writeback import OrderWriter
from jobs.clock import MovableClock
from jobs.databases import begin_ourselves
from jobs.sample_orders import orders as default_orders
from schemas.decline_codes import parse_decline_codes
from schemas.ledger_tables import metadata
from schemas.network_rules import parse_network_rules
from schemas.profile import Profile, parse_profile
from schemas.settings import Settings
from tests.audit.ledger_builder import settings as invented_settings
from tests.confluence.kit import File, Message, Said, Shape, Webhook
from tests.confluence.provider import Kept, Provider, RunnerDied
from tests.night.house import order

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
DAY = "2026-11-23"
BETWEEN = timedelta(seconds=90)
"""So much time passes between two messages: more than it takes until a file counts as one that nobody writes any more."""

BATCH_IDS = ("00000000000a", "00000000000b", "00000000000c")
Memory = tuple[sqlite3.Connection, Kept, datetime]


class Nowhere(ExportFolder):
    """Keeps no CSV."""

    def __init__(self) -> None:
        """Nothing is needed for that."""

    def write(self, business_date: str, batch_id: str, kind: str, content: bytes) -> Path:
        """Keep nothing."""
        return Path(batch_id)


class Unmarked(Departures):
    """Marks nothing."""

    def __init__(self) -> None:
        """Nothing is needed for that."""

    def mark(self, kind: str, batch_id: str, file_name: str) -> None:
        """Mark nothing."""


class Silent:
    """A progress that nobody watches."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1) -> None:
        """Say nothing."""

    def trouble(self, sentence: str) -> None:
        """Say nothing."""


@cache
def profile() -> Profile:
    """The packaged profile."""
    return parse_profile((files("schemas") / "profiles" / "flexfactor.toml").read_text(encoding="utf-8"))


@cache
def settings() -> Settings:
    """Settings of an invented merchant that sends CSV-free JSON files over SFTP."""
    return invented_settings()


def file_name(batch_id: str) -> str:
    """What the batch file of this id is called."""
    kind = profile().files.evaluate_prefix
    mid8 = settings().provider.mid[:8]
    return f"{kind}_{mid8}_{DAY.replace('-', '')}_{batch_id}.json"


@dataclass(frozen=True, slots=True)
class End:
    """What one order of arrival ended in, as far as it must not depend on that order."""

    states: tuple[tuple[object, ...], ...]
    rows: tuple[tuple[object, ...], ...]
    items: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str], ...]


class Bench:
    """The product's collecting, searching, polling and writing back on one connection, with a clock that stands still."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "locking_mode=EXCLUSIVE", "foreign_keys=ON"):
            self.raw.execute(f"PRAGMA {pragma}")
        engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool)
        begin_ourselves(engine)
        self.engine = engine
        metadata.create_all(engine)
        default_orders.metadata.create_all(engine)
        self.clock = MovableClock(START)
        self.provider = Provider(profile())
        ledger = Ledger(engine, mid=settings().provider.mid, clock=self.clock, lease_seconds=900)
        table = orders_table(settings().orders, [column.name for column in default_orders.columns])
        packaged = files("schemas")
        batch_ids = iter(BATCH_IDS)
        self.equipment = Equipment(
            settings=settings(),
            profile=profile(),
            network_rules=parse_network_rules((packaged / "network_rules.toml").read_text(encoding="utf-8")),
            decline_codes=parse_decline_codes((packaged / "decline_codes.toml").read_text(encoding="utf-8")),
            ledger=ledger,
            source=OrderSource(engine, table),
            writer=OrderWriter(engine, table),
            folder=self.provider,
            api=self.provider,
            sends=cast("ProviderSends", None),  # these stories travel by files alone
            export=Nowhere(),
            departures=Unmarked(),
            clock=self.clock,
            new_batch_id=lambda: next(batch_ids),
            scrub_key=bytes(32),
            side_by_side=_one_after_the_other,
            progress=Silent(),
        )
        self.run = take_lease(
            ledger,
            run_id="run-1",
            job="nightly",
            business_date=DAY,
            owner=Owner("here", 7, "1"),
            terms=LeaseTerms(seconds=900, wait_seconds=0),
            is_alive=lambda _: True,
            sleep=self.clock.sleep,
        )
        self.eager = False
        self.lies = False

    def prepare(self, shape: Shape, refusal: File | None = None) -> None:
        """Choose, claim, hold and send what the shape says, each file by the product's own steps."""
        for order_ids in shape.files:
            self._add(order_ids)
            self._send(shape.step)
            if shape.claimed_again and refusal is not None:
                self._claim_again(refusal, order_ids)
        self.clock.advance(timedelta(minutes=shape.minutes))
        self.eager = shape.eager
        self.provider.tells_times = shape.tells_times
        self.lies = shape.lies

    def _add(self, order_ids: Sequence[str]) -> None:
        for order_id in order_ids:
            row = order(order_id)
            names, marks = ", ".join(row), ", ".join("?" for _ in row)
            self.raw.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", list(row.values()))

    def _send(self, step: str) -> None:
        choose(self.equipment, self.run)
        with self.equipment.ledger.reading() as connection:
            unsent = unsent_batches(connection, self.equipment.ledger.mid)
        self.provider.loses_rename = step
        with suppress(RunnerDied):
            Delivery(self.equipment, self.run, Findings()).deliver(unsent)
        self.provider.loses_rename = ""

    def _claim_again(self, refusal: File, order_ids: Sequence[str]) -> None:
        self.arrive(refusal)
        self.provider.files.clear()
        for order_id in order_ids:
            self.raw.execute("UPDATE orders SET status='declined', provider_status=NULL WHERE order_id=?", [order_id])
        self._send("delivered")

    def arrive(self, message: Message) -> None:
        """A message arrives, and the product does what a poll does: collect, search, ask, write back."""
        self.clock.advance(BETWEEN)
        if isinstance(message, Webhook):
            self.keep(message.content)
            self.visit()
            return
        self.provider.send(message)
        if isinstance(message, Said):
            with self.equipment.ledger.writing(self.run) as writing:
                make_due(writing, provider_order_id="", order_id=message.order_id, called_expired=False)
        self.visit()

    def keep(self, content: bytes) -> None:
        """The receiver keeps a webhook, beside the run; its nonce was never used before."""
        (number,) = self.raw.execute("SELECT count(*) FROM webhook").fetchone()
        store_webhooks(self.equipment.ledger, [Arrival(f"nonce-{number}", self.clock.now(), self.clock.now(), content)])

    def visit(self) -> None:
        """What a poll does; then the merchant's own retry takes what is free, if it is an eager one."""
        self.collect()
        if apply_webhooks(self.equipment, self.run):
            self.provider.heard |= {row[0] for row in self.raw.execute("SELECT content FROM evidence WHERE source='webhook'")}
        look_for_unanswered(self.equipment, self.run)
        poll(self.equipment, self.run)
        write_back(self.equipment, self.run)
        if self.eager:
            free = "status IN ('declined','not_recovered') AND hold_reference IS NULL AND retry_state IS NULL"
            self.raw.execute(f"UPDATE orders SET status='paid' WHERE {free}")

    def collect(self) -> None:
        """Read the outbound folder; once more a minute later where files lie there for so long."""
        collect(self.equipment, self.run)
        if self.lies:
            self.clock.advance(STABLE_AFTER)
            collect(self.equipment, self.run)

    def remember(self, into: sqlite3.Connection) -> Memory:
        """Everything as it is now, to come back to."""
        self.raw.backup(into)
        return into, self.provider.remember(), self.clock.now()

    def go_back(self, memory: Memory) -> None:
        """Be again as it was then."""
        memory[0].backup(self.raw)
        self.provider.forget(memory[1])
        self.clock.advance(memory[2] - self.clock.now())

    def end(self) -> End:
        """The state as it must be, whatever the order of arrival: not the times, not the number of events."""
        rows = self.raw.execute
        return End(
            states=tuple(
                rows(
                    "SELECT order_id, attempt, state, provider_order_id, provider_status, amount_minor, currency, "
                    "(SELECT json_extract(e.detail, '$.recovered_minor') FROM event e WHERE e.subject = 'order:' || s.order_id "
                    "AND e.to_state = s.state AND e.kind = 'transition' ORDER BY e.seq DESC LIMIT 1) "
                    "FROM submission s ORDER BY 1, 2"
                ).fetchall()
            ),
            rows=tuple(
                rows(
                    "SELECT order_id, status, hold_reference, hold_until, provider_order_id, provider_status "
                    "FROM orders ORDER BY 1"
                ).fetchall()
            ),
            items=tuple(rows("SELECT kind, subject FROM item WHERE closed_at IS NULL ORDER BY 1, 2").fetchall()),
            steps=tuple(rows("SELECT batch_id, step FROM batch ORDER BY 1").fetchall()),
        )

    def has_unread(self) -> bool:
        """Whether a file lies there that could not be read and may still be being written."""
        return self.raw.execute("SELECT 1 FROM remote_file WHERE verdict = 'unstable'").fetchone() is not None

    def overlooks(self) -> bool:
        """Whether a content lies there that was never read: the listing gave no sign that it is another one."""
        return not self.provider.heard.issuperset(self.provider.files.values())

    def wait(self, for_so_long: timedelta = BETWEEN) -> None:
        """Time passes, and the product looks again; nothing new has arrived."""
        self.clock.advance(for_so_long)
        self.visit()

    def situation(self) -> object:
        """All that the product can read when the next message arrives: two equal ones go on alike.

        The clock is the same after as many messages. Times that nothing is compared with, and the events, of which only the
        chain's head is used, are left out.
        """
        tables = (
            "SELECT order_id, attempt, state, provider_order_id, provider_status, next_read_at, expired_hint, sequence_number, "
            "row_version = written_version, handed_over_date FROM submission ORDER BY 1, 2",
            "SELECT batch_id, step, delivered_at FROM batch ORDER BY 1",
            "SELECT kind, subject, closed_at IS NULL FROM item ORDER BY 1, 2, 3",
            "SELECT name, content_hash, verdict, CASE verdict WHEN 'unstable' THEN seen_at END, modified, "
            "read_at = max(read_at) OVER (PARTITION BY name) FROM remote_file ORDER BY 1, 2",
            "SELECT evidence_id FROM evidence ORDER BY 1",
            "SELECT provider_order_id, evidence_id FROM early_news ORDER BY 1, 2",
            "SELECT content_hash, verdict FROM webhook ORDER BY 1, 2",
            "SELECT order_id, status, hold_reference, hold_until, provider_order_id, provider_status FROM orders ORDER BY 1",
        )
        rows = tuple(tuple(self.raw.execute(query).fetchall()) for query in tables)
        provider = self.provider
        files = frozenset((name, content, provider.times[name]) for name, content in provider.files.items())
        return rows, files, frozenset(provider.said.values()), frozenset(provider.heard)

    def close(self) -> None:
        """Close the file."""
        self.engine.dispose()
        self.raw.close()


def _one_after_the_other(work: Callable[[Batch], None], batches: Sequence[Batch]) -> None:
    for batch in batches:
        work(batch)
