"""The inbox: a webhook is kept whole before anybody answers for it, once by its nonce, and settled once."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event

from batch.ledger import Ledger
from batch.ledger.webhook_inbox import (
    MOST_RECEIVERS,
    Backlog,
    backlog,
    check_writable,
    settle_webhook,
    store_webhooks,
    waiting_webhooks,
)
from jobs.databases import open_ledger
from schemas.errors import LedgerBusy, TransitionLost
from tests.ledger.room import MID, START, Room
from tests.webhooks.keeping import arrival
from tests.webhooks.signing import payload


def contents(room: Room) -> list[bytes]:
    """What waits to be applied."""
    with room.ledger.reading() as connection:
        return [waiting.content for waiting in waiting_webhooks(connection, MID, limit=99)]


def test_a_webhook_is_kept_byte_for_byte(room: Room) -> None:
    """Its body, nonce, signed date and arrival stand in the ledger, and no other table has changed."""
    before = room.everything("webhook")
    body = payload() + b"\x00\xff"

    assert store_webhooks(room.ledger, [arrival(body, START, "n-1")]) == [True]
    ((nonce, sent, received, content, verdict, evidence),) = room.sql(
        "SELECT nonce, sent_at, received_at, content, verdict, evidence_id FROM webhook"
    )
    assert (nonce, sent, received) == ("n-1", "2026-11-23T06:30:00Z", "2026-11-23T06:30:00Z")
    assert (content, verdict, evidence) == (body, "stored", None)
    assert room.everything("webhook") == before


def test_a_nonce_is_taken_once(room: Room) -> None:
    """A second use of a nonce is told from a first one, in the same group and later, and changes nothing."""
    first, again = arrival(payload(), START, "n-1"), arrival(payload("order.expired"), START + timedelta(hours=1), "n-1")

    assert store_webhooks(room.ledger, [first, again, arrival(payload(), START, "n-2")]) == [True, False, True]
    before = room.everything()
    assert store_webhooks(room.ledger, [again, first]) == [False, False]
    assert room.everything() == before
    assert contents(room) == [payload(), payload()]


def test_no_webhook_is_no_work(room: Room) -> None:
    """Nothing to keep is kept without a complaint."""
    assert store_webhooks(room.ledger, []) == []


def test_many_receivers_keep_a_nonce_once(room: Room) -> None:
    """Of the same webhook at several receivers at once, exactly one is new."""
    together = threading.Barrier(4)

    def receive(_number: int) -> list[bool]:
        engine = open_ledger(f"sqlite:///{room.path}")
        try:
            ledger = Ledger(engine, mid=MID, clock=room.clock, lease_seconds=900)
            together.wait()
            return store_webhooks(ledger, [arrival(payload(), START, f"n-{n}") for n in range(20)])
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(receive, range(4)))

    assert [sum(new) for new in zip(*found, strict=True)] == [1] * 20


@pytest.mark.parametrize("times", [1, MOST_RECEIVERS - 1, MOST_RECEIVERS])
def test_the_database_refuses_a_nonce_that_was_not_seen(times: int, room: Room) -> None:
    """Where others take a nonce between the look and the writing, it is all looked at once more, for each that may be there."""
    taken: list[str] = []

    @event.listens_for(room.ledger.engine, "after_cursor_execute")
    def take(connection: Connection, cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("SELECT webhook.nonce") and len(taken) < times:
            taken.append("n-1")
            row = ("m", "w", "n-1", "", "", "", b"", "stored", "")
            names = "mid, webhook_id, nonce, sent_at, received_at, content_hash, content, verdict, reason"
            connection.exec_driver_sql(f"INSERT INTO webhook ({names}) VALUES ('{MID}', ?, ?, ?, ?, ?, ?, ?, ?)", row[1:])

    if times == MOST_RECEIVERS:
        with pytest.raises(TransitionLost):
            store_webhooks(room.ledger, [arrival(payload(), START, "n-1")])
    else:
        assert store_webhooks(room.ledger, [arrival(payload(), START, "n-1")]) == [True]
    assert taken == ["n-1"] * times
    assert contents(room) == ([] if times == MOST_RECEIVERS else [payload()])


def test_a_ledger_that_is_away_keeps_nothing(room: Room) -> None:
    """While another program has the ledger for itself, storing says so, and so does the look whether it could be written."""
    room.ledger.engine.dispose()
    engine = open_ledger(f"sqlite:///{room.path}")
    ledger = Ledger(engine, mid=MID, clock=room.clock, lease_seconds=900)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    with closing(sqlite3.connect(room.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy):
            store_webhooks(ledger, [arrival(payload(), START)])
        with pytest.raises(LedgerBusy):
            check_writable(ledger)
        other.execute("ROLLBACK")
    check_writable(ledger)
    engine.dispose()

    assert contents(room) == []


def test_what_waits_is_told_with_its_age(room: Room) -> None:
    """The backlog is a number and the oldest arrival, and nothing when all is settled."""
    store_webhooks(room.ledger, [arrival(payload(), START + timedelta(minutes=n)) for n in (5, 3)])
    with room.ledger.reading() as connection:
        assert backlog(connection, MID) == Backlog(2, START + timedelta(minutes=3))
        oldest, newest = waiting_webhooks(connection, MID, limit=9)
        assert waiting_webhooks(connection, MID, limit=1) == [oldest]
    with room.ledger.writing(room.run) as writing:
        settle_webhook(writing, oldest, "ignored", reason="a settlement")
        settle_webhook(writing, newest, "applied", evidence_id="e" * 32)
    with room.ledger.reading() as connection:
        assert backlog(connection, MID) == Backlog(0, None)
    assert room.sql("SELECT verdict, reason, evidence_id, applied_at FROM webhook ORDER BY received_at") == [
        ("ignored", "a settlement", None, "2026-11-23T06:30:00Z"),
        ("applied", "", "e" * 32, "2026-11-23T06:30:00Z"),
    ]


def test_a_webhook_is_settled_once(room: Room) -> None:
    """Settling it a second time is refused, and undoes whatever else was done with it."""
    store_webhooks(room.ledger, [arrival(payload(), START)])
    with room.ledger.reading() as connection:
        (waiting,) = waiting_webhooks(connection, MID, limit=9)
    with room.ledger.writing(room.run) as writing:
        settle_webhook(writing, waiting, "applied")
    with pytest.raises(TransitionLost), room.ledger.writing(room.run) as writing:
        settle_webhook(writing, waiting, "set_aside")

    assert room.sql("SELECT verdict FROM webhook") == [("applied",)]


def test_the_index_serves_what_waits(room: Room) -> None:
    """What is to be applied is found by its own index, however many webhooks were settled."""
    plan = room.sql(
        "EXPLAIN QUERY PLAN SELECT webhook_id FROM webhook WHERE mid = ? AND verdict = 'stored' ORDER BY received_at", MID
    )

    assert "webhook_to_apply" in str(plan)
