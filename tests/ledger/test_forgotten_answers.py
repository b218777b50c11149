"""S24: which evidence may be emptied, what the database lets nobody do to it, and that what is said again stands there again."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, Update
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import ProgrammingError

from batch.forgotten_seals import wrongly_emptied
from batch.ledger import forgotten_answers
from batch.ledger.calls import store_answers
from batch.ledger.evidence import store_evidence
from batch.ledger.forgotten_answers import _EMPTY, _PAGE, _STILL, Limit, empty_answers, old_answers
from batch.ledger.hints import keep_early_news
from batch.ledger.items import open_item
from batch.ledger.mentions import note_mentions
from batch.ledger.moves import Move, move_orders
from schemas.errors import ConfigurationError, TransitionLost
from schemas.ledger_tables import evidence
from schemas.reasons import ItemKind
from schemas.states import State
from tests.ledger.room import MID, Room

LIMIT = Limit("2027-06-01T00:00:00Z", "2027-06-01")
WORDS = b'{"customer": "Ada Marsh"}'


def say(room: Room, subject: str = "order:o-1", content: bytes = WORDS) -> str:
    """The provider says something about an order."""
    with room.ledger.writing(room.run) as writing:
        return store_evidence(writing, source="poll", subject=subject, content=content).evidence_id


def may_go(room: Room, limit: Limit = LIMIT) -> list[str]:
    """What may be emptied by this limit."""
    with room.ledger.reading() as connection:
        return list(old_answers(connection, MID, limit, after=("", ""), most=100).evidence_ids)


def empty(room: Room, *evidence_ids: str) -> int:
    """Empty these, if they may be."""
    with room.ledger.writing(room.run) as writing:
        return empty_answers(writing, LIMIT, evidence_ids)


def contents(room: Room) -> list[bytes]:
    """What is left of all that was said."""
    return [bytes(row[0]) for row in room.sql("SELECT content FROM evidence ORDER BY received_at, evidence_id")]  # type: ignore[call-overload]


def ended(room: Room) -> str:
    """An order of an answered file is completed, by what the provider said."""
    room.claim("b00000000001", "o-1")
    room.put("o-1", State.COMPLETED)
    room.sql("UPDATE batch SET step = 'acknowledged'")
    return say(room)


def _another_claim(room: Room, _: str) -> None:
    room.put("o-1", State.REJECTED)
    room.claim("b00000000002", "o-1")


def _request(room: Room, _: str, step: str = "in_doubt", order_id: str = "o-1") -> None:
    values = dict.fromkeys(("answer", "asked_at", "asked_by", "business_date", "currency", "event_date", "event_hash"), "")
    values |= {"mid": MID, "operation_id": "op-1", "kind": "refund", "order_id": order_id, "request_id": "r", "step": step}
    values |= {"reason": "", "run_id": "", "idempotency_key": ""}
    numbers = {"attempt": 1, "amount_minor": 1, "event_seq": 1}
    names, marks = ", ".join([*values, *numbers]), ", ".join("?" for _ in [*values, *numbers])
    room.sql(f"INSERT INTO operation ({names}) VALUES ({marks})", *values.values(), *numbers.values())


def _item(room: Room, subject: str, evidence_id: str = "") -> None:
    with room.ledger.writing(room.run) as writing:
        open_item(writing, ItemKind.QUARANTINE, subject, "look", due_business_days=3, evidence_id=evidence_id)


def _named(room: Room, evidence_id: str) -> None:
    room.claim("b00000000002", "o-2")
    with room.ledger.writing(room.run) as writing:
        note_mentions(writing, {evidence_id: ["o-2"]})


def _followed(room: Room, evidence_id: str) -> None:
    room.claim("b00000000002", "o-2")
    with room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(room.submission("o-2"), State.HELD, "poll", "held", evidence_id)])


def _followed_since(room: Room, evidence_id: str) -> None:
    room.clock.advance(timedelta(days=200))
    with room.ledger.writing(replace(room.run)) as writing:
        move_orders(writing, [Move(room.submission("o-1"), State.REFUNDED, "poll", "given back", evidence_id)])
    room.sql("UPDATE submission SET event_date = '2026-11-23'")


def _early(room: Room, evidence_id: str) -> None:
    with room.ledger.writing(room.run) as writing:
        keep_early_news(writing, ["a-number-of-theirs"], evidence_id)


NEEDED: dict[str, Callable[[Room, str], object]] = {
    "its order is open": lambda room, _: room.put("o-1", State.PENDING),
    "its order is under review": lambda room, _: room.put("o-1", State.REVIEW),
    "its order ended lately": lambda room, _: room.sql("UPDATE submission SET event_date = '2027-06-02'"),
    "its order was claimed again": _another_claim,
    "a request about its order is in doubt": _request,
    "an item about its order is open": lambda room, _: _item(room, "order:o-1"),
    "an item about it is open": lambda room, one: _item(room, f"evidence:{one}"),
    "an item cites it": lambda room, one: _item(room, "file:x", one),
    "it names an open order": _named,
    "an open order follows from it": _followed,
    "something followed from it since": _followed_since,
    "it is early news": _early,
}


@pytest.mark.parametrize("why", NEEDED)
def test_what_may_be_needed_stays(why: str, room: Room) -> None:
    """Old words go, but for each single reason to keep them; whoever asks for them to go all the same is not obeyed."""
    one = ended(room)
    assert may_go(room) == [one]
    NEEDED[why](room, one)
    assert may_go(room) == []
    assert empty(room, one) == 0
    assert contents(room) == [WORDS]


@pytest.mark.parametrize("state", [State.PENDING, State.COMPLETED])
@pytest.mark.parametrize("subject", ["batch:b00000000001", "operation:op-1"])
def test_files_and_requests_wait_for_their_orders(subject: str, state: State, room: Room) -> None:
    """What was said of a file, or of a request, stays while one of its orders goes on."""
    ended(room)
    _request(room, "", "done")
    one = say(room, subject, b"about more")
    assert one in may_go(room)
    room.put("o-1", state)
    assert (one in may_go(room)) is (state is State.COMPLETED)


def test_a_file_without_an_answer_keeps_what_was_said_of_it(room: Room) -> None:
    """However old it is."""
    ended(room)
    one = say(room, "batch:b00000000001", b"about the file")
    assert one in may_go(room)
    room.sql("UPDATE batch SET step = 'delivered'")
    assert one not in may_go(room)


def test_what_was_said_since_stays(room: Room) -> None:
    """To the second."""
    one = ended(room)
    ((at,),) = room.sql("SELECT received_at FROM evidence")
    assert may_go(room, replace(LIMIT, before=str(at))) == []
    assert may_go(room, replace(LIMIT, before=str(at).replace("00Z", "01Z"))) == [one]


def test_emptied_is_written_down_in_the_same_step(room: Room) -> None:
    """The body goes, all else stays, and the ledger's own chain names it; what was emptied is not emptied again."""
    one = ended(room)
    kept = "SELECT evidence_id, source, subject, received_at, content_hash FROM evidence"
    before = room.sql(kept)
    assert empty(room, one) == 1
    assert (contents(room), room.sql(kept)) == ([b""], before)
    ((subject, detail),) = room.sql("SELECT subject, detail FROM event WHERE kind = 'forgotten'")
    assert (subject, one in str(detail), '"count":1' in str(detail)) == ("ledger", True, True)
    assert (may_go(room), empty(room, one)) == ([], 0)


