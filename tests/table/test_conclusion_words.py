"""Conclusions to the last word: path, reason, item and explanation; also where a customer was present or a cancel asked for."""

from dataclasses import replace

import pytest

from batch.conclusions import CHALLENGED, Conclusion, Facts, conclude, meaning_of_word
from batch.responses import OrderRead
from schemas.profile import Meaning
from schemas.reasons import ItemKind
from schemas.states import NEVER_AGAIN, State
from tests.pure.samples import profile

FACTS = Facts("o-1", "k", State.PENDING, 1999, "USD", is_past_expiry=False, was_called_expired=False)
ENDED = (*NEVER_AGAIN, State.REVIEW, State.WITHDRAWN, State.REJECTED, State.DECLINED, State.EXPIRED, State.CANCELLED)


def read(word: str = "", code: int | None = None, amount_minor: int | None = 1999, currency: str = "USD") -> OrderRead:
    """What the provider says of the order."""
    return OrderRead("k", "o-1", code, word, amount_minor, currency)


def concluded(state: State, answer: OrderRead, **facts: object) -> Conclusion:
    """What follows for an order in this state."""
    return conclude(replace(FACTS, state=state, **facts), answer, profile())  # type: ignore[arg-type]


def item(kind: ItemKind, explanation: str) -> Conclusion:
    """Nothing moves, and a person is told."""
    return Conclusion((), "", kind, explanation, understood=False)


def review(reason: str, kind: ItemKind, explanation: str) -> Conclusion:
    """A person decides."""
    return Conclusion((State.REVIEW,), reason, kind, explanation)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OrderRead("k", "o-2", 7, "Completed", 1999, "USD"), "an answer about order 'o-2' came for order 'o-1'"),
        (OrderRead("j", "o-1", 7, "Completed", 1999, "USD"), "an answer about 'j' came for k"),
        (OrderRead("", "o-1", 7, "Completed", 1999, "USD"), "an answer about '' came for k"),
    ],
)
def test_an_answer_about_another_order(answer: OrderRead, words: str) -> None:
    """It moves nothing, and is told with both names."""
    assert concluded(State.PENDING, answer) == item(ItemKind.QUARANTINE, words)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (read("Quantum", 7), "the provider said 'Quantum', which is not a known status of such an order"),
        (read("", 8), "the provider said 'code 8', which is not a known status of such an order"),
        (read("Completed", 2), "the provider said 'Completed', which is not a known status of such an order"),
        (read("EXPIRED", 7), "the provider said 'EXPIRED', which is not a known status of such an order"),
        (read("CHALLENGE"), "the provider said 'CHALLENGE', which is not a known status of such an order"),
        (read("", 3), "the provider reports a problem with the order; contact its support"),
        (read("NOTFOUND"), "the provider said 'NOTFOUND', which is not a known status of such an order"),
    ],
)
@pytest.mark.parametrize("state", [State.IN_DOUBT, State.PENDING, State.COMPLETED, State.HELD])
def test_words_that_say_nothing(answer: OrderRead, words: str, state: State) -> None:
    """They change no state, wherever the order stands."""
    assert concluded(state, answer) == item(ItemKind.UNKNOWN_STATUS, words)


@pytest.mark.parametrize("state", [State.SENDING, State.IN_DOUBT, State.PENDING, State.CAPTURE_REQUIRED, State.DECLINED])
def test_a_challenge_of_a_customer_who_was_present(state: State) -> None:
    """It says that the order arrived, and what to do; nowhere else does it say anything."""
    found = concluded(state, read("CHALLENGE"), is_cit=True)
    if state is State.PENDING:
        assert found == Conclusion((), "as known", ItemKind.CHALLENGE, CHALLENGED)
    elif state in (State.SENDING, State.IN_DOUBT):
        assert found == Conclusion((State.PENDING,), "the provider has it: CHALLENGE", ItemKind.CHALLENGE, CHALLENGED)
    else:
        assert found.item is ItemKind.UNKNOWN_STATUS
    for word in ("QUANTUM", "Problem", "NOTFOUND"):
        assert concluded(state, read(word), is_cit=True) == concluded(state, read(word))


def test_how_an_order_arrives() -> None:
    """Out of doubt by any word of work; a refused one is a contradiction; one that was never sent as well."""
    assert concluded(State.SENDING, read("Submitted", 0)) == Conclusion((State.PENDING,), "the provider has it: Submitted")
    assert concluded(State.IN_DOUBT, read("", 4)) == Conclusion((State.PENDING,), "the provider has it: code 4")
    assert concluded(State.PENDING, read("OnHold")) == Conclusion((), "as known")
    assert concluded(State.EXPIRED, read("OnHold")) == Conclusion((), "already ended")
    assert concluded(State.REJECTED, read("OnHold")) == review(
        "refused before, yet the provider says OnHold", ItemKind.CONTRADICTION, "a refused row is being worked"
    )
    for state in (State.CLAIMED, State.HELD, State.WITHDRAWN):
        words = f"it is {state} here, and the provider says Completed"
        told = review("the provider has it all the same", ItemKind.CONTRADICTION, words)
        assert concluded(state, read("Completed")) == told
    words = "it is rejected here, and the provider says CaptureRequired"
    told = review("the provider has it all the same", ItemKind.CONTRADICTION, words)
    assert concluded(State.REJECTED, read("CaptureRequired")) == told


