"""What the database itself refuses, whatever the program asks: second claims, changed history, evidence twice."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from batch.books import FIRST_HASH, event_hash
from batch.ledger.evidence import known_files, record_file, store_evidence
from batch.ledger.hints import make_due
from batch.ledger.items import close_by_hand, close_items, open_item, open_items
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.reading import events_of, evidence_by_id
from schemas.errors import TransitionLost
from schemas.ledger_tables import submission
from schemas.reasons import ItemKind
from schemas.states import CLAIMABLE_AGAIN, State
from tests.ledger.room import DAY, MID, Room

NEXT = "2026-11-24"


@contextmanager
def refused_by_the_database() -> Iterator[None]:
    """The block ends with a constraint of the database itself, told as a step that was lost."""
    with pytest.raises(TransitionLost, match="nothing of it was written") as lost:
        yield
    assert isinstance(lost.value.__cause__, IntegrityError)


@pytest.mark.parametrize("state", State)
def test_one_rescue_per_order(state: State, room: Room) -> None:
    """The database refuses a second claim of an order in every state but withdrawn and rejected, and undoes all of it."""
    room.claim("b00000000001", "o-1")
    room.put("o-1", state)
    before = room.everything()

    if state in CLAIMABLE_AGAIN:
        room.claim("b00000000002", "o-2", "o-1")
        assert room.submission("o-1").attempt == 2
        with refused_by_the_database():
            room.claim("b00000000003", "o-1")
    else:
        with refused_by_the_database():
            room.claim("b00000000002", "o-2", "o-1")
        assert room.everything() == before


def test_the_constraint_is_the_databases_own(room: Room) -> None:
    """Even a row that is written past the program cannot make a second active claim."""
    room.claim("b00000000001", "o-1")
    with room.ledger.reading() as connection:
        row = dict(connection.execute(select(submission)).mappings().one())

    statement = f"INSERT INTO submission ({', '.join(row)}) VALUES ({', '.join('?' for _ in row)})"
    with pytest.raises(sqlite3.IntegrityError):
        room.sql(statement, *{**row, "attempt": 2}.values())


def test_two_orders_of_one_batch_may_not_be_the_same(room: Room) -> None:
    """One claim cannot hold the same order twice."""
    with refused_by_the_database():
        room.claim("b00000000001", "o-1", "o-1")
    assert room.sql("SELECT count(*) FROM submission") == [(0,)]


def test_ids_are_compared_byte_for_byte(room: Room) -> None:
    """Ids that differ in case, zeros, blanks or the form of an accent are different orders."""
    ids = ["471", "0471", "A", "a", "a ", "\u00e9", "e\u0301"]
    room.claim("b00000000001", *ids)

    assert room.sql("SELECT count(DISTINCT order_id) FROM submission") == [(len(ids),)]


def test_a_batch_that_does_not_exist_takes_no_order(room: Room) -> None:
    """An order cannot belong to a batch that the ledger does not have: foreign keys are on."""
    room.claim("b00000000001", "o-1")
    with room.ledger.reading() as connection:
        row = dict(connection.execute(select(submission)).mappings().one())

    with refused_by_the_database(), room.ledger.writing(room.run) as writing:
        writing.connection.execute(insert(submission).values(**{**row, "order_id": "o-2", "batch_id": "none"}))


@pytest.mark.parametrize("table", ["event", "evidence"])
@pytest.mark.parametrize(
    "change", ["UPDATE {table} SET mid = 'x'", "DELETE FROM {table}", "UPDATE {table} SET rowid = rowid + 1"]
)
def test_history_cannot_be_changed(table: str, change: str, room: Room) -> None:
    """Events and evidence refuse UPDATE and DELETE, also from outside the program."""
    room.claim("b00000000001", "o-1")
    with room.ledger.writing(room.run) as writing:
        store_evidence(writing, source="poll", subject="order:o-1", content=b"{}")
    before = room.everything()

    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        room.sql(change.format(table=table))
    assert room.everything() == before
    assert before[table] != []


def chain_faults(events: list[dict[str, Any]]) -> list[int]:
    """The numbers of events whose place, link or seal is wrong."""
    previous, wrong = FIRST_HASH, []
    for number, event in enumerate(events, start=1):
        if (event["seq"], event["previous_hash"], event["hash"]) != (number, previous, event_hash(previous, event)):
            wrong.append(number)
        previous = event["hash"]
    return wrong


def test_every_chain_is_whole(room: Room) -> None:
    """Each order and each batch has one unbroken chain, also across a second claim, and its head stands in the row."""
    room.claim("b00000000001", "o-1", "o-2")
    for state in (State.HELD, State.WITHDRAWN):
        with room.ledger.writing(room.run) as writing:
            move_orders(writing, [Move(room.submission("o-1"), state, "hold", f"now {state}", detail={"é": "ü"})])
    room.claim("b00000000002", "o-1")
    with room.ledger.reading() as connection:
        chains = {subject: events_of(connection, MID, subject) for subject in ("order:o-1", "order:o-2", "batch:b00000000001")}

    assert {subject: chain_faults(chain) for subject, chain in chains.items()} == {subject: [] for subject in chains}
    assert [event["to_state"] for event in chains["order:o-1"]] == ["claimed", "held", "withdrawn", "claimed"]
    head = room.submission("o-1")
    assert (head.event_seq, head.event_hash) == (4, chains["order:o-1"][-1]["hash"])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET reason = 'another' WHERE seq = 2",
        "UPDATE event SET at = '2026-11-23T06:30:01Z' WHERE seq = 1",
        "UPDATE event SET to_state = 'completed' WHERE seq = 3",
        "UPDATE event SET evidence_id = 'x' WHERE seq = 2",
        "UPDATE event SET run_id = 'x' WHERE seq = 1",
        "UPDATE event SET detail = '{}' WHERE seq = 2",
        "UPDATE event SET business_date = '2026-11-24' WHERE seq = 3",
        "DELETE FROM event WHERE seq = 2",
        "DELETE FROM event WHERE seq = 1",
    ],
)
def test_a_changed_history_shows(change: str, room: Room) -> None:
    """Whoever removes the guard and changes or removes one event breaks the chain of that order."""
    room.claim("b00000000001", "o-1")
    for state in (State.HELD, State.SENDING):
        with room.ledger.writing(room.run) as writing:
            move_orders(writing, [Move(room.submission("o-1"), state, "hold", f"now {state}")])
    for name in ("event_no_update", "event_no_delete"):
        room.sql(f"DROP TRIGGER {name}")
    room.sql(f"{change} AND subject = 'order:o-1'")

    with room.ledger.reading() as connection:
        assert chain_faults(events_of(connection, MID, "order:o-1")) != []


def test_evidence_is_stored_once(room: Room) -> None:
    """The same words of the same source are stored once, byte for byte; another source or another byte is new."""
    with room.ledger.writing(room.run) as writing:
        first = store_evidence(writing, source="poll", subject="order:o-1", content=b"{\xff}")
        again = store_evidence(writing, source="poll", subject="order:o-1", content=b"{\xff}")
        other = store_evidence(writing, source="webhook", subject="order:o-1", content=b"{\xff}")
        longer = store_evidence(writing, source="poll", subject="order:o-1", content=b"{\xff} ")
        found = evidence_by_id(writing.connection, MID, first.evidence_id)

    assert [each.is_new for each in (first, again, other, longer)] == [True, False, True, True]
    assert again.evidence_id == first.evidence_id
    assert len({each.evidence_id for each in (first, other, longer)}) == 3
    assert found is not None
    assert found["content"] == b"{\xff}"


def test_a_file_is_known_by_name_and_content(room: Room) -> None:
    """A file that changes under the same name is another file, and a later verdict on the same content replaces the first."""
    with room.ledger.writing(room.run) as writing:
        record_file(writing, name="a_response.json", content=b"{", verdict="set_aside", reason="cut off")
        record_file(writing, name="a_response.json", content=b"{}", verdict="applied")
        record_file(writing, name="a_response.json", content=b"{", verdict="applied")
        known = known_files(writing.connection, MID)

    assert sorted((each.size, each.verdict) for each in known["a_response.json"]) == [(1, "applied"), (2, "applied")]


def test_an_item_is_opened_once_per_cause(room: Room) -> None:
    """The same cause opens one item until it is closed, and then a new one of its own."""
    with room.ledger.writing(room.run) as writing:
        opened = [open_item(writing, ItemKind.QUARANTINE, "file:x", "why", due_business_days=3) for _ in range(3)]
        first = open_items(writing.connection, MID)
        close_items(writing, ItemKind.QUARANTINE, "file:x", "read")
        reopened = open_item(writing, ItemKind.QUARANTINE, "file:x", "why", due_business_days=3)
        second = open_items(writing.connection, MID)

    assert opened == [True, False, False]
    assert reopened is True
    assert len(first) == len(second) == 1
    assert first[0].item_id != second[0].item_id
    assert first[0].due_date == "2026-11-26"


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(("opened", "closed", "booked"), [(DAY, DAY, DAY), (DAY, NEXT, NEXT), (NEXT, DAY, NEXT)])
def test_the_end_of_an_item_is_booked_on_the_run_s_date(
    opened: str, closed: str, booked: str, room: Room, *, by_hand: bool
) -> None:
    """Whatever the clock says; but a run for a past date books no end before the beginning."""
    with room.ledger.writing(replace(room.run, business_date=opened)) as writing:
        open_item(writing, ItemKind.QUARANTINE, "file:x", "why", due_business_days=3)
    with room.ledger.writing(replace(room.run, business_date=closed)) as writing:
        if by_hand:
            (only,) = open_items(writing.connection, MID)
            close_by_hand(writing, [only.item_id], resolution="noted", person="ann@desk", reason="mended")
        else:
            close_items(writing, ItemKind.QUARANTINE, "file:x", "read")
    assert room.sql("SELECT opened_date, closed_date FROM item") == [(opened, booked)]


def test_an_item_that_was_closed_meanwhile_is_not_closed_by_hand(room: Room) -> None:
    """Whoever decides too late is told so: how it was closed stays, and so does every other item that was to go with it."""
    with room.ledger.writing(room.run) as writing:
        for subject in ("file:x", "file:y"):
            open_item(writing, ItemKind.QUARANTINE, subject, "why", due_business_days=3)
        both = [each.item_id for each in open_items(writing.connection, MID)]
        close_items(writing, ItemKind.QUARANTINE, "file:x", "read")
    with pytest.raises(TransitionLost, match="closed by somebody else"), room.ledger.writing(room.run) as writing:
        close_by_hand(writing, both, resolution="noted", person="ann@desk", reason="mended")
    assert room.sql("SELECT subject, closed_by FROM item WHERE closed_at IS NOT NULL") == [("file:x", None)]


def test_a_hint_outlives_a_writer_that_read_before_it(room: Room) -> None:
    """News that another writer stored meanwhile is lost neither by a move nor by a noted read, even in the same second."""
    room.claim("b00000000001", "o-1")
    with room.ledger.writing(room.run) as writing:
        make_due(writing, provider_order_id="", order_id="o-1", called_expired=False)
    asked = room.submission("o-1")
    with room.ledger.writing(room.run) as writing:
        make_due(writing, provider_order_id="", order_id="o-1", called_expired=True)
    hinted = room.submission("o-1")
    with room.ledger.writing(room.run) as writing:
        note_reads(writing, [(asked, "2026-12-01T00:00:00Z")])
        (moved,) = move_orders(writing, [Move(asked, State.HELD, "hold", "held", changes={"next_read_at": ""})])
        note_reads(writing, [(moved, "")])
    now = room.submission("o-1")

    assert "" < now.next_read_at == hinted.next_read_at < asked.next_read_at
    assert (now.expired_hint, now.reads, now.state) == (1, 2, State.HELD)


def test_a_read_order_is_due_when_its_reader_says(room: Room) -> None:
    """Where no hint came between, the reader's word on when to ask again is kept, and a later hint makes it due at once."""
    room.claim("b00000000001", "o-1")
    with room.ledger.writing(room.run) as writing:
        note_reads(writing, [(room.submission("o-1"), "2026-12-01T00:00:00Z")])
    later = room.submission("o-1")
    with room.ledger.writing(room.run) as writing:
        make_due(writing, provider_order_id="", order_id="o-1", called_expired=False)

    assert later.next_read_at == "2026-12-01T00:00:00Z"
    assert room.submission("o-1").next_read_at == writing.now


