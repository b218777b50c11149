"""Decisions about an order under review, beside everything that the provider may say when it is asked."""

from dataclasses import replace
from importlib.resources import files

import pytest

from batch.conclusions import Facts
from batch.order_rulings import Said, rule_on_order
from batch.responses import OrderRead
from schemas.errors import DecisionRefused
from schemas.profile import parse_profile
from schemas.resolutions import Resolution
from schemas.states import EDGES, State

PROFILE = parse_profile((files("schemas") / "profiles" / "flexfactor.toml").read_text(encoding="utf-8"))
FACTS = Facts("o-1", "key-1", State.REVIEW, 1999, "USD", is_past_expiry=False, was_called_expired=False)
RIGHT, AMOUNT, NONE = Resolution.PROVIDER_IS_RIGHT, Resolution.OTHER_AMOUNT_ACCEPTED, Resolution.NO_RESCUE


def said(code: int | None, word: str, amount: int | None = 1999, currency: str = "USD", external: str = "o-1") -> Said:
    """An answer to a read of the order."""
    return Said(OrderRead("key-1", external, code, word, amount, currency))


@pytest.mark.parametrize(
    ("code", "word", "path"),
    [
        (7, "Completed", [State.COMPLETED]),
        (4, "Processing", [State.PENDING]),
        (1, "Onhold", [State.PENDING]),
        (5, "Capturerequired", [State.PENDING, State.CAPTURE_REQUIRED]),
        (6, "Returned", [State.REFUNDED]),
        (2, "Cancelled", [State.DECLINED]),
        (None, "EXPIRED", [State.EXPIRED]),
    ],
)
def test_the_order_goes_where_the_provider_says(code: int | None, word: str, path: list[State]) -> None:
    """Along ways that the table of moves has."""
    ruling = rule_on_order(RIGHT, FACTS, said(code, word), "o-1", PROFILE)
    assert list(ruling.path) == path
    assert ruling.recovered_minor == (1999 if path == [State.COMPLETED] else None)
    state = State.REVIEW
    for to in ruling.path:
        assert to in EDGES[state]
        state = to


@pytest.mark.parametrize(
    ("resolution", "answer", "bearer", "words"),
    [
        (RIGHT, said(7, "Completed", 2000), "o-1", "completed with 2000 USD"),
        (RIGHT, said(7, "Completed", 1999, "EUR"), "o-1", "completed with 1999 EUR"),
        (RIGHT, said(3, "Problem"), "o-1", "problem"),
        (RIGHT, said(42, "Perhaps"), "o-1", "not a known status"),
        (RIGHT, said(7, "Completed", external="o-2"), "o-1", "about order 'o-2'"),
        (RIGHT, said(7, "Completed"), "o-2", "belongs to order 'o-2'"),
        (RIGHT, Said(None, "HTTP 500"), "", "does not show order 'o-1' now: HTTP 500"),
        (AMOUNT, said(7, "Completed"), "o-1", "does not say"),
        (AMOUNT, said(4, "Processing"), "o-1", "does not say"),
        (AMOUNT, said(7, "Completed", 2000, "EUR"), "o-1", "in EUR, not in USD"),
        (AMOUNT, said(7, "Completed", None, "EUR"), "o-1", "does not say"),
        (NONE, said(4, "Processing"), "o-1", "shows order"),
        (NONE, said(2, "Cancelled"), "o-1", "shows order 'o-1': Cancelled.*provider-is-right"),
        (NONE, said(2, ""), "o-1", "shows order 'o-1': code 2"),
        (NONE, Said(None, "HTTP 500"), "", "cannot be asked"),
    ],
)
def test_what_contradicts_the_provider_is_refused(resolution: Resolution, answer: Said, bearer: str, words: str) -> None:
    """Nothing follows, and the sentence says why."""
    with pytest.raises(DecisionRefused, match=words):
        rule_on_order(resolution, FACTS, answer, bearer, PROFILE)


