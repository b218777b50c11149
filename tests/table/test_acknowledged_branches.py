"""What each row of an acknowledgement leaves in the ledger, to the last column: state, id, word, dates, event and item."""

import json

import pytest

from batch.acknowledged_rows import first_read, not_in_file, refuse_all
from schemas.states import BatchStep, State
from tests.ledger.room import DAY
from tests.table.acknowledging import ONE, acknowledge, items, row, sent
from tests.table.desk import Desk

NOW = "2026-11-23T06:30:00Z"


def last_event(desk: Desk, order_id: str) -> tuple[str, str, dict[str, object]]:
    """The kind and the reason of an order's last event, and its detail beside the number of the claim."""
    rows = desk.room.sql(
        "SELECT kind, reason, detail FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1", f"order:{order_id}"
    )
    ((kind, reason, detail),) = rows
    told_of: dict[str, object] = json.loads(str(detail))
    assert told_of.pop("attempt") == 1
    return str(kind), str(reason), told_of


def explanations(desk: Desk) -> list[str]:
    """What people are told in the items that are open."""
    return [str(words) for (words,) in desk.room.sql("SELECT explanation FROM item WHERE closed_at IS NULL ORDER BY subject")]


def test_an_accepted_row(desk: Desk) -> None:
    """The order is pending, bears the id and the word in capitals, is handed over today, and is asked about later."""
    sent(desk, "a")
    assert acknowledge(desk, row("a", "k", number="1", word="submitted" + "x" * 64)) == []
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id, order.handed_over_date) == (State.PENDING, "k", DAY)
    assert order.provider_status == ("SUBMITTED" + "X" * 64)[:64]
    words = "the provider accepted the row"
    assert last_event(desk, "a") == (
        "transition",
        words,
        {"provider_order_id": "k", "provider_status": "submitted" + "x" * 64},
    )


@pytest.mark.parametrize(("word", "at_once"), [("Submitted", False), ("OnHold", False), ("Completed", True), ("odd", True)])
def test_news_in_an_acknowledgement_is_read_at_once(word: str, at_once: bool, desk: Desk) -> None:
    """What is still worked on is asked about at the usual pace; whatever else the row says, a read must tell now (I3)."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k", word=word))
    order = desk.room.submission("a")
    usual = desk.equipment.settings.outcomes.min_poll_interval_seconds
    assert usual == 300
    assert order.next_read_at == (NOW if at_once else "2026-11-23T06:35:00Z")
    with desk.room.ledger.writing(desk.room.run) as writing:
        assert first_read(writing, desk.equipment, order, word) == order.next_read_at


@pytest.mark.parametrize(
    ("error", "word", "reason", "status"),
    [
        ("no such site", "Failed: x", "no such site", "FAILED: X"),
        ("", "", "refused", "FAILED"),
        ("", "y" * 65, "refused", "Y" * 64),
    ],
)
def test_a_refused_row(error: str, word: str, reason: str, status: str, desk: Desk) -> None:
    """The order is released with the provider's words, or plain ones where it gives none, and a person is told."""
    sent(desk, "a", "b")
    assert acknowledge(desk, row("a", error=error, word=word)) == [("row_refused", "order:a")]
    assert desk.states("a", "b") == ["rejected", "sending"]
    assert desk.room.submission("a").provider_status == status
    detail = {"provider_status": status, "error_code": "MB-ROW-REJECTED", "error_text": reason}
    assert last_event(desk, "a") == ("transition", reason, detail)
    assert explanations(desk)[0].endswith(f": {reason}")


def test_the_same_words_again_change_nothing(desk: Desk) -> None:
    """An acknowledgement that comes twice, accepted or refused: not one event more."""
    sent(desk, "a", "b")
    acknowledge(desk, row("a", "k"), row("b"))
    before = desk.room.everything("lease", "run")
    assert acknowledge(desk, row("a", "k"), row("b")) == [("row_refused", "order:b")]
    assert desk.room.everything("lease", "run") == before


def test_two_ids_for_one_order(desk: Desk) -> None:
    """The least of them is kept, whichever came first, and a person decides."""
    sent(desk, "a")
    assert acknowledge(desk, row("a", "k2"), row("a", "k1")) == [("contradiction", "order:a")]
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id) == (State.REVIEW, "k1")
    assert last_event(desk, "a") == ("transition", "its acknowledgement says two things", {"provider_order_id": "k1"})