def test_what_is_told_has_committed(room: Room) -> None:
    """Whoever follows the events is told each once, when its transaction has committed, and never what was undone."""
    room.claim("b00000000001", "o-1", "o-2")
    chain = room.sql("SELECT subject, seq, hash FROM event ORDER BY rowid")
    assert [(row["subject"], row["seq"], row["hash"]) for row in room.told] == chain
    assert len(chain) == 3

    with contextlib.suppress(KeyboardInterrupt), room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(room.submission("o-1"), State.HELD, "writeback", "hold_placed")])
        assert writing.events
        assert len(room.told) == len(chain)
        raise KeyboardInterrupt  # as if the process ended before the commit

    assert room.submission("o-1").state is State.CLAIMED
    assert len(room.told) == len(chain)


@pytest.mark.parametrize(
    ("server", "asked"), [("postgresql", {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}), ("sqlite", {})]
)
def test_what_is_read_together_is_one_picture(
    server: str, asked: dict[str, object], room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server would let each statement see the ledger anew, and a reader write; it is told otherwise before the first."""
    told: dict[str, object] = {}
    connection: Any = SimpleNamespace(
        dialect=SimpleNamespace(name=server), execution_options=lambda **options: told.update(options)
    )
    monkeypatch.setattr(room.ledger, "engine", SimpleNamespace(connect=lambda: contextlib.nullcontext(connection)))
    with room.ledger.reading() as reading:
        assert (reading, told) == (connection, asked)
