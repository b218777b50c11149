"""What is heard of an order again after a person or the provider has settled it: told once, and no news where it is known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from batch.applying import Heard, facts_of, hear, raise_item, with_cancels
from batch.asking import is_about
from batch.ledger.completed_by_hand import is_taken_for_right
from batch.ledger.items import MORE_NEWS
from batch.ledger.moves import Move, move_orders
from batch.ledger.operations import Wanted, claim_operation, move_operation, operations_of
from batch.responses import OrderRead
from schemas.operations import OperationKind, OperationStep
from schemas.reasons import ItemKind
from schemas.states import State
from tests.ledger.room import START
from tests.table.acknowledging import acknowledge, items, row, sent
from tests.table.desk import Desk


def cancelled(desk: Desk) -> None:
    """An order of which a cancel was asked for, and done."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    with desk.room.ledger.writing(desk.room.run) as writing:
        operation = claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
        move_operation(writing, operation, OperationStep.DONE, reason="done there")


def completes(desk: Desk, currency: str = "USD", amount: int = 1999) -> list[str]:
    """The provider shows it as completed; returns the kinds of what is open then."""
    with desk.room.ledger.writing(desk.room.run) as writing:
        read = OrderRead("k", "a", None, "Completed", amount, currency)
        hear(writing, desk.equipment, desk.room.submission("a"), Heard("poll", b"{}", read))
    return [kind for kind, _ in items(desk.room)]


@pytest.mark.parametrize(("by_person", "then"), [(False, State.REVIEW), (True, State.COMPLETED), (True, State.REVIEW)])
def test_a_cancel_that_came_too_late_is_told_until_a_person_takes_it_for_right(by_person: bool, then: State, desk: Desk) -> None:
    """An order under review tells of it; one that a person completed does not once more, under review again or not."""
    cancelled(desk)
    desk.room.put("a", State.REVIEW)
    if by_person:
        with desk.room.ledger.writing(desk.room.run) as writing:
            accepted = {"recovered_minor": 1999}
            move_orders(writing, [Move(desk.room.submission("a"), State.COMPLETED, "operator", "so", detail=accepted)])
    desk.room.put("a", then)
    assert completes(desk) == ([] if by_person else ["double_charge"])


@pytest.mark.parametrize(("attempt", "cancel_after", "is_told"), [(1, False, False), (1, True, True), (2, False, True)])
def test_a_word_of_another_claim_or_from_before_the_cancel_is_of_something_else(
    attempt: int, cancel_after: bool, is_told: bool, desk: Desk
) -> None:
    """A person completed it, it came under review again, its cancel had no effect, and it completes: they have not seen that."""
    if not cancel_after:
        cancelled(desk)
    else:
        sent(desk, "a")
        acknowledge(desk, row("a", "k"))
    desk.room.put("a", State.REVIEW)
    desk.room.clock.advance(timedelta(minutes=1))
    with desk.room.ledger.writing(desk.room.run) as writing:
        accepted = {"recovered_minor": 1999, "attempt": attempt}
        move_orders(writing, [Move(desk.room.submission("a"), State.COMPLETED, "operator", "so", detail=accepted)])
    desk.room.put("a", State.REVIEW)
    desk.room.clock.advance(timedelta(minutes=1))
    if cancel_after:
        with desk.room.ledger.writing(desk.room.run) as writing:
            claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
    assert completes(desk) == (["double_charge"] if is_told else [])


@pytest.mark.parametrize(
    ("source", "to", "detail"),
    [("poll", State.COMPLETED, {"recovered_minor": 1999}), ("operator", State.PENDING, {})],
    ids=["a read", "another decision"],
)
def test_only_a_person_who_says_that_it_is_completed_takes_it_for_right(
    source: str, to: State, detail: dict[str, int], desk: Desk
) -> None:
    """A read that completed it is no person, and a person who let it go on has not said that it is completed."""
    cancelled(desk)
    desk.room.put("a", State.REVIEW)
    with desk.room.ledger.writing(desk.room.run) as writing:
        move_orders(writing, [Move(desk.room.submission("a"), to, source, "so", detail=detail)])
    desk.room.put("a", State.REVIEW)
    assert completes(desk) == ["double_charge"]


