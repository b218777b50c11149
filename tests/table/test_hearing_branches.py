"""What an answer about one order does to it, to the last column and event, and when it is asked about again."""

import json
from datetime import timedelta

import pytest

from batch.applying import Heard, facts_of, hear, next_read
from batch.ledger import Submission
from batch.ledger.items import close_items, open_item
from batch.ledger.moves import Move, move_orders
from batch.ledger.operations import Wanted, claim_operation, move_operation
from batch.ledger.steps import BY_HAND
from batch.pace import from_utc_text
from batch.responses import OrderRead
from schemas.operations import OperationKind, OperationStep
from schemas.reasons import ItemKind
from schemas.states import RELEASED, State
from tests.ledger.room import DAY, Room
from tests.table.acknowledging import ONE, items
from tests.table.desk import Desk

NOW = "2026-11-23T06:30:00Z"
EXPIRES = "2026-12-14T06:30:00Z"


def read(word: str, code: int | None = None, provider_id: str = "k") -> OrderRead:
    """What the provider says of the order."""
    return OrderRead(provider_id, "a", code, word, 1999, "USD")


def heard(desk: Desk, answer: OrderRead | None, source: str = "poll", **also: object) -> Submission:
    """Hear it in a transaction of its own."""
    with desk.room.ledger.writing(desk.room.run) as writing:
        told = Heard(source, b"", answer, **also)  # type: ignore[arg-type]
        return hear(writing, desk.equipment, desk.room.submission("a"), told)


def at(desk: Desk, state: State, source: str = "send", **changes: object) -> Submission:
    """An order that stands there, as that source has said."""
    desk.held(ONE, "a")
    before = desk.room.put("a", State.REVIEW)
    with desk.room.ledger.writing(desk.room.run) as writing:
        if state is not State.REVIEW:
            move_orders(writing, [Move(before, state, source, "so", changes=changes)])
    return desk.room.submission("a")


def last_event(desk: Desk) -> tuple[str, str, str, dict[str, object]]:
    """Kind, source and reason of the order's last event, and its detail beside the number of the claim."""
    statement = "SELECT kind, source, reason, detail FROM event WHERE subject = 'order:a' ORDER BY seq DESC LIMIT 1"
    ((kind, source, reason, detail),) = desk.room.sql(statement)
    told: dict[str, object] = json.loads(str(detail))
    told.pop("attempt")
    return str(kind), str(source), str(reason), told


def test_an_order_that_is_recovered_at_once(desk: Desk) -> None:
    """By way of `pending`, on the day of the run; the amount is in the event, and the row shows it; nobody asks again."""
    desk.held(ONE, "a")
    desk.move(State.SENDING, "a")
    before = desk.room.submission("a")
    heard(desk, read("completed", 7))
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id, order.provider_status) == (State.COMPLETED, "k", "COMPLETED")
    assert (order.handed_over_date, order.next_read_at, order.reads) == (DAY, "", before.reads + 1)
    assert order.row_version == before.row_version + 2
    detail = {"provider_status": "COMPLETED", "provider_order_id": "k", "recovered_minor": 1999}
    assert last_event(desk) == ("transition", "poll", "recovered", detail)


def test_the_day_of_the_handing_over_is_kept(desk: Desk) -> None:
    """An order that was handed over on another day, and is found in doubt, keeps that day."""
    desk.held(ONE, "a")
    desk.move(State.SENDING, "a", handed_over_date="2026-11-20")
    heard(desk, read("Processing"))
    assert desk.room.submission("a").handed_over_date == "2026-11-20"
    assert "recovered_minor" not in last_event(desk)[3]


def test_another_word_of_the_same_meaning_is_learnt(desk: Desk) -> None:
    """It is an event without a move, the row shows it; the same word again is none; a longer word is cut."""
    at(desk, State.PENDING, provider_order_id="k", provider_status="SUBMITTED")
    before = desk.room.submission("a")
    heard(desk, read("Processing"))
    order = desk.room.submission("a")
    assert (order.state, order.provider_status, order.row_version) == (State.PENDING, "PROCESSING", before.row_version + 1)
    detail = {"provider_status": "PROCESSING", "provider_order_id": "k"}
    assert last_event(desk) == ("learnt", "poll", "the provider says PROCESSING", detail)
    heard(desk, read("processing"))
    assert desk.room.submission("a").event_seq == order.event_seq
    heard(desk, read("q" * 70))
    heard(desk, read("q" * 70))
    last = desk.room.submission("a")
    assert (last.provider_status, last.event_seq) == ("Q" * 64, order.event_seq + 1)
    assert last_event(desk)[3] == {"provider_status": "Q" * 70}
    assert items(desk.room) == [("unknown_status", "order:a")]


