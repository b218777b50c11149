"""What may be asked of the provider, and what a read says of a request without a clear answer: every rule at its edges."""

from collections.abc import Sequence

import pytest

from batch.action_rules import (
    Money,
    RefundAsked,
    Settlement,
    Wish,
    cancel_obstacle,
    capture_obstacle,
    captured_minor,
    confirmed_minor,
    reached_in_another_way,
    refund_command,
    refund_obstacle,
    settlement,
)
from batch.responses import OrderRead
from schemas.operations import OperationKind, OperationStep
from schemas.profile import Meaning
from schemas.states import NEVER_AGAIN, RELEASED, State

REFUND, CANCEL, CAPTURE = OperationKind.REFUND, OperationKind.CANCEL, OperationKind.CAPTURE
DONE, REFUSED = OperationStep.DONE, OperationStep.REFUSED


def read(status: str = "Word", code: int | None = 7, amount: int | None = 1000, refunded: int | None = None) -> OrderRead:
    """How the provider shows the order."""
    return OrderRead("k", "a", code, status, amount, "USD", refunded)


def obstacle(
    amount: int,
    *,
    state: State = State.COMPLETED,
    meaning: Meaning | None = Meaning.COMPLETED,
    confirmed: int = 0,
    shown: int | None = None,
) -> str:
    """Why so much of 10.00 USD may not be given back, of which one partial refund may be 80 %."""
    return refund_obstacle(state, meaning, Money("USD", 1000, confirmed, shown), amount, partial_max_percent=80)


def test_what_was_taken_is_what_the_provider_shows() -> None:
    """And what was handed over where it shows nothing; nought is something."""
    assert [captured_minor(read(amount=shown), 1999) for shown in (1500, 0, None)] == [1500, 0, 1999]


@pytest.mark.parametrize(
    ("confirmed", "shown", "left"), [(0, None, 1000), (300, None, 700), (0, 300, 700), (300, 200, 700), (200, 300, 700)]
)
def test_what_is_left_is_never_more_than_is_certain(confirmed: int, shown: int | None, left: int) -> None:
    """Whichever says that more is gone, our own refunds or the provider, is believed."""
    assert Money("USD", 1000, confirmed, shown).left == left


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (1, ""),
        (800, ""),
        (801, "USD 8.01 is more than the 80 % (USD 8.00) that one partial refund may be"),
        (999, "USD 9.99 is more than the 80 % (USD 8.00) that one partial refund may be"),
        (1000, ""),
        (1001, "USD 10.01 is more than the USD 10.00 that are left of it"),
    ],
)
def test_how_much_may_be_given_back_at_once(amount: int, words: str) -> None:
    """All of it, or a part up to the provider's share, to the cent."""
    assert obstacle(amount) == words


@pytest.mark.parametrize(
    ("confirmed", "amount", "words"),
    [
        (500, 500, ""),
        (500, 501, "USD 5.01 is more than the USD 5.00 that are left of it"),
        (1000, 1, "USD 0.01 is more than the USD 0.00 that are left of it"),
        (1001, 1, "USD 0.01 is more than the USD 0.00 that are left of it"),
        (150, 850, "USD 8.50 is more than the 80 % (USD 8.00) that one partial refund may be"),
    ],
)
def test_of_what_is_left_no_more_is_given_back(confirmed: int, amount: int, words: str) -> None:
    """What was given back before counts; what looks like less than nothing is nothing."""
    assert obstacle(amount, confirmed=confirmed, state=State.PARTIALLY_REFUNDED) == words


@pytest.mark.parametrize(
    ("confirmed", "amount", "words"),
    [
        (0, 1000, ""),
        (150, 850, ""),
        (0, 500, "it is under review, where only all that is left (USD 10.00) may be given back"),
        (0, 900, "USD 9.00 is more than the 80 % (USD 8.00) that one partial refund may be"),
        (0, 1001, "USD 10.01 is more than the USD 10.00 that are left of it"),
    ],
)
def test_under_review_all_that_is_left_is_given_back_or_nothing(confirmed: int, amount: int, words: str) -> None:
    """Nobody decides about an order of which a part is gone; the rest may be larger than one partial refund."""
    assert obstacle(amount, confirmed=confirmed, state=State.REVIEW) == words


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("meaning", [*Meaning, None])
def test_only_what_completed_is_given_back(state: State, meaning: Meaning | None) -> None:
    """Here and at the provider; what was given back as a whole is said to be so."""
    may = state in (State.COMPLETED, State.PARTIALLY_REFUNDED, State.REVIEW) and meaning is Meaning.COMPLETED
    if meaning is Meaning.REFUNDED or state is State.REFUNDED:
        words = "all of it was given back already"
    elif meaning is not Meaning.COMPLETED:
        words = "it has not completed at the provider, so there is nothing to give back"
    else:
        words = "" if may else f"it is {state}, so there is nothing to give back"
    assert obstacle(1000, state=state, meaning=meaning) == words