def test_pages_go_on_where_they_ended(room: Room) -> None:
    """Also within one second, and over what has to stay."""
    ended(room)
    kept = [say(room, "order:o-1", b"%d" % number) for number in range(3)]
    _early(room, kept[1])
    found, after, pages = list[str](), ("", ""), 0
    while True:
        with room.ledger.reading() as connection:
            page = old_answers(connection, MID, LIMIT, after=after, most=2)
        found, after, pages = [*found, *page.evidence_ids], page.after, pages + 1
        if page.is_last:
            break
    assert (sorted(found), pages) == (sorted(may_go(room)), 3)
    assert len(found) == 3


def test_what_is_said_again_stands_there_again(room: Room) -> None:
    """Whatever follows from it has its proof, whichever way it was said; nothing else of the row changes."""
    one = ended(room)
    before = room.sql("SELECT * FROM evidence")
    empty(room, one)
    assert say(room, "order:o-2") == one
    assert room.sql("SELECT * FROM evidence") == before
    empty(room, one)
    with room.ledger.writing(room.run) as writing:
        assert store_answers(writing, source="poll", answers=[("order:o-2", WORDS), ("order:o-3", WORDS)]) == [one, one]
    assert room.sql("SELECT * FROM evidence") == before


def test_somebody_who_empties_it_at_the_same_time_stops_the_step(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written down is what was done: a body that was emptied meanwhile is not said to be ours."""
    one = ended(room)
    monkeypatch.setattr("batch.ledger.forgotten_answers._EMPTY", _nothing())
    with pytest.raises(TransitionLost, match="emptied by somebody else"):
        empty(room, one)
    assert room.sql("SELECT count(*) FROM event WHERE kind = 'forgotten'") == [(0,)]


def _nothing() -> object:
    return forgotten_answers._EMPTY.where(evidence.c.mid == "nobody")


class Refused(sqlite3.ProgrammingError):
    """How a database refuses a statement that also has an SQLSTATE for it, as PostgreSQL does."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("no")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(("sqlstate", "kind"), [("42501", ConfigurationError), ("42601", ProgrammingError)])
def test_a_login_that_lacks_the_right_is_told_which(sqlstate: str, kind: type[Exception], room: Room) -> None:
    """What to give it is said, any other refusal is a mistake of ours and comes as it is; nothing is emptied or written."""
    one = ended(room)

    def refuse(_cursor: object, statement: str, _values: object, _context: object) -> None:
        if statement.startswith("UPDATE evidence"):
            raise Refused(sqlstate)

    sqlalchemy_event.listen(room.ledger.engine, "do_execute", refuse)
    with pytest.raises(kind) as told:
        empty(room, one)
    sqlalchemy_event.remove(room.ledger.engine, "do_execute", refuse)
    assert (kind is ConfigurationError) is ("UPDATE of content on evidence" in str(told.value))
    assert contents(room) == [WORDS]
    assert room.sql("SELECT count(*) FROM event WHERE kind = 'forgotten'") == [(0,)]


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "[]",
        "{}",
        '{"before": "2027-06-01T00:00:00Z", "before_date": "2027-06-01", "count": 1, "evidence": 7}',
        '{"before": "2027-06-01T00:00:00Z", "before_date": "2027-06-01", "count": 1, "evidence": ["no id"]}',
        '{"before": 7, "before_date": "2027-06-01", "count": 1, "evidence": ["{one}"]}',
    ],
)
def test_an_event_that_makes_no_sense_names_nothing(detail: str, room: Room) -> None:
    """What it might have named is as empty as if nobody had said so, and the rest of the ledger is looked at all the same."""
    one = say(room)
    room.clock.advance(timedelta(days=400))
    assert empty(room, one) == 1
    assert wrong(room) == []
    room.sql("DROP TRIGGER event_no_update")
    room.sql("UPDATE event SET detail = ? WHERE kind = 'forgotten'", detail.replace("{one}", one))
    assert wrong(room) == [f"evidence:{one}"]


