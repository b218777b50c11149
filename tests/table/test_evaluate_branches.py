"""What the answer to an evaluate leaves in the ledger, to the last column: state, id, word, dates, event, item (CONTRACT 7.5)."""

import json

import pytest

from batch.api_line import Call, Called
from batch.call_answers import Reply, Verdict, pause_asked, read_evaluate, read_transmit
from batch.evaluate_answers import apply_replies, reply_of
from schemas.states import State
from tests.ledger.room import DAY, START
from tests.table.acknowledging import ONE, items
from tests.table.desk import Desk

EVIDENCE = "e" * 32


def taken(provider_id: str, word: str = "SUBMITTED") -> Reply:
    """The provider has it."""
    return Reply(Verdict.TAKEN, provider_id=provider_id, word=word)


def answered(desk: Desk, **replies: Reply) -> None:
    """Apply the answers of calls by order."""
    orders = [(desk.room.submission(each), reply, EVIDENCE) for each, reply in replies.items()]
    with desk.room.ledger.writing(desk.room.run) as writing:
        apply_replies(writing, desk.equipment, orders)


def calling(desk: Desk, *order_ids: str, mit_mode: str = "") -> None:
    """Orders whose calls are under way."""
    desk.held(ONE, *order_ids)
    desk.move(State.SENDING, *order_ids)
    if mit_mode:
        desk.room.sql("UPDATE submission SET mit_mode = ?", mit_mode)


def last_event(desk: Desk, order_id: str) -> tuple[str, str, str, dict[str, object]]:
    """Kind, source and reason of an order's last event, and its detail beside the number of the claim."""
    statement = "SELECT kind, source, reason, detail FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1"
    ((kind, source, reason, detail),) = desk.room.sql(statement, f"order:{order_id}")
    told: dict[str, object] = json.loads(str(detail))
    told.pop("attempt")
    return str(kind), str(source), str(reason), told


def test_a_taken_order(desk: Desk) -> None:
    """Pending, with the id, the word in capitals, today as the day of the handing over, and a first read at the usual pace."""
    calling(desk, "a")
    answered(desk, a=taken("k", "submitted" + "x" * 60))
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id, order.handed_over_date) == (State.PENDING, "k", DAY)
    assert order.provider_status == ("SUBMITTED" + "X" * 60)[:64]
    word = "submitted" + "x" * 60
    detail = {"provider_order_id": "k", "provider_status": word}
    assert last_event(desk, "a") == ("transition", "evaluate", f"the provider has it: {word}", detail)
    assert items(desk.room) == [("unknown_status", "order:a")]


@pytest.mark.parametrize(
    ("word", "mit_mode", "due", "found"),
    [
        ("Submitted", "", "2026-11-23T06:35:00Z", []),
        ("Approved", "", "2026-11-23T06:30:00Z", []),
        ("CHALLENGE", "", "2026-11-23T06:30:00Z", [("unknown_status", "order:a")]),
        ("CHALLENGE", "cit", "2026-11-23T06:30:00Z", [("challenge", "order:a")]),
        ("Problem", "cit", "2026-11-23T06:30:00Z", [("unknown_status", "order:a")]),
        ("NOTFOUND", "", "2026-11-23T06:30:00Z", [("unknown_status", "order:a")]),
        ("QUANTUM", "", "2026-11-23T06:30:00Z", [("unknown_status", "order:a")]),
    ],
)
def test_what_a_word_asks_for(word: str, mit_mode: str, due: str, found: list[tuple[str, str]], desk: Desk) -> None:
    """No word ends an order; a person hears of one that says nothing, and of a challenge where a customer was present."""
    calling(desk, "a", mit_mode=mit_mode)
    answered(desk, a=taken("k", word))
    order = desk.room.submission("a")
    assert (order.state, order.next_read_at, items(desk.room)) == (State.PENDING, due, found)
    if found:
        told = str(desk.room.sql("SELECT explanation FROM item")[0][0])
        wanted = "show the provider's widget" if found[0][0] == "challenge" else f"it answered '{word}' to the evaluate"
        assert wanted in told


@pytest.mark.parametrize(
    ("verdict", "state", "source", "shows"),
    [
        (Verdict.UNSEEN, "held", "send", 0),
        (Verdict.DOUBTFUL, "in_doubt", "evaluate", 0),
        (Verdict.REFUSED, "rejected", "evaluate", 1),
    ],
)
def test_what_is_not_taken(verdict: Verdict, state: str, source: str, shows: int, desk: Desk) -> None:
    """A call that did nothing leaves the order held, a refusal releases it, everything else is in doubt."""
    calling(desk, "a", "b")
    before = desk.room.submission("a")
    answered(desk, a=Reply(verdict, "so they say"))
    after = desk.room.submission("a")
    assert (desk.states("a", "b"), after.row_version - before.row_version) == ([state, "sending"], shows)
    refused = verdict is Verdict.REFUSED
    detail = {"provider_status": "FAILED", "error_code": "MB-ROW-REJECTED", "error_text": "so they say"} if refused else {}
    assert last_event(desk, "a") == ("transition", source, "so they say", detail)
    assert after.provider_status == ("FAILED" if refused else "")
    assert items(desk.room) == ([("row_refused", "order:a")] if refused else [])
    if refused:
        assert str(desk.room.sql("SELECT explanation FROM item")[0][0]).endswith(": so they say")