UNSENT, UNKNOWN = "it has not been sent;", "its id at the provider is not known"
STOPPING = {
    State.PENDING: "",
    State.CAPTURE_REQUIRED: "",
    State.REVIEW: "",
    State.CLAIMED: UNSENT,
    State.HELD: UNSENT,
    State.SENDING: f"{UNKNOWN} yet;",
    State.IN_DOUBT: f"{UNKNOWN} yet;",
    State.REJECTED: "it has ended already: rejected",
    State.WITHDRAWN: "it has ended already: withdrawn",
    State.DECLINED: "it has ended already: declined",
    State.EXPIRED: "it has ended already: expired",
    State.CANCELLED: "it has ended already: cancelled",
    State.COMPLETED: "it is completed; what was recovered can only be given back",
    State.PARTIALLY_REFUNDED: "it is partially_refunded; what was recovered can only be given back",
    State.REFUNDED: "it is refunded; what was recovered can only be given back",
    State.CHARGEBACK: "it is chargeback; what was recovered can only be given back",
}


@pytest.mark.parametrize("state", State)
def test_which_orders_can_be_stopped(state: State) -> None:
    """Those that the provider works on, or may, by its id; of every other a person reads why not, and what to do."""
    words = cancel_obstacle(state, "k")
    assert (words.startswith(STOPPING[state]), not words) == (True, not STOPPING[state])
    assert bool(cancel_obstacle(state, ""))
    assert cancel_obstacle(State.REVIEW, "").startswith(f"{UNKNOWN}; mitbatch explain")


@pytest.mark.parametrize("state", State)
def test_only_what_waits_for_its_capture_is_captured(state: State) -> None:
    """Every other order says where it stands."""
    words = f"it is {state} and does not wait for a capture"
    assert capture_obstacle(state) == ("" if state is State.CAPTURE_REQUIRED else words)


def test_the_command_that_gives_all_of_it_back() -> None:
    """It can be copied as it stands, whatever the order is called, and in any currency."""
    assert refund_command("a b", 1999, "USD") == "mitbatch refund 'a b' --amount 19.99 --reason ..."
    assert refund_command("a", 1999, "JPY") == "mitbatch refund a --amount 1999 --reason ..."


STOPPED = (Meaning.NOT_RECOVERED, Meaning.DECLINED, Meaning.EXPIRED)
TAKEN = (Meaning.COMPLETED, Meaning.REFUNDED, Meaning.CHARGEBACK)
STILL = (Meaning.PENDING, Meaning.ONHOLD, Meaning.CAPTURE_REQUIRED)


@pytest.mark.parametrize("is_worked_on", [False, True])
@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("meaning", [*Meaning, None])
@pytest.mark.parametrize("kind", [CANCEL, CAPTURE])
def test_what_a_read_says_of_a_cancel_or_capture(
    kind: OperationKind, meaning: Meaning | None, is_late: bool, is_worked_on: bool
) -> None:
    """Done where the order went that way, refused where it went the other, or stands and it is late; a decline may be no end."""
    goes_on = kind is CANCEL and is_worked_on
    done, too_late = (STOPPED, TAKEN) if kind is CANCEL else (TAKEN, STOPPED)
    still = (*STILL, *STOPPED) if goes_on else STILL
    found = settlement(kind, read("Word"), meaning, is_late=is_late, is_worked_on=is_worked_on)
    expected = Settlement(None, "the provider says Word, which does not tell", ever=True)
    if meaning in done and not goes_on:
        expected = Settlement(DONE, "the provider says Word")
    elif meaning in too_late:
        expected = Settlement(REFUSED, "it was too late: the provider says Word")
    elif meaning in still and is_late:
        expected = Settlement(REFUSED, "it had no effect: the provider still says Word; it may be asked for again")
    assert found == expected


def test_a_code_without_a_word_is_told_as_one() -> None:
    """What the provider says is named as it says it."""
    assert settlement(CANCEL, read("", 2), Meaning.NOT_RECOVERED, is_late=False).words == "the provider says code 2"


SHOWS, SAYS = "the provider shows it as given back (Word)", "the provider says Word"
UNTOUCHED = "nothing was given back: the provider still says Word"
OTHER = "the provider shows another amount as given back than was asked for"
WAIT, NEVER = (Settlement(None, f"{SAYS}, which does not tell", ever=ever) for ever in (True, False))