@pytest.mark.parametrize("state", [State.DECLINED, State.COMPLETED])
def test_a_released_row_shows_no_more_words(state: State, desk: Desk) -> None:
    """A row that is the merchant's again is left alone, whatever the provider calls the end; one that stays held is not."""
    before = at(desk, state, provider_order_id="k", provider_status="OLD")
    heard(desk, read("Declined" if state is State.DECLINED else "Completed"))
    after = desk.room.submission("a")
    assert (after.state, after.event_seq) == (state, before.event_seq + 1)
    assert after.row_version == before.row_version + (state not in RELEASED)


def test_a_decline_that_is_called_expired_later_is_no_news_for_the_row(desk: Desk) -> None:
    """Both are released: the ledger moves, the row does not."""
    before = at(desk, State.DECLINED, provider_order_id="k", provider_status="DECLINED")
    heard(desk, read("Expired"))
    after = desk.room.submission("a")
    assert (after.state, after.row_version) == (State.EXPIRED, before.row_version)


def test_an_answer_about_another_order_teaches_no_id(desk: Desk) -> None:
    """It is told, and nothing of it is kept with the order but in the item."""
    before = at(desk, State.PENDING, provider_order_id="k", provider_status="SUBMITTED")
    heard(desk, read("Completed", 7, "other"))
    after = desk.room.submission("a")
    assert (after.state, after.provider_order_id, after.event_seq) == (State.PENDING, "k", before.event_seq)
    assert items(desk.room) == [("quarantine", "order:a")]


@pytest.mark.parametrize(
    ("word", "source", "trusted", "ended_by", "state"),
    [
        ("Processing", "poll", True, "file", State.REVIEW),
        ("OnHold", "poll", True, "file", State.REVIEW),
        ("CaptureRequired", "poll", True, "file", State.REVIEW),
        ("Completed", "poll", True, "file", State.COMPLETED),
        ("QUANTUM", "poll", True, "file", State.COMPLETED),
        ("Processing", "file", True, "file", State.COMPLETED),
        ("Processing", "poll", False, "file", State.COMPLETED),
        ("Processing", "poll", True, "poll", State.COMPLETED),
    ],
)
def test_an_end_that_a_file_alone_has_told(
    word: str, source: str, trusted: bool, ended_by: str, state: State, room: Room
) -> None:
    """A read that shows the order as still worked on puts it under review, if only a believed file has ended it (I3)."""
    desk = Desk(room, outcomes={"trust_files": trusted})
    at(desk, State.COMPLETED, ended_by, provider_order_id="k", provider_status="COMPLETED")
    heard(desk, read(word), source)
    assert desk.states("a") == [state.value]
    if state is State.REVIEW:
        words = "an outcomes file ended it (completed), and the provider still works on it"
        assert last_event(desk)[2] == words
        assert str(desk.room.sql("SELECT explanation FROM item")[0][0]).endswith(f": {words}")


@pytest.mark.parametrize(("about", "provider_id"), [("b", "k"), ("a", "other")])
def test_an_answer_about_another_order_does_not_doubt_an_end_that_a_file_told(about: str, provider_id: str, room: Room) -> None:
    """It is set aside, and the order stays as the believed file has ended it (H-14)."""
    desk = Desk(room, outcomes={"trust_files": True})
    before = at(desk, State.DECLINED, "file", provider_order_id="k", provider_status="DECLINED")
    heard(desk, OrderRead(provider_id, about, None, "Processing", 1999, "USD"))
    after = desk.room.submission("a")
    assert (after.state, after.event_seq) == (State.DECLINED, before.event_seq)
    assert items(desk.room) == [("quarantine", "order:a")]


def test_an_order_that_a_file_has_brought_to_pending_is_read_like_any_other(room: Room) -> None:
    """The file has not ended it: a read that shows it as still worked on is what everybody expects."""
    desk = Desk(room, outcomes={"trust_files": True})
    at(desk, State.PENDING, "file", provider_order_id="k", provider_status="PROCESSING")
    heard(desk, read("Processing"))
    assert (desk.states("a"), items(desk.room)) == (["pending"], [])


@pytest.mark.parametrize(("seconds", "is_past"), [(-1, False), (0, True), (1, True)])
@pytest.mark.parametrize("mode", ["", "sync", "cit"])
def test_when_an_order_is_past_its_expiry(seconds: int, is_past: bool, mode: str, desk: Desk) -> None:
    """At that very second: then the provider of a sync order works on it no more; an order of a present customer has none."""
    order = at(desk, State.PENDING)._replace(mit_mode=mode, expired_hint=1)
    facts = facts_of(from_utc_text(EXPIRES) + timedelta(seconds=seconds), order)
    assert order.expires_at == EXPIRES
    assert facts.is_past_expiry == (is_past and mode != "cit")
    assert facts.is_worked_on == (not is_past and mode == "sync")
    assert (facts.is_cit, facts.was_called_expired) == (mode == "cit", True)
    assert not facts_of(from_utc_text(NOW), order._replace(expired_hint=0)).was_called_expired
    assert (facts.order_id, facts.state, facts.amount_minor, facts.currency) == ("a", State.PENDING, 1999, "USD")