def test_an_authorised_order() -> None:
    """It waits for its capture, by way of `pending`; where that is known or over, nothing happens."""
    assert concluded(State.PENDING, read("CaptureRequired")) == Conclusion((State.CAPTURE_REQUIRED,), "CaptureRequired")
    path = (State.PENDING, State.CAPTURE_REQUIRED)
    assert concluded(State.IN_DOUBT, read("", 5)) == Conclusion(path, "code 5")
    assert concluded(State.CAPTURE_REQUIRED, read("CaptureRequired")) == Conclusion((), "as known")
    for state in set(ENDED) - {State.WITHDRAWN, State.REJECTED}:
        assert concluded(state, read("CaptureRequired")).path == ()


def test_a_recovery() -> None:
    """It completes what is open, for the same amount and currency, said or left out."""
    for answer in (read("Completed"), read("", 7), read("Completed", None, None, ""), read("Completed", 7, 1999, "")):
        assert concluded(State.PENDING, answer) == Conclusion((State.COMPLETED,), "recovered")
        assert concluded(State.SENDING, answer) == Conclusion((State.PENDING, State.COMPLETED), "recovered")
    for state in NEVER_AGAIN:
        assert concluded(state, read("Completed")) == Conclusion((), "already ended")
    assert concluded(State.REVIEW, read("Completed", None, 1)) == Conclusion((), "as known")
    assert concluded(State.PARTIALLY_REFUNDED, read("Completed", None, 1)) == Conclusion((), "already ended")
    for state in (State.DECLINED, State.EXPIRED, State.CANCELLED, State.REJECTED):
        words = f"the order was {state} here and its hold released; the provider says completed"
        told = review("completed after it had ended", ItemKind.LATE_COMPLETION, words)
        assert concluded(state, read("Completed")) == told


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (read("Completed", None, 1998), "1998 USD"),
        (read("Completed", None, 2000, ""), "2000 USD"),
        (read("Completed", None, 1999, "EUR"), "1999 EUR"),
        (read("Completed", None, None, "EUR"), "1999 EUR"),
    ],
)
@pytest.mark.parametrize("state", [State.PENDING, State.COMPLETED, State.DECLINED])
def test_a_recovery_of_another_amount(answer: OrderRead, said: str, state: State) -> None:
    """Whatever came before, a person decides, and sees both amounts."""
    words = f"handed over 1999 USD, completed with {said}"
    assert concluded(state, answer) == review("completed for another amount", ItemKind.AMOUNT_DIFFERS, words)


@pytest.mark.parametrize(
    ("answer", "amount"),
    [
        (read("Completed"), "--amount 19.99"),
        (read("Completed", None, None), "--amount 19.99"),
        (read("Completed", None, 500, "EUR"), "--amount 5.00"),
        (read("Completed", None, 500, ""), "--amount 5.00"),
    ],
)
def test_a_recovery_whose_cancel_was_asked_for(answer: OrderRead, amount: str) -> None:
    """It may be a charge that the customer paid already: a person decides, with the refund at hand."""
    for state in (State.PENDING, State.IN_DOUBT, State.CANCELLED, State.DECLINED):
        found = concluded(state, answer, cancel_wanted=True)
        assert (found.path, found.reason) == ((State.REVIEW,), "recovered although its cancel was asked for")
        assert found.item is ItemKind.DOUBLE_CHARGE
        assert found.explanation.startswith("its cancel was asked for and came too late; refund it if it should not have")
        assert amount in found.explanation
    for state in NEVER_AGAIN:
        assert concluded(state, answer, cancel_wanted=True).item is not ItemKind.DOUBLE_CHARGE
    found = concluded(State.REVIEW, answer, cancel_wanted=True)
    assert (found.path, found.item, amount in found.explanation) == ((), ItemKind.DOUBLE_CHARGE, True)
    assert concluded(State.REVIEW, answer).item is None


def test_a_currency_without_cents_is_told_in_whole_units() -> None:
    """The refund that is proposed is in the currency that the provider names, else in the order's own."""
    for answer in (read("Completed", None, 500, "JPY"), read("Completed", None, 500, "")):
        found = concluded(State.PENDING, answer, cancel_wanted=True, currency="JPY")
        assert "--amount 500 " in f"{found.explanation} "
    assert "--amount 500 " in concluded(State.PENDING, read("Completed", None, 500, "JPY"), cancel_wanted=True).explanation