def test_a_cancel_of_another_claim_is_not_what_a_person_took_for_right(desk: Desk) -> None:
    """They completed this claim: what was asked about another one, however late, does not make that old."""
    cancelled(desk)
    desk.room.put("a", State.REVIEW)
    with desk.room.ledger.writing(desk.room.run) as writing:
        completed = {"recovered_minor": 1999}
        move_orders(writing, [Move(desk.room.submission("a"), State.COMPLETED, "operator", "so", detail=completed)])
        order = desk.room.submission("a")
        (cancel,) = operations_of(writing.connection, writing.mid, "a")
        later = replace(cancel, asked_at="2026-12-01T00:00:00Z")
        for asked, is_right in (([cancel], True), ([cancel, later], False), ([cancel, replace(later, attempt=2)], True)):
            assert is_taken_for_right(writing.connection, writing.mid, order, asked) is is_right


def test_a_cancel_that_came_too_late_is_told_in_place_of_what_stood_open(desk: Desk) -> None:
    """The item that stands open for a row which the merchant changed says nothing of the cancel (I6); its news is told once."""
    cancelled(desk)
    desk.room.put("a", State.REVIEW)
    with desk.room.ledger.writing(desk.room.run) as writing:
        raise_item(writing, desk.equipment, ItemKind.DOUBLE_CHARGE, desk.room.submission("a"), "the merchant changed the row")
    for _ in range(2):
        completes(desk)
        told = desk.room.sql("SELECT resolution, explanation FROM item ORDER BY closed_at IS NULL")
        assert [(resolution, "came too late" in str(words)) for resolution, words in told] == [(MORE_NEWS, False), (None, True)]


def test_what_is_heard_is_kept(desk: Desk) -> None:
    """Byte for byte, where anything came; an answer without a word is none (I7)."""
    sent(desk, "a")
    for content in (b"", b"words"):
        with desk.room.ledger.writing(desk.room.run) as writing:
            hear(writing, desk.equipment, desk.room.submission("a"), Heard("poll", content, None))
    assert desk.room.sql("SELECT source, subject, content FROM evidence") == [("poll", "order:a", b"words")]


@pytest.mark.parametrize(("currency", "is_news"), [("USD", False), ("", False), ("EUR", True)])
def test_an_amount_is_accepted_in_its_currency(currency: str, is_news: bool, desk: Desk) -> None:
    """The same number in another currency was never accepted; where none is told it is the order's own."""
    sent(desk, "a")
    desk.room.put("a", State.REVIEW)
    with desk.room.ledger.writing(desk.room.run) as writing:
        changes = {"provider_order_id": "k", "provider_status": "COMPLETED"}
        move = Move(
            desk.room.submission("a"), State.COMPLETED, "operator", "so", detail={"recovered_minor": 1500}, changes=changes
        )
        move_orders(writing, [move])
    assert bool(completes(desk, currency, 1500)) is is_news


def test_only_a_cancel_of_this_very_claim_counts(desk: Desk) -> None:
    """A refund is none, and what was asked of an earlier claim stops no later one."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    order = desk.room.submission("a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        cancel = claim_operation(writing, order, Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
        refund = claim_operation(writing, order, Wanted(OperationKind.REFUND, 5, "USD", "so", "ada"))
    facts = facts_of(START, order)
    assert with_cancels(facts, order, [refund, cancel]).cancel_wanted
    for others in ([], [refund], [replace(cancel, attempt=2)]):
        assert with_cancels(facts, order, others) == replace(facts, cancel_wanted=False, may_be_cancelled=False)


def test_what_was_given_back_is_not_proposed_once_more(desk: Desk) -> None:
    """Of a recovery whose cancel came too late the rest is proposed; a refund that was not done gave nothing back."""
    cancelled(desk)
    desk.room.put("a", State.REVIEW)
    with desk.room.ledger.writing(desk.room.run) as writing:
        for amount_minor, step in ((500, OperationStep.DONE), (700, OperationStep.REFUSED)):
            refund = claim_operation(
                writing, desk.room.submission("a"), Wanted(OperationKind.REFUND, amount_minor, "USD", "so", "ada")
            )
            move_operation(writing, refund, step, reason="so there")
    completes(desk)
    (words,) = (str(words) for (words,) in desk.room.sql("SELECT explanation FROM item WHERE kind = 'double_charge'"))
    assert "--amount 14.99" in words


@pytest.mark.parametrize(
    ("theirs", "ours", "is_ours"), [("k", "a", True), ("k", "", True), ("k", "b", False), ("q", "a", False), ("q", "", False)]
)
def test_an_answer_is_about_the_order_whose_ids_it_names(theirs: str, ours: str, is_ours: bool, desk: Desk) -> None:
    """The provider's id is ours to compare, and our own where it is told."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    assert is_about(OrderRead(theirs, ours, None, "Completed", 1999, "USD"), desk.room.submission("a")) is is_ours