@pytest.mark.parametrize(
    ("asked", "meaning", "refunded", "now", "late"),
    [
        (RefundAsked(300, 1000, 0, True), Meaning.COMPLETED, 300, Settlement(DONE, SHOWS), Settlement(DONE, SHOWS)),
        (RefundAsked(300, 700, 300, True), Meaning.COMPLETED, 600, Settlement(DONE, SHOWS), Settlement(DONE, SHOWS)),
        (RefundAsked(300, 700, 300, True), Meaning.COMPLETED, 300, WAIT, Settlement(REFUSED, UNTOUCHED)),
        (RefundAsked(300, 1000, 0, True), Meaning.COMPLETED, 0, WAIT, Settlement(REFUSED, UNTOUCHED)),
        (RefundAsked(300, 1000, 0, True), Meaning.COMPLETED, 301, *[Settlement(None, OTHER, ever=False)] * 2),
        (RefundAsked(300, 1000, 0, True), Meaning.COMPLETED, 1, *[Settlement(None, OTHER, ever=False)] * 2),
        (RefundAsked(300, 1000, 300, True), Meaning.COMPLETED, 0, *[Settlement(None, OTHER, ever=False)] * 2),
        (RefundAsked(300, 1000, None, True), Meaning.COMPLETED, None, NEVER, NEVER),
        (RefundAsked(300, 1000, None, True), Meaning.COMPLETED, 300, NEVER, NEVER),
        (RefundAsked(300, 1000, 0, True), Meaning.COMPLETED, None, NEVER, NEVER),
        (RefundAsked(1000, 1000, None, True), Meaning.COMPLETED, None, WAIT, Settlement(REFUSED, UNTOUCHED)),
        (RefundAsked(1000, 1000, None, True), Meaning.COMPLETED, 0, WAIT, Settlement(REFUSED, UNTOUCHED)),
        (RefundAsked(1000, 1000, None, True), Meaning.COMPLETED, 300, NEVER, NEVER),
        (RefundAsked(1000, 1000, None, True), Meaning.REFUNDED, None, Settlement(DONE, SAYS), Settlement(DONE, SAYS)),
        (RefundAsked(300, 1000, None, True), Meaning.REFUNDED, None, NEVER, NEVER),
        (RefundAsked(1000, 1000, None, True), Meaning.PENDING, None, NEVER, NEVER),
        (RefundAsked(1000, 1000, None, True), None, None, NEVER, NEVER),
        (RefundAsked(1000, 1000, None, False), Meaning.COMPLETED, None, NEVER, NEVER),
        (RefundAsked(300, 1000, 0, False), Meaning.COMPLETED, 300, *[Settlement(DONE, SHOWS)] * 2),
    ],
)
def test_what_a_read_says_of_a_refund(
    asked: RefundAsked, meaning: Meaning | None, refunded: int | None, now: Settlement, late: Settlement
) -> None:
    """Money is given back where the provider shows this amount more than before, or all of it; that nothing moved counts late."""
    shown = read("Word", refunded=refunded)
    assert settlement(REFUND, shown, meaning, is_late=False, refund=asked) == now
    assert settlement(REFUND, shown, meaning, is_late=True, refund=asked) == late


def test_only_confirmed_refunds_add_up() -> None:
    """What was refused, or is in doubt, is not gone for certain."""
    assert confirmed_minor([(step, 10**place) for place, step in enumerate(OperationStep)]) == 10 ** [*OperationStep].index(DONE)
    assert confirmed_minor([]) == 0


@pytest.mark.parametrize("state", State)
def test_what_a_refused_cancel_or_capture_was_for(state: State) -> None:
    """A cancel wants that nothing was taken for good, a capture that the amount was taken."""
    words = f"has come about: the order is {state}"
    cancelled, captured = (reached_in_another_way(kind, "x", [], state) for kind in (CANCEL, CAPTURE))
    assert cancelled == (f"what the cancel was for {words}" if state in (*RELEASED, State.REFUNDED) else "")
    assert captured == (f"what the capture was for {words}" if state in NEVER_AGAIN else "")
    refunded = reached_in_another_way(REFUND, "x", [], state)
    assert refunded == ("what the refund was for has come about: all of the order was given back" * (state is State.REFUNDED))


@pytest.mark.parametrize(
    ("requests", "served"),
    [
        ([("x", REFUSED, 5), ("y", DONE, 5)], "x"),
        ([("y", DONE, 5), ("x", REFUSED, 5)], ""),
        ([("x", REFUSED, 5), ("y", DONE, 6)], ""),
        ([("x", REFUSED, 5), ("z", REFUSED, 5), ("y", DONE, 5)], "x"),
        ([("x", REFUSED, 5), ("z", REFUSED, 5), ("y", DONE, 5), ("w", DONE, 5)], "xz"),
        ([("x", REFUSED, 5), ("z", REFUSED, 6), ("y", DONE, 6)], "z"),
        ([("x", REFUSED, 5), ("y", OperationStep.IN_DOUBT, 5)], ""),
        ([("x", OperationStep.IN_DOUBT, 5), ("y", DONE, 5)], ""),
    ],
)
def test_one_later_refund_serves_one_refused_one(requests: Sequence[tuple[str, OperationStep, int]], served: str) -> None:
    """Of the same amount, the oldest first: two that were wanted are not one."""
    wishes = [Wish(*each) for each in requests]
    found = [each for each, _, _ in requests if reached_in_another_way(REFUND, each, wishes, State.COMPLETED)]
    assert sorted(found) == sorted(served)