def test_another_id_than_the_one_we_know(desk: Desk) -> None:
    """An order that is pending under one id is accepted under another: under review, with the lesser of both."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k2"))
    assert acknowledge(desk, row("a", "k1")) == [("contradiction", "order:a")]
    assert (desk.states("a"), desk.room.submission("a").provider_order_id) == (["review"], "k1")


@pytest.mark.parametrize(
    ("first", "then", "words", "learnt"),
    [
        ("k", "", "refused after it was accepted", {"provider_order_id": "k"}),
        ("", "k", "accepted after it was refused", {"provider_order_id": "k"}),
    ],
)
def test_an_answer_that_is_taken_back(first: str, then: str, words: str, learnt: dict[str, str], desk: Desk) -> None:
    """Accepted and then refused, or the other way round: under review, one item, about the contradiction alone."""
    sent(desk, "a")
    acknowledge(desk, row("a", first))
    desk.room.sql("UPDATE item SET closed_at = NULL")
    acknowledge(desk, row("a", then))
    assert desk.states("a") == ["review"]
    assert last_event(desk, "a") == ("transition", words, learnt)
    assert desk.room.sql("SELECT kind FROM item WHERE closed_at IS NULL") == [("contradiction",)]


def test_an_order_under_review_learns_its_id(desk: Desk) -> None:
    """A row about an order that a person looks at moves nothing, but the id that it brings is kept."""
    sent(desk, "a")
    desk.move(State.REVIEW, "a")
    assert acknowledge(desk, row("a", "k")) == []
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id) == (State.REVIEW, "k")
    assert last_event(desk, "a") == ("learnt", "the provider's id is known now", {"provider_order_id": "k"})


def test_one_id_for_two_orders(desk: Desk) -> None:
    """Both come under review, and the least order id bears it, in whatever order the rows stand."""
    sent(desk, "a", "b", "c")
    acknowledge(desk, row("b", "k"), row("a", "k"), row("c", "m"))
    assert desk.states("a", "b", "c") == ["review", "review", "pending"]
    assert [desk.room.submission(each).provider_order_id for each in "abc"] == ["k", "", "m"]
    assert items(desk.room) == [("contradiction", "order:a"), ("contradiction", "order:b")]


def test_an_id_of_an_order_from_before(desk: Desk) -> None:
    """An id that a pending order bears comes again for another one: both come under review."""
    sent(desk, "a", "b")
    acknowledge(desk, row("a", "k"))
    acknowledge(desk, row("b", "k"))
    assert desk.states("a", "b") == ["review", "review"]


def test_rows_that_fit_nothing_are_told(desk: Desk) -> None:
    """By their order id and number as far as they have them; a withdrawn order is none of the file."""
    sent(desk, "a", "b")
    desk.move(State.WITHDRAWN, "b")
    assert acknowledge(desk, row("zz", "k", number="4"), row("b", "j"), row("", "i")) == [("quarantine", f"batch:{ONE}")]
    (told,) = explanations(desk)
    assert told.endswith(
        "3 rows of its answer set aside: the row for 'zz' as number 4 fits none of the file; "
        "the row for 'b' fits none of the file; the row for 'no order' fits none of the file"
    )
    assert not_in_file(row("", number="9")) == "the row for 'no order' as number 9 fits none of the file"
    assert desk.states("a", "b") == ["sending", "withdrawn"]


def test_a_refused_file_says_nothing_of_an_order_that_was_not_in_it(desk: Desk) -> None:
    """An order that was withdrawn before the file left is none of the refused: it stays so, and its row is not touched."""
    sent(desk, "a", "b")
    desk.move(State.WITHDRAWN, "b")
    before = desk.room.submission("b")
    with desk.room.ledger.writing(desk.room.run) as writing:
        refuse_all(writing, desk.equipment, desk.batch(ONE), "not a file", "e" * 32)
    assert desk.states("a", "b") == ["rejected", "withdrawn"]
    assert desk.room.submission("b") == before


@pytest.mark.parametrize("step", [None, BatchStep.ACKNOWLEDGED, BatchStep.EMPTY])
@pytest.mark.parametrize("known", ["nothing", "an id", "a review"])
def test_a_file_that_is_refused_as_a_whole(step: BatchStep | None, known: str, desk: Desk) -> None:
    """Its waiting orders are released, unless the provider has accepted the file before or has an order of it: then review."""
    sent(desk, "a", "b")
    if known == "an id":
        acknowledge(desk, row("a", "k"))
    elif known == "a review":
        desk.move(State.REVIEW, "a")
    if step:
        desk.room.sql("UPDATE batch SET step = ?", step.value)
    with desk.room.ledger.writing(desk.room.run) as writing:
        refuse_all(writing, desk.equipment, desk.batch(ONE), "not a file", "e" * 32)
    plain = step is None and known == "nothing"
    assert desk.states("a", "b") == (["rejected", "rejected"] if plain else ["review", "review"])
    assert items(desk.room) == [("file_refused" if plain else "contradiction", f"batch:{ONE}")]
    if plain:
        assert explanations(desk)[0].endswith(f": {ONE}.json: not a file")
        assert last_event(desk, "b")[1] == "not a file"
