"""A ledger in a file with a clock that stands still, and the few steps that every test of it needs."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batch.books import FIRST_HASH
from batch.build import idempotency_key
from batch.ledger import Batch, Ledger, Owner, Run, Submission
from batch.ledger.claim import Claim, NewBatch, claim_batch
from batch.ledger.lease import LeaseTerms, take_lease
from batch.ledger.past import past_of
from batch.ledger.reading import attempts_of
from jobs.clock import MovableClock
from jobs.databases import open_ledger
from schemas.order import Order, Origin
from schemas.states import State

MID = "3f1c09ab-0000-4000-8000-000000000001"
START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
DAY = "2026-11-23"
HERE = Owner(host="here", pid=7, pid_started="1")
TERMS = LeaseTerms(seconds=900, wait_seconds=600)


def order(order_id: str) -> Order:
    """A recurring charge of 19.99 USD."""
    values: dict[str, Any] = dict.fromkeys(Order._fields, "")
    values |= {"order_id": order_id, "site": "acme-us", "origin": Origin.RECURRING, "amount_minor": 1999, "currency": "USD"}
    values |= {"charged_at": "2026-11-23T01:00:00Z", "attempts_30d": 1, "exp_month": None, "exp_year": None, "opted_out": False}
    return Order(**values)


@dataclass
class Room:
    """The ledger, its file, its clock, and the run that holds its lease."""

    path: Path
    clock: MovableClock = field(default_factory=lambda: MovableClock(START))
    told: list[Mapping[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the ledger and take its lease for a night."""
        self.ledger = Ledger(
            open_ledger(f"sqlite:///{self.path}"),
            mid=MID,
            clock=self.clock,
            lease_seconds=TERMS.seconds,
            told=self._hear,
        )
        self.run = self.take("first")

    def take(
        self,
        run_id: str,
        job: str = "nightly",
        *,
        day: str = DAY,
        owner: Owner = HERE,
        alive: bool = True,
        terms: LeaseTerms = TERMS,
    ) -> Run:
        """Take the lease, as a run of this process that finds every other one alive or dead."""
        return take_lease(
            self.ledger,
            run_id=run_id,
            job=job,
            business_date=day,
            owner=owner,
            terms=terms,
            is_alive=lambda _: alive,
            sleep=self.clock.sleep,
        )

    def _hear(self, events: Sequence[Mapping[str, object]]) -> None:
        """Whoever is told of an event can read it in the ledger."""
        known = {str(row[0]) for row in self.sql("SELECT hash FROM event")}
        assert [row["subject"] for row in events if row["hash"] not in known] == []
        self.told += events

    def claim(self, batch_id: str, *order_ids: str) -> Batch:
        """Claim these orders for one evaluate file."""
        with self.ledger.writing(self.run) as writing:
            known = past_of(writing.connection, MID, order_ids)
            claims = []
            for order_id in order_ids:
                past = known.get(order_id)
                attempt = past.attempt + 1 if past else 1
                key = idempotency_key(MID, order_id, attempt)
                claims.append(
                    Claim(
                        order=order(order_id),
                        attempt=attempt,
                        idempotency_key=key,
                        hold_reference=f"mitbatch:{key}",
                        record={"orderId": order_id},
                        previous_seq=past.event_seq if past else 0,
                        previous_hash=past.event_hash if past else FIRST_HASH,
                        previous_date=past.event_date if past else "",
                    )
                )
            return claim_batch(
                writing, NewBatch(batch_id, "evaluate", f"{batch_id}.json", "json", "2026-12-14T06:30:00Z"), claims
            )

    def submission(self, order_id: str) -> Submission:
        """The latest claim of an order."""
        with self.ledger.reading() as connection:
            return attempts_of(connection, MID, order_id)[-1]

    def put(self, order_id: str, state: State) -> Submission:
        """Put an order into a state behind the ledger's back."""
        self.sql("UPDATE submission SET state = ? WHERE order_id = ?", state.value, order_id)
        return self.submission(order_id)

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement on the file, past everything that guards it but the database itself."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def everything(self, *without: str) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        names: Sequence[str] = [str(row[0]) for row in self.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(self.sql(f"SELECT * FROM {name}"), key=repr) for name in names if name not in without}

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.engine.dispose()