def test_only_what_is_under_review_or_in_doubt_is_decided_about() -> None:
    """Every other state ends by the provider's word, or has ended."""
    absent = Said(None, "", is_absent=True)
    for state in State:
        for resolution, allowed in ((RIGHT, {State.REVIEW}), (AMOUNT, {State.REVIEW}), (NONE, {State.REVIEW, State.IN_DOUBT})):
            if state not in allowed:
                with pytest.raises(DecisionRefused, match=f"is {state}"):
                    rule_on_order(resolution, replace(FACTS, state=state), absent, "", PROFILE)
    assert rule_on_order(NONE, replace(FACTS, state=State.IN_DOUBT), absent, "", PROFILE).path == (State.REJECTED,)


def test_an_accepted_amount_is_the_providers() -> None:
    """It is what came in."""
    ruling = rule_on_order(AMOUNT, FACTS, said(7, "Completed", 1500), "", PROFILE)
    assert (ruling.path, ruling.recovered_minor) == ((State.COMPLETED,), 1500)
    assert "USD 15.00 instead of USD 19.99" in ruling.sentence


def test_an_amount_without_a_currency_is_one_of_the_orders_own() -> None:
    """The provider names a currency only where it has one to name."""
    assert rule_on_order(AMOUNT, FACTS, said(7, "Completed", 1500, ""), "", PROFILE).recovered_minor == 1500


@pytest.mark.parametrize(
    ("answer", "next_step"),
    [
        (said(7, "Completed", 2000), f"If that amount is right, decide --as {AMOUNT}."),
        (said(3, "Problem"), "Ask the provider's support."),
    ],
)
def test_who_may_accept_an_amount_is_told_how(answer: Said, next_step: str) -> None:
    """Another amount is a person's to accept; what the provider calls a problem is for its support."""
    with pytest.raises(DecisionRefused) as refused:
        rule_on_order(RIGHT, FACTS, answer, "o-1", PROFILE)
    assert refused.value.next_step == next_step


@pytest.mark.parametrize(
    ("code", "word", "said_so", "kept"),
    [
        (7, "", "code 7", "CODE 7"),
        (7, "Completed", "Completed", "COMPLETED"),
        (7, f"{'Completed':<65}", f"{'Completed':<65}", f"{'COMPLETED':<64}"),
    ],
)
def test_the_word_that_decided_is_kept_and_told(code: int, word: str, said_so: str, kept: str) -> None:
    """In the ledger in capitals and as long as its column, whether it was a word or a code; in the sentence as it came."""
    ruling = rule_on_order(RIGHT, FACTS, said(code, word), "o-1", PROFILE)
    assert (ruling.provider_order_id, ruling.provider_status) == ("key-1", kept)
    assert ruling.sentence == f"Order 'o-1' goes from review to completed: the provider says {said_so}."


@pytest.mark.parametrize(("resolution", "amount"), [(RIGHT, 1999), (AMOUNT, 1500)])
def test_a_recovery_whose_cancel_was_asked_for_is_told_to_whoever_decides(resolution: Resolution, amount: int) -> None:
    """The sentence says so with the command that gives it back, and so does what the ledger keeps; without a cancel neither."""
    answer = said(7, "Completed", amount)
    ruling = rule_on_order(resolution, replace(FACTS, cancel_wanted=True), answer, "o-1", PROFILE)
    assert f"mitbatch refund o-1 --amount {amount / 100:.2f}" in ruling.too_late
    plain = rule_on_order(resolution, FACTS, answer, "o-1", PROFILE)
    assert ruling.sentence == f"{plain.sentence.removesuffix('.')}; {ruling.too_late}"
    assert (plain.too_late, ruling.path) == ("", plain.path)


@pytest.mark.parametrize(
    ("word", "code", "may_be", "to"), [("Cancelled", 2, True, State.CANCELLED), ("Cancelled", 2, False, State.DECLINED)]
)
def test_code_2_after_a_cancel_of_ours_is_cancelled_by_a_decision_too(word: str, code: int, may_be: bool, to: State) -> None:
    """What ends without money because we asked is cancelled, and nothing is to be given back (CONTRACT 14)."""
    ruling = rule_on_order(RIGHT, replace(FACTS, cancel_wanted=True, may_be_cancelled=may_be), said(code, word), "o-1", PROFILE)
    assert (ruling.path, ruling.too_late) == ((to,), "")
