"""What the provider's listing shows of orders without an answer, and what follows from an answer for what else stands open."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from batch.applying import Heard, hear
from batch.call_answers import Reply, Verdict
from batch.evaluate_answers import apply_replies
from batch.ledger.hints import make_due
from batch.ledger.items import open_item
from batch.ledger.moves import Move, move_orders
from batch.provider_reads import Answer
from batch.responses import OrderRead
from batch.search import apply_found, find_by_our_id, look_for_unanswered, search_some
from schemas.errors import ApiUnreachable, InternalError
from schemas.reasons import ItemKind
from schemas.states import BatchStep, State
from tests.table.acknowledging import ONE, acknowledge, items, row, sent
from tests.table.desk import Desk

FOUND = OrderRead("k", "a", None, "Processing", 1999, "USD")


def asks(desk: Desk, answer: Answer | Callable[[str], Answer]) -> None:
    """The provider's listing answers so."""
    desk.equipment.api.find_order = lambda order_id: answer(order_id) if callable(answer) else answer  # type: ignore[method-assign]


def finds(desk: Desk, read: OrderRead | None = FOUND, **also: Any) -> None:  # noqa: ANN401 - fields of an answer
    """Look for the order by our id; the provider's listing shows this."""
    asks(desk, Answer("a", b"{}", read, **also))
    find_by_our_id(desk.equipment, desk.room.run, desk.room.submission("a"))


def at(desk: Desk, state: State, **changes: object) -> None:
    """An order of a file stands there."""
    sent(desk, "a", "b")
    desk.room.put("a", State.REVIEW)
    if state is not State.REVIEW:
        desk.move(state, "a", **changes)
    elif changes:
        with desk.room.ledger.writing(desk.room.run) as writing:
            move_orders(writing, [Move(desk.room.submission("a"), None, "poll", "so", "", "learnt", changes, changes)])


def still_open(desk: Desk) -> list[tuple[object, ...]]:
    """Kind and subject of what a person has still to look at."""
    return desk.room.sql("SELECT kind, subject FROM item WHERE closed_at IS NULL")


def last(desk: Desk) -> tuple[object, ...]:
    """Kind and reason of the order's last event."""
    return desk.room.sql("SELECT kind, reason FROM event WHERE subject = 'order:a' ORDER BY seq DESC LIMIT 1")[0]


def due(desk: Desk) -> object:
    """When the order is asked about next."""
    return desk.room.sql("SELECT next_read_at FROM submission WHERE order_id = 'a'")[0][0]


@pytest.mark.parametrize(("content", "kept"), [(b'{"orders": []}', 1), (b"", 0)])
def test_what_the_listing_said_is_kept_as_evidence(content: bytes, kept: int, desk: Desk) -> None:
    """Word for word, as what moved the order; where no word came there is nothing to keep."""
    at(desk, State.PENDING)
    asks(desk, Answer("a", content, None, "twice", is_double=True))
    find_by_our_id(desk.equipment, desk.room.run, desk.room.submission("a"))
    cited = desk.room.sql("SELECT evidence_id FROM event WHERE to_state = 'review' ORDER BY seq DESC LIMIT 1")
    stored = desk.room.sql("SELECT evidence_id FROM evidence WHERE source = 'poll' AND subject = 'order:a'")
    assert (len(stored), cited) == (kept, stored or [(None,)])


@pytest.mark.parametrize("knows", ["", "j"])
def test_an_order_that_is_there_twice_is_a_persons(knows: str, desk: Desk) -> None:
    """Two rescues of one order: it is under review with an id that was not known before, and its support is to stop one."""
    at(desk, State.PENDING, provider_order_id=knows)
    finds(desk, problem="the provider has it twice", is_double=True)
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id) == (State.REVIEW, knows or "k")
    assert last(desk) == ("transition", "the provider has it twice; ask its support to stop one of them")
    assert items(desk.room) == [("contradiction", "order:a")]


@pytest.mark.parametrize("knows", ["", "j"])
def test_an_order_under_review_learns_its_id_from_the_listing(knows: str, desk: Desk) -> None:
    """It stays there, with an event only where the id is news; one that is known already is not put in place of another."""
    at(desk, State.REVIEW, **({"provider_order_id": knows} if knows else {}))
    before = desk.room.submission("a")
    finds(desk)
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id) == (State.REVIEW, knows or "k")
    assert order.event_seq == before.event_seq + (not knows)
    assert knows or last(desk) == ("learnt", "the provider's id is known now")


@pytest.mark.parametrize("state", [State.PENDING, State.REVIEW])
def test_a_contradiction_that_was_found_is_not_asked_about_again(state: State, desk: Desk) -> None:
    """The hint that made it due has had its answer, whether the order moves by it or stands under review already."""
    at(desk, state)
    with desk.room.ledger.writing(desk.room.run) as writing:
        assert make_due(writing, provider_order_id="", order_id="a", called_expired=False)
    assert due(desk) is not None
    finds(desk)
    assert (desk.states("a"), due(desk)) == (["review"], None)