def test_the_end_without_money() -> None:
    """Declined, or expired where that was said, was called so, or has passed; a completed one is a contradiction."""
    declined, expired = Conclusion((State.DECLINED,), "Declined"), Conclusion((State.EXPIRED,), "Cancelled")
    assert concluded(State.PENDING, read("Declined")) == declined
    assert concluded(State.PENDING, read("Declined"), is_past_expiry=True, was_called_expired=True) == declined
    assert concluded(State.PENDING, read("Cancelled")) == Conclusion((State.DECLINED,), "Cancelled")
    assert concluded(State.PENDING, read("Cancelled"), is_past_expiry=True) == expired
    assert concluded(State.PENDING, read("Cancelled"), was_called_expired=True) == expired
    assert concluded(State.PENDING, read("Expired", 2)) == Conclusion((State.EXPIRED,), "Expired")
    assert concluded(State.IN_DOUBT, read("Expired")) == Conclusion((State.PENDING, State.EXPIRED), "Expired")
    assert concluded(State.DECLINED, read("Expired")) == Conclusion((State.EXPIRED,), "Expired")
    assert concluded(State.DECLINED, read("Cancelled"), was_called_expired=True) == expired
    assert concluded(State.DECLINED, read("Cancelled"), is_past_expiry=True) == Conclusion((), "already ended")
    assert concluded(State.DECLINED, read("Declined"), was_called_expired=True) == Conclusion((), "already ended")
    for state in NEVER_AGAIN:
        told = review("completed before", ItemKind.CONTRADICTION, f"{state} here, the provider now says Declined")
        assert concluded(state, read("Declined")) == told


def test_a_cancel_that_may_have_happened() -> None:
    """The code of a cancelled order means that, where a cancel was asked for and not refused; a decline is a decline."""
    asked: dict[str, object] = {"cancel_wanted": True, "may_be_cancelled": True}
    for sync in (False, True):
        found = concluded(State.PENDING, read("Cancelled"), is_worked_on=sync, **asked)
        assert found == Conclusion((State.CANCELLED,), "Cancelled")
    path = (State.PENDING, State.CANCELLED)
    assert concluded(State.SENDING, read("", 2), **asked) == Conclusion(path, "code 2")
    assert concluded(State.PENDING, read("Declined"), **asked).path == (State.DECLINED,)
    assert concluded(State.PENDING, read("Cancelled"), cancel_wanted=True).path == (State.DECLINED,)
    for state in (State.DECLINED, State.EXPIRED, State.REJECTED, State.REVIEW):
        assert concluded(state, read("Cancelled"), **asked).path == ()


def test_a_decline_of_an_order_that_the_provider_goes_on_with() -> None:
    """It has arrived, and is neither over nor released; what is over stays over."""
    words = "Declined so far; the provider goes on until the agreed period is over"
    for state in (State.SENDING, State.IN_DOUBT):
        assert concluded(state, read("Declined"), is_worked_on=True) == Conclusion((State.PENDING,), words)
    for state in (State.PENDING, State.CAPTURE_REQUIRED):
        assert concluded(state, read("Declined"), is_worked_on=True) == Conclusion((), words)
    assert concluded(State.DECLINED, read("Declined"), is_worked_on=True) == Conclusion((), "already ended")
    assert concluded(State.REVIEW, read("Declined"), is_worked_on=True) == Conclusion((), "as known")
    assert concluded(State.DECLINED, read("Expired"), is_worked_on=True) == Conclusion((State.EXPIRED,), "Expired")


@pytest.mark.parametrize(("word", "to"), [("Returned", State.REFUNDED), ("Chargeback", State.CHARGEBACK)])
def test_money_that_went_back(word: str, to: State) -> None:
    """It follows a recovery, or is the first word of one; after an end without money a person decides."""
    assert concluded(State.COMPLETED, read(word)) == Conclusion((to,), to.value)
    assert concluded(State.IN_DOUBT, read(word)) == Conclusion((State.PENDING, to), to.value)
    for state in (to, State.REVIEW, State.CHARGEBACK):
        assert concluded(state, read(word)).path == ()
    for state in (State.DECLINED, State.EXPIRED, State.CANCELLED, State.REJECTED):
        words = f"{state} here, the provider says {to}"
        assert concluded(state, read(word)) == review(f"{to} after it had ended", ItemKind.LATE_COMPLETION, words)


def test_a_word_that_the_ledger_keeps() -> None:
    """It is a word, or the digits of a code that came without one."""
    assert meaning_of_word("7", profile()) is Meaning.COMPLETED
    assert meaning_of_word("COMPLETED", profile()) is Meaning.COMPLETED
    assert meaning_of_word("QUANTUM", profile()) is None


@pytest.mark.parametrize("known", ["", "k"])
def test_an_answer_that_does_not_name_our_order_is_about_the_one_that_was_asked_for(known: str) -> None:
    """By the provider's id, or by ours where that is not known yet: it is understood, and closes what was in doubt."""
    found = concluded(State.IN_DOUBT, OrderRead("k", "", 4, "Processing", 1999, "USD"), provider_order_id=known)
    assert (found.path, found.item, found.understood) == ((State.PENDING,), None, True)