def wrong(room: Room) -> list[str]:
    """What was emptied although it might not be."""
    with room.ledger.reading() as connection:
        return [each.subject for each in wrongly_emptied(connection, MID)]


CHANGES = (
    "content = {other}",
    "content = {none}, subject = 'x'",
    "content = {none}, content_hash = 'x'",
    "content = {none}, received_at = 'x'",
    "content = {none}, source = 'x'",
    "content = {none}, evidence_id = 'x'",
    "content = {none}, mid = 'x'",
    "received_at = received_at",
)


@pytest.mark.parametrize("change", [*CHANGES, "content = ''", "content = {none}, rowid = 7"])
def test_the_database_lets_evidence_be_emptied_and_nothing_else(change: str, room: Room) -> None:
    """Emptied with another cell changed, filled with something else, or only touched: all refused."""
    ended(room)
    before = room.everything()
    with pytest.raises(sqlite3.IntegrityError, match="evidence is append-only"):
        room.sql(f"UPDATE evidence SET {change.format(none='X' + chr(39) * 2, other='CAST(1 AS BLOB)')}")
    assert room.everything() == before
    room.sql("UPDATE evidence SET content = X''")
    with pytest.raises(sqlite3.IntegrityError, match="evidence is append-only"):
        room.sql("DELETE FROM evidence")


def test_the_indexes_are_used(room: Room) -> None:
    """No scan of all evidence, events or news, however many there are; what is to go is taken by its ids."""
    steps = {name: _steps(room, statement) for name, statement in (("page", _PAGE), ("still", _STILL), ("empty", _EMPTY))}
    assert [step for some in steps.values() for step in some if step.startswith("SCAN")] == []
    for index in ("evidence_kept", "event_by_evidence", "early_news_by_evidence", "mention_by_evidence"):
        assert any(index in step for step in steps["page"]), index
    for name in ("still", "empty"):
        assert steps[name][0].endswith("sqlite_autoindex_evidence_1 (mid=? AND evidence_id=?)"), name


def _steps(room: Room, statement: Select[Any] | Update) -> list[str]:
    words: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, said: str, values: object, _context: object, _many: object) -> None:
        words.append((said, values))

    given = {"mid": MID, "w_mid": MID, "before": "b", "before_date": "b", "after_at": "a", "after_id": "a", "limit": 1}
    names = statement.compile().params
    sqlalchemy_event.listen(room.ledger.engine, "before_cursor_execute", note)
    with room.ledger.reading() as connection:
        connection.execute(statement, {**given, "evidence_ids": ["x", "y"]} if "evidence_ids" in names else given)
    sqlalchemy_event.remove(room.ledger.engine, "before_cursor_execute", note)
    said, values = words[-1]
    return [str(row[-1]) for row in room.sql(f"EXPLAIN QUERY PLAN {said}", *values)]  # type: ignore[misc]