def test_an_id_that_another_order_bears_is_not_asked_about_again(desk: Desk) -> None:
    """Both orders are a person's, and the hint that made one of them due has had its answer."""
    sent(desk, "a", "b")
    desk.move(State.PENDING, "b", provider_order_id="k")
    desk.move(State.IN_DOUBT, "a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        assert make_due(writing, provider_order_id="", order_id="a", called_expired=False)
    assert due(desk) is not None
    finds(desk)
    assert (desk.states("a", "b"), due(desk)) == (["review", "review"], None)


@pytest.mark.parametrize(("state", "others"), [(State.REJECTED, "review"), (State.DECLINED, "rejected")])
def test_an_order_of_a_refused_file_that_is_there_doubts_the_whole_refusal(state: State, others: str, desk: Desk) -> None:
    """If the order itself counted as refused, none of its file's orders is known to be; one that ended by a read doubts none."""
    at(desk, state)
    desk.move(State.REJECTED, "b")
    desk.room.sql("UPDATE batch SET step = ?", BatchStep.REFUSED.value)
    finds(desk)
    assert desk.states("a", "b") == ["review", others]


@pytest.mark.parametrize(
    ("state", "word", "code", "others"),
    [
        (State.REJECTED, "Processing", None, "review"),
        (State.REJECTED, "Declined", None, "rejected"),
        (State.DECLINED, "Completed", 7, "rejected"),
    ],
)
def test_a_read_doubts_a_refusal_only_of_what_it_refutes(
    state: State, word: str, code: int | None, others: str, desk: Desk
) -> None:
    """A refused order that the provider works on puts its whole file in question; other contradictions concern one order."""
    at(desk, state, provider_order_id="k", provider_status="SO")
    desk.move(State.REJECTED, "b")
    desk.room.sql("UPDATE batch SET step = ?", BatchStep.REFUSED.value)
    with desk.room.ledger.writing(desk.room.run) as writing:
        hear(
            writing, desk.equipment, desk.room.submission("a"), Heard("poll", b"{}", OrderRead("k", "a", code, word, 1999, "USD"))
        )
    assert desk.states("b") == [others]


def test_a_search_that_cannot_be_applied_is_told_and_keeps_no_other_back(desk: Desk) -> None:
    """Of two orders with news one cannot be applied: a person is told of it, the other is found; neither is due any more."""
    sent(desk, "a", "b")
    desk.move(State.IN_DOUBT, "a", "b")
    with desk.room.ledger.writing(desk.room.run) as writing:
        for order_id in ("a", "b"):
            assert make_due(writing, provider_order_id="", order_id=order_id, called_expired=False)

    def answers(order_id: str) -> Answer:
        if order_id == "a":
            raise InternalError("a mistake in this program")
        return Answer("b", b"{}", OrderRead("k", "b", None, "Processing", 1999, "USD"))

    asks(desk, answers)
    look_for_unanswered(desk.equipment, desk.room.run)
    assert desk.states("a", "b") == ["in_doubt", "pending"]
    assert items(desk.room) == [("quarantine", "order:a")]
    ((words,),) = desk.room.sql("SELECT explanation FROM item")
    assert "what was found of it could not be applied (a mistake in this program)" in str(words)
    assert due(desk) is None


def test_what_was_found_before_a_second_attempt_is_told_where_it_cannot_be_applied(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order stays as it is and is not asked about again; a person is told why, and nothing else is kept back."""
    sent(desk, "a")
    desk.move(State.IN_DOUBT, "a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        assert make_due(writing, provider_order_id="", order_id="a", called_expired=False)

    def mistaken(*_: object) -> None:
        raise InternalError("a mistake in this program")

    monkeypatch.setattr("batch.search._apply", mistaken)
    apply_found(desk.equipment, desk.room.run, desk.room.submission("a"), Answer("a", b"{}", FOUND))
    assert desk.states("a") == ["in_doubt"]
    assert items(desk.room) == [("quarantine", "order:a")]
    assert due(desk) is None


ABSENT = Answer("a", b"{}", None, "it is not there", is_absent=True)


@pytest.mark.parametrize(
    ("answer", "state", "is_silent"),
    [
        (Answer("a", b"{}", FOUND), "pending", False),
        (ABSENT, "sending", False),
        (Answer("a", b"{}", FOUND, "twice", is_double=True), "review", False),
        (Answer("a", b"", None, "HTTP 500", is_unreachable=True), "sending", True),
    ],
    ids=["there", "absent", "twice", "no answer"],
)
def test_a_file_is_looked_for_by_its_first_orders(answer: Answer, state: str, is_silent: bool, desk: Desk) -> None:
    """Every answer is one, but for none: then nobody can say whether the file has arrived."""
    sent(desk, "a", "b")
    asks(desk, answer)
    with pytest.raises(ApiUnreachable, match="HTTP 500") if is_silent else nullcontext():
        search_some(desk.equipment, desk.room.run, desk.batch(ONE), 1)
    assert desk.states("a", "b") == [state, "sending"]


def test_an_order_with_news_that_is_not_there_is_not_asked_about_again(desk: Desk) -> None:
    """The hint has had its answer; the order stays in doubt."""
    sent(desk, "a")
    desk.move(State.IN_DOUBT, "a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        assert make_due(writing, provider_order_id="", order_id="a", called_expired=False)
    assert due(desk) is not None
    asks(desk, ABSENT)
    look_for_unanswered(desk.equipment, desk.room.run)
    assert (desk.states("a"), due(desk)) == (["in_doubt"], None)


@pytest.mark.parametrize(
    ("there", "step", "found"),
    [("ab", "acknowledged", []), ("a", "in_doubt", [("missing_acknowledgement", f"batch:{ONE}")])],
)
def test_a_file_is_answered_when_each_of_its_orders_was_found(
    there: str, step: str, found: list[tuple[str, str]], desk: Desk
) -> None:
    """Without an acknowledgement: what is missing of it is missing no more; as long as one order is, a person is told."""
    sent(desk, "a", "b")
    desk.move(State.IN_DOUBT, "a", "b")
    desk.room.sql("UPDATE batch SET step = 'in_doubt', token_minted_at = '2026-11-22T06:30:00Z'")

    def answers(order_id: str) -> Answer:
        read = OrderRead(f"k-{order_id}", order_id, None, "Processing", 1999, "USD") if order_id in there else None
        return Answer(order_id, b"{}", read, "" if read else "it is not there", is_absent=read is None)

    asks(desk, answers)
    look_for_unanswered(desk.equipment, desk.room.run)
    assert desk.states("a", "b") == ["pending" if each in there else "in_doubt" for each in "ab"]
    assert (desk.batch(ONE).step, still_open(desk)) == (step, found)


@pytest.mark.parametrize(
    ("way", "times"),
    [("acknowledged", 1), ("called", 1), ("read", 1), ("read again", 0), ("found", 1), ("doubted", 1), ("doubted again", 0)],
)
def test_news_that_came_before_its_id_counts_when_the_id_is_learnt(
    way: str, times: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever teaches the provider's id applies what was said of it before, and nobody does so again once it is known (I8)."""
    sent(desk, "a")
    applied: list[object] = []
    for module in ("acknowledged_rows", "applying", "evaluate_answers", "search"):
        monkeypatch.setattr(f"batch.{module}.apply_early_news", lambda _w, _e, ids: applied.append(list(ids)))
    if way == "acknowledged":
        acknowledge(desk, row("a", "k"))
    elif way == "called":
        with desk.room.ledger.writing(desk.room.run) as writing:
            reply = Reply(Verdict.TAKEN, provider_id="k", word="SUBMITTED")
            apply_replies(writing, desk.equipment, [(desk.room.submission("a"), reply, "e" * 32)])
    elif way in ("found", "doubted", "doubted again"):
        if way != "found":
            desk.move(State.PENDING, "a", provider_order_id="k" if way == "doubted again" else "")
        finds(desk)
    else:
        if way == "read again":
            desk.move(State.PENDING, "a", provider_order_id="k")
        with desk.room.ledger.writing(desk.room.run) as writing:
            hear(writing, desk.equipment, desk.room.submission("a"), Heard("poll", b"{}", FOUND))
    assert applied == [["k"]] * times
    assert desk.room.submission("a").provider_order_id == "k"


def test_an_amount_that_a_person_accepted_is_no_news(desk: Desk) -> None:
    """Completed for another amount, as a person has accepted: the same read opens nothing; yet another amount does."""
    sent(desk, "a")
    desk.room.put("a", State.REVIEW)
    accepted = {"recovered_minor": 1500}
    with desk.room.ledger.writing(desk.room.run) as writing:
        changes = {"provider_order_id": "k", "provider_status": "COMPLETED"}
        order = desk.room.submission("a")
        move_orders(writing, [Move(order, State.COMPLETED, "operator", "so", detail=accepted, changes=changes)])
    for word, amount, expected in (
        ("Completed", 1500, []),
        ("Declined", 1500, ["contradiction"]),
        ("Completed", 1600, ["amount_differs"]),
    ):
        with desk.room.ledger.writing(desk.room.run) as writing:
            read = OrderRead("k", "a", None, word, amount, "USD")
            hear(writing, desk.equipment, desk.room.submission("a"), Heard("poll", b"{}", read))
        assert [kind for kind, _ in items(desk.room)] == expected, (word, amount)
        desk.room.sql("DELETE FROM item")
        desk.room.put("a", State.COMPLETED)


def test_an_amount_that_differs_is_told_before_anybody_accepted_it(desk: Desk) -> None:
    """A pending order that completes for another amount goes to a person, whatever was accepted of it at another time."""
    sent(desk, "a")
    desk.move(State.PENDING, "a", provider_order_id="k", provider_status="SUBMITTED")
    with desk.room.ledger.writing(desk.room.run) as writing:
        open_item(writing, ItemKind.QUARANTINE, "order:b", "so", due_business_days=3)
        read = OrderRead("k", "a", 7, "Completed", 1500, "USD")
        hear(writing, desk.equipment, desk.room.submission("a"), Heard("poll", b"{}", read))
    assert desk.states("a") == ["review"]
    assert ("amount_differs", "order:a") in items(desk.room)