def test_an_order_that_came_under_review_meanwhile_learns_nothing_from_an_answer_without_an_id(desk: Desk) -> None:
    """No event says that an id is known, and none is written where none was."""
    calling(desk, "a")
    desk.move(State.REVIEW, "a")
    before = desk.room.submission("a").event_seq
    answered(desk, a=Reply(Verdict.DOUBTFUL, "HTTP 500"))
    assert (desk.states("a"), desk.room.submission("a").event_seq) == (["review"], before)
    assert desk.room.sql("SELECT provider_order_id FROM submission") == [(None,)]


def test_an_order_that_came_under_review_meanwhile_learns_its_id_alone(desk: Desk) -> None:
    """Another answer put it under review: its own answer moves it no more, once or twice, and a refusal opens nothing."""
    calling(desk, "a", "b")
    desk.move(State.REVIEW, "a", "b")
    answered(desk, a=taken("k"), b=Reply(Verdict.REFUSED, "no"))
    assert (desk.states("a", "b"), desk.room.submission("a").provider_order_id) == (["review", "review"], "k")
    assert last_event(desk, "a") == ("learnt", "evaluate", "the provider's id is known now", {"provider_order_id": "k"})
    assert items(desk.room) == []
    before = desk.room.everything("lease")
    answered(desk, a=taken("other"))
    assert desk.room.everything("lease") == before


def test_an_id_that_two_orders_are_given(desk: Desk) -> None:
    """In one turn or in two: both are under review, the least order id bears it; a third order is not concerned."""
    calling(desk, "a", "b", "c", "d")
    answered(desk, b=taken("k"), a=taken("k"), c=taken("m"))
    answered(desk, d=taken("m"))
    assert desk.states("a", "b", "c", "d") == ["review"] * 4
    assert [desk.room.submission(each).provider_order_id for each in "abcd"] == ["k", "", "m", ""]
    assert items(desk.room) == [("contradiction", f"order:{each}") for each in "abcd"]
    assert {row[0] for row in desk.room.sql("SELECT evidence_id FROM item")} == {EVIDENCE}


def test_what_a_call_proves() -> None:
    """Not made and not sent are no doubt; made and without an answer is; an answer is read."""
    call = Call("a", b"{}", START)
    made = Called(call, problem="it broke off")
    assert reply_of(made) == Reply(Verdict.DOUBTFUL, "it broke off")
    assert reply_of(Called(call, not_sent=True, problem="no line")) == Reply(Verdict.UNSEEN, "no line")
    assert reply_of(Called(call, not_made=True)) == Reply(Verdict.UNSEEN, "the call was not made")
    assert reply_of(Called(call, http_status=500, content=b"")).verdict is Verdict.DOUBTFUL
    body = b'{"orderSessionKey": "k", "status": "SUBMITTED"}'
    assert reply_of(Called(call, http_status=299, content=body)) == taken("k")


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (199, b"", "the provider answered with HTTP 199"),
        (300, b"", "the provider answered with HTTP 300"),
        (401, b"", "the provider refused the call before anything was done (HTTP 401)"),
        (400, b"", "the provider answered with HTTP 400 and does not say what is wrong"),
        (409, b"", "the provider says that a call with its key is running, or was made before (HTTP 409)"),
        (200, b'{"status": "A"}', "its answer has no orderSessionKey or no status"),
        (200, b'{"orderSessionKey": "k", "status": "A", "success": false}', "its answer says success false beside the status A"),
        (400, b'{"errors": {"a": [], "b": [7, "x", "y"], "c": "z"}}', "b: x"),
        (400, json.dumps({each: ["x"] for each in "gfedcba"}).encode(), "a: x; b: x; c: x; d: x; e: x"),
    ],
)
def test_why_an_order_was_not_taken(status: int, content: bytes, words: str) -> None:
    """People are told what the provider said, no more than five complaints of it."""
    assert read_evaluate(status, content).words == words


@pytest.mark.parametrize(("length", "verdict"), [(128, Verdict.TAKEN), (129, Verdict.DOUBTFUL)])
def test_a_word_of_128_letters_is_the_longest(length: int, verdict: Verdict) -> None:
    """A longer one is no status."""
    content = json.dumps({"orderSessionKey": "k", "status": "x" * length}).encode()
    assert read_evaluate(200, content).verdict is verdict


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[", "its answer cannot be read"), (b'{"result": "failed", "transmitId": "t"}', "its answer does not say success")],
)
def test_why_a_copy_was_not_taken(content: bytes, words: str) -> None:
    """A copy whose answer does not say success with an id may have been taken all the same."""
    reply = read_transmit(200, content)
    assert (reply.verdict, reply.words[: len(words)]) == (Verdict.DOUBTFUL, words)
    assert read_transmit(200, b'{"result": "Success", "transmitId": "t"}') == Reply(Verdict.TAKEN, provider_id="t")


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("1", 1), ("2", 2), ("119", 119), ("120", 120), ("121", 120), ("999999999", 120), ("1000000000", 1)],
)
def test_the_bounds_of_a_pause(asked: str, seconds: float) -> None:
    """At least a second, at most two minutes; a number of ten digits is none."""
    assert pause_asked(asked, START) == seconds


@pytest.mark.parametrize("moment", ["06:31:30 -0000", "06:31:30 GMT", "07:31:30 +0100"])
def test_a_pause_until_a_moment(moment: str) -> None:
    """Without a zone it is taken for UTC; in another zone it is the same moment."""
    assert pause_asked(f"Mon, 23 Nov 2026 {moment}", START) == 90


@pytest.mark.parametrize("text", ["\u0667", "\u00b2", f"Mon, 23 Nov {'9' * 30} 06:00:00 GMT"])
def test_a_pause_that_makes_no_sense(text: str) -> None:
    """Digits of another script, and a year that no calendar has: the least pause."""
    assert pause_asked(text, START) == 1
