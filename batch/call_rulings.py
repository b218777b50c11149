"""Whether a call in doubt may be made once more because a person wants it. Pure: both sides are handed in.

The argument (I2, I12). A repeat is the same call: the key, the bytes and the order id that were claimed. If the provider
took the first, then within 24 hours it answers a repeat with its first answer and starts nothing (CONTRACT 7.6). If it did
not, the repeat is the first. Either way there is at most one rescue. That rests on the key alone, and what is known of
keys is stated for another call; so a repeat also needs what its reads say: that they show no such order, and this not
before the ingest window after the last call is over, because an order may be taken long before it is shown. Neither
stands for the other. When the key may be forgotten, only the provider's support can tell.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from batch.order_rulings import Said, shows_none
from schemas.errors import DecisionRefused
from schemas.resolutions import Resolution
from schemas.states import State

KEY_LASTS = timedelta(hours=23)
"""So long after the first call a repeat is known by its key: an hour less than the provider remembers it (CONTRACT 7.6)."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of an order whose call is in doubt: how it stands, when it was first and last called, what stands against
    calling it at all (`obstacle`, empty where nothing does), whether somebody asked for its end, and whether the provider has
    named it by itself: then it has it, whatever a read shows.
    """

    order_id: str
    state: State
    is_of_calls: bool
    first_called: datetime | None
    last_called: datetime | None
    obstacle: str = ""
    cancel_asked: bool = False
    is_named: bool = False


def rule_on_repeat(call: CallFacts, said: Said, now: datetime, window: timedelta) -> datetime:
    """Before when the call may be made once more; `window` is how long its order may be taken without being shown.

    Raises DecisionRefused: where it is not in doubt, was asked to end, is shown, or cannot be asked about; too early; too late.
    """
    name = f"Order {call.order_id!r}"
    if call.state is not State.IN_DOUBT or not call.is_of_calls:
        way = call.state if call.is_of_calls else f"{call.state} in a file"
        raise DecisionRefused(f"{name} is {way}; {Resolution.REPEAT_CALL} is for an order whose call is in doubt.")
    if call.cancel_asked:
        raise DecisionRefused(f"The cancel of order {call.order_id!r} was asked for; its rescue is not asked for again.")
    if call.obstacle:
        raise DecisionRefused(f"{name} is not called again: {call.obstacle}.")
    if said.read is not None:
        word = said.read.status or f"code {said.read.code}"
        raise DecisionRefused(
            f"The provider shows order {call.order_id!r}: {word}. It is not called again.",
            next_step="Let mitbatch poll settle it; the hold stays until then.",
        )
    if call.is_named:
        raise DecisionRefused(
            f"The provider has told of order {call.order_id!r} by itself, so it has it, although it does not show it now.",
            next_step=f"Ask its support, and see: mitbatch explain {call.order_id}",
        )
    shows_none(call.order_id, said)
    return _in_time(call, now, window)


def _in_time(call: CallFacts, now: datetime, window: timedelta) -> datetime:
    if call.first_called is None or call.last_called is None:
        raise DecisionRefused(f"When order {call.order_id!r} was called is not known; it is not called again.")
    if now < call.last_called + window:
        raise DecisionRefused(
            f"Order {call.order_id!r} was last called at {call.last_called:%Y-%m-%dT%H:%M:%SZ}; it may not be shown yet.",
            next_step=f"Decide again after {call.last_called + window:%Y-%m-%dT%H:%M:%SZ} (outcomes.ingest_window_seconds).",
        )
    if now >= call.first_called + KEY_LASTS:
        raise DecisionRefused(
            f"Order {call.order_id!r} was first called at {call.first_called:%Y-%m-%dT%H:%M:%SZ}: by now the provider may have"
            " forgotten its key, and would take a repeat for another order.",
            next_step=f"Ask its support; if no rescue runs or ever will, decide --as {Resolution.NO_RESCUE}.",
        )
    return call.first_called + KEY_LASTS
