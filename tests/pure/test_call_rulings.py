"""Whether a call in doubt may be made once more, beside everything that is known of it and all that the provider may say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from batch.call_rulings import KEY_LASTS, CallFacts, rule_on_repeat
from batch.order_rulings import Said
from batch.responses import OrderRead
from schemas.errors import DecisionRefused
from schemas.states import State

FIRST = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
LAST = FIRST + timedelta(hours=1)
WINDOW = timedelta(hours=4)
A_SECOND = timedelta(seconds=1)
CALL = CallFacts("o-1", State.IN_DOUBT, is_of_calls=True, first_called=FIRST, last_called=LAST)
NOTHING = Said(None, "HTTP 404", is_absent=True)
GOOD = LAST + WINDOW


def shown(word: str, code: int | None = None) -> Said:
    """The provider shows the order."""
    return Said(OrderRead("k", "o-1", code, word, 1999, "USD"))


def test_the_last_moment_is_that_of_the_key() -> None:
    """What is ruled is until when the key is known: an hour less than the provider keeps it, from the first call on."""
    assert rule_on_repeat(CALL, NOTHING, GOOD, WINDOW) == FIRST + KEY_LASTS == datetime(2026, 11, 24, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (LAST + WINDOW - A_SECOND, r"last called at 2026-11-23T07:30:00Z; it may not be shown yet\."),
        (LAST + WINDOW, ""),
        (FIRST + KEY_LASTS - A_SECOND, ""),
        (FIRST + KEY_LASTS, r"first called at 2026-11-23T06:30:00Z: by now"),
    ],
)
def test_to_the_second(now: datetime, words: str) -> None:
    """Not before the window after the last call is over, and not from the moment on at which the key may be forgotten."""
    if not words:
        assert rule_on_repeat(CALL, NOTHING, now, WINDOW) == FIRST + KEY_LASTS
        return
    with pytest.raises(DecisionRefused, match=words) as refused:
        rule_on_repeat(CALL, NOTHING, now, WINDOW)
    later = "after 2026-11-23T11:30:00Z" if now < FIRST + KEY_LASTS else "--as support-confirmed-no-rescue"
    assert later in str(refused.value.next_step)


@pytest.mark.parametrize(
    ("call", "said", "words"),
    [
        (replace(CALL, state=State.PENDING), NOTHING, "is pending; repeat-call is for an order whose call is in doubt"),
        (replace(CALL, is_of_calls=False), NOTHING, "is in_doubt in a file; repeat-call is for"),
        (replace(CALL, state=State.REVIEW, is_of_calls=False), NOTHING, "is review in a file; repeat-call is for"),
        (replace(CALL, cancel_asked=True), NOTHING, "its rescue is not asked for again"),
        (replace(CALL, obstacle="its site is disabled"), NOTHING, "is not called again: its site is disabled"),
        (CALL, shown("Processing"), "The provider shows order 'o-1': Processing"),
        (CALL, shown("", 4), "The provider shows order 'o-1': code 4"),
        (replace(CALL, is_named=True), NOTHING, "has told of order 'o-1' by itself"),
        (CALL, Said(None, "HTTP 500"), "HTTP 500"),
        (replace(CALL, first_called=None), NOTHING, "When order 'o-1' was called is not known"),
        (replace(CALL, last_called=None), NOTHING, "When order 'o-1' was called is not known"),
    ],
)
def test_each_thing_that_stands_against_it_is_told(call: CallFacts, said: Said, words: str) -> None:
    """It stands elsewhere, was asked to end, may not be called, is shown, was named, cannot be asked about, has no time."""
    with pytest.raises(DecisionRefused, match=words):
        rule_on_repeat(call, said, GOOD, WINDOW)