@pytest.mark.parametrize("state", State)
def test_when_an_order_is_asked_about_again(state: State, desk: Desk) -> None:
    """What the provider works on after the pace's time; everything else never, until there is news."""
    order = at(desk, State.REVIEW)._replace(state=state)
    with desk.room.ledger.writing(desk.room.run) as writing:
        due = next_read(writing, desk.equipment, order)
    assert due == ("2026-11-23T06:35:00Z" if state in (State.PENDING, State.CAPTURE_REQUIRED) else "")


@pytest.mark.parametrize(("is_last", "reads"), [(True, 1), (False, 0)])
def test_a_word_that_is_not_the_last_counts_as_no_read(is_last: bool, reads: int, desk: Desk) -> None:
    """The order stays due where a read of it is still to come."""
    at(desk, State.PENDING, provider_order_id="k", next_read_at=NOW)
    heard(desk, read("Processing"), is_last_word=is_last)
    order = desk.room.submission("a")
    assert (order.reads, order.next_read_at == NOW) == (reads, not is_last)


def test_what_was_overdue_and_challenged_closes_with_the_end(desk: Desk) -> None:
    """While the provider works on it both stand; when it has ended they close, and say so."""
    at(desk, State.PENDING, provider_order_id="k")
    desk.room.sql("UPDATE submission SET mit_mode = 'cit'")
    with desk.room.ledger.writing(desk.room.run) as writing:
        open_item(writing, ItemKind.UNKNOWN_STATUS, "overdue:a", "so", due_business_days=3)
        open_item(writing, ItemKind.CHALLENGE, "order:a", "so", due_business_days=3)
    heard(desk, read("Processing"))
    assert desk.room.sql("SELECT count(*) FROM item WHERE closed_at IS NULL") == [(2,)]
    heard(desk, read("Completed"))
    closed = desk.room.sql("SELECT resolution FROM item WHERE closed_at IS NOT NULL ORDER BY kind")
    assert closed == [("the provider went on: completed",), ("it ended: completed",)]


def cancel_refused(desk: Desk, *order_ids: str) -> None:
    """The provider refused to stop these orders."""
    with desk.room.ledger.writing(desk.room.run) as writing:
        for order_id in order_ids:
            wanted = Wanted(OperationKind.CANCEL, 1999, "USD", "so", "ada")
            operation = claim_operation(writing, desk.room.submission(order_id), wanted)
            move_operation(writing, operation, OperationStep.REFUSED, reason="it had no effect")


def review_again(desk: Desk, by_way_of: State, **detail: object) -> None:
    """A person decides about the order under review, which closes what is told of it; then it comes under review once more."""
    with desk.room.ledger.writing(desk.room.run) as writing:
        close_items(writing, ItemKind.DOUBLE_CHARGE, "order:a", "provider-is-right")
        (order,) = move_orders(writing, [Move(desk.room.submission("a"), by_way_of, BY_HAND, "so", detail=detail)])
        move_orders(writing, [Move(order, State.REVIEW, "poll", "another word")])


@pytest.mark.parametrize(
    ("decided", "times"),
    [(None, 1), ((State.COMPLETED, {"recovered_minor": 1999}), 1), ((State.PENDING, {}), 2)],
    ids="not decided,taken for right,worked on again".split(","),
)
def test_a_cancel_that_came_too_late_is_told_until_a_person_takes_the_recovery_for_right(
    decided: tuple[State, dict[str, object]] | None, times: int, desk: Desk
) -> None:
    """An order under review for something else is told of once, until a decision after which its recovery is news again (I6)."""
    at(desk, State.REVIEW, provider_order_id="k")
    cancel_refused(desk, "a")
    heard(desk, read("Completed"))
    if decided is not None:
        review_again(desk, decided[0], **decided[1])
    for _ in range(2):
        assert heard(desk, read("Completed")).state is State.REVIEW
    assert items(desk.room) == [("double_charge", "order:a")] * times


def test_what_was_decided_of_one_order_says_nothing_of_another(desk: Desk) -> None:
    """Each recovery is told of by itself."""
    desk.held(ONE, "a", "b")
    desk.room.put("a", State.REVIEW)
    desk.room.put("b", State.REVIEW)
    cancel_refused(desk, "a", "b")
    review_again(desk, State.COMPLETED, recovered_minor=1999)
    with desk.room.ledger.writing(desk.room.run) as writing:
        for order_id in "ab":
            answer = OrderRead(f"k{order_id}", order_id, None, "Completed", 1999, "USD")
            hear(writing, desk.equipment, desk.room.submission(order_id), Heard("poll", b"", answer))
    assert items(desk.room) == [("double_charge", "order:b")]
