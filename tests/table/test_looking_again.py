"""Which refused orders are asked about once more after their next claim: those that have no answer yet, and no others."""

from collections.abc import Iterator, Sequence

import pytest

from batch import second_attempts
from batch.ledger.past import past_of
from batch.provider_reads import Answer
from batch.responses import OrderRead
from schemas.states import BatchStep, State
from tests.ledger.room import MID
from tests.pure.samples import good_row, judged
from tests.table.acknowledging import items
from tests.table.desk import Desk

ONE, TWO = "b00000000001", "b00000000002"


def claimed_again(desk: Desk, step: BatchStep, state: State, before: State = State.REJECTED) -> None:
    """Order `a` was refused, and claimed once more with `b`, which never was; their file has come so far, and both orders."""
    desk.held(ONE, "a")
    desk.room.put("a", before)
    desk.room.claim(TWO, "a", "b")
    desk.room.sql("UPDATE submission SET state = ? WHERE batch_id = ?", state.value, TWO)
    desk.room.sql("UPDATE batch SET step = ? WHERE batch_id = ?", step.value, TWO)


def asked_about(desk: Desk) -> list[str]:
    """Look again, at a provider that shows every order."""
    asked = list[str]()

    def find_orders(order_ids: Sequence[str]) -> Iterator[Answer]:
        asked.extend(order_ids)
        yield from (Answer(each, b"{}", OrderRead(f"k-{each}", each, None, "Processing", 1999, "USD")) for each in order_ids)

    desk.equipment.api.find_orders = find_orders  # type: ignore[method-assign]
    second_attempts.look_again(desk.equipment, desk.room.run, [desk.batch(TWO)])
    return asked


@pytest.mark.parametrize(
    ("step", "state", "asked", "then"),
    [
        (BatchStep.CLAIMED, State.CLAIMED, ["a"], "review"),
        (BatchStep.CLAIMED, State.HELD, ["a"], "review"),
        (BatchStep.SENDING, State.HELD, ["a"], "review"),
        (BatchStep.SENDING, State.SENDING, ["a"], "pending"),
        (BatchStep.CALLING, State.HELD, ["a"], "review"),
        (BatchStep.CALLING, State.SENDING, [], "sending"),
        (BatchStep.PART_VERIFIED, State.SENDING, ["a"], "pending"),
        (BatchStep.IN_DOUBT, State.IN_DOUBT, ["a"], "pending"),
        (BatchStep.IN_DOUBT, State.SENDING, ["a"], "pending"),
        (BatchStep.IN_DOUBT, State.PENDING, [], "pending"),
        (BatchStep.IN_DOUBT, State.COMPLETED, [], "completed"),
    ],
)
def test_what_has_no_answer_is_asked_about_again(step: BatchStep, state: State, asked: list[str], then: str, desk: Desk) -> None:
    """Of what was answered, or found by asking, it contradicts nothing that the provider shows it: it is no person's affair."""
    claimed_again(desk, step, state)
    assert asked_about(desk) == asked
    assert desk.states("a") == [then]
    assert items(desk.room) == ([("contradiction", "order:a")] if then == "review" else [])


def test_of_a_first_claim_nothing_is_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was never refused: what a large file of first claims has been before is not looked up."""
    claimed_again(desk, BatchStep.CLAIMED, State.HELD)
    looked_up = list[str]()

    def watched(connection: object, mid: str, order_ids: Sequence[str]) -> object:
        looked_up.extend(order_ids)
        return past_of(connection, mid, order_ids)  # type: ignore[arg-type]

    monkeypatch.setattr(second_attempts, "past_of", watched)
    assert (asked_about(desk), looked_up) == (["a"], ["a"])


def test_an_earlier_claim_that_was_withdrawn_is_no_refusal(desk: Desk) -> None:
    """The provider never had the order: there is nothing to ask about."""
    claimed_again(desk, BatchStep.CLAIMED, State.HELD, before=State.WITHDRAWN)
    assert (asked_about(desk), desk.states("a")) == ([], ["held"])


READ = OrderRead("k", "000471", None, "Processing", 1999, "USD")


@pytest.mark.parametrize(
    ("answer", "words", "shown"),
    [
        (Answer("000471", b"{}", READ), second_attempts.THERE, 1),
        (Answer("000471", b"{}", None, "it is there twice", is_double=True), second_attempts.THERE, 1),
        (Answer("000471", b"?", None, "it cannot be read"), second_attempts.UNANSWERED, 0),
        (Answer("000471", b"", None, "HTTP 500", is_unreachable=True), second_attempts.UNANSWERED, 0),
        (None, second_attempts.UNANSWERED, 0),
        (Answer("000471", b"{}", None, "it is not there", is_absent=True), "", 0),
    ],
    ids=["there", "twice", "unreadable", "silent", "none", "absent"],
)
def test_before_a_refused_order_is_claimed_again_every_answer_has_its_end(
    answer: Answer | None, words: str, shown: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an order that is surely absent goes; one that is there is a person's, and its row is blocked at once."""
    desk.held(ONE, "000471")
    desk.room.put("000471", State.REJECTED)
    with desk.room.ledger.reading() as connection:
        past = past_of(connection, MID, ["000471"])["000471"]
    verdict = judged(good_row(), State.REJECTED)
    assert verdict is not None
    written: list[object] = []
    monkeypatch.setattr(second_attempts, "write_back", lambda *given: written.append(given))
    found = [answer] if answer else []
    desk.equipment.api.find_orders = lambda order_ids: iter(found)  # type: ignore[method-assign]
    ((now, _),) = second_attempts.SecondAttempts(desk.equipment, desk.room.run).asked_first([(verdict, past)])
    assert (now.selected, len(written)) == (not words, shown)
    assert not words or now.reason_text == words
    assert desk.states("000471") == ["review" if shown else "rejected"]
    assert desk.room.sql("SELECT reason_text FROM decision") == [(words,)] * shown
