"""What may be asked of the provider for an order, and what a read says about a request without a clear answer. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from batch.responses import OrderRead
from schemas.money import decimal_text, people_text
from schemas.operations import OperationKind, OperationStep
from schemas.profile import Meaning
from schemas.states import NEVER_AGAIN, NOT_RECOVERED, RELEASED, State

REPETITION = timedelta(hours=24)
"""An equal refund of the same order within so long, without a request id, is taken for the same one said twice."""

_ENDED_WITHOUT_MONEY = (Meaning.NOT_RECOVERED, Meaning.DECLINED, Meaning.EXPIRED)
_MONEY_MOVED = (Meaning.COMPLETED, Meaning.REFUNDED, Meaning.CHARGEBACK)
_REFUNDABLE = (State.COMPLETED, State.PARTIALLY_REFUNDED, State.REVIEW)
STOPPABLE = (State.PENDING, State.CAPTURE_REQUIRED, State.REVIEW)
"""States in which the provider can be asked to stop an order whose id there is known."""


def captured_minor(read: OrderRead, handed_over_minor: int) -> int:
    """What was taken from the customer: the amount that the read shows, else the one that was handed over."""
    return handed_over_minor if read.amount_minor is None else read.amount_minor


@dataclass(frozen=True, slots=True)
class Money:
    """What of an order was taken and what is gone again, in minor units of its currency.

    `confirmed` is what our own confirmed refunds add up to, `shown` what the provider shows as refunded (None: nothing).
    """

    currency: str
    captured: int
    confirmed: int
    shown: int | None

    @property
    def left(self) -> int:
        """What can still be given back: never more than is certain to be there."""
        return self.captured - max(self.confirmed, self.shown or 0)


def refund_obstacle(state: State, meaning: Meaning | None, money: Money, amount_minor: int, *, partial_max_percent: int) -> str:
    """Why so much may not be given back now, as the end of a sentence; empty when it may."""
    if meaning is Meaning.REFUNDED or state is State.REFUNDED:
        return "all of it was given back already"
    if state not in _REFUNDABLE or meaning is not Meaning.COMPLETED:
        said = "it has not completed at the provider" if meaning is not Meaning.COMPLETED else f"it is {state}"
        return f"{said}, so there is nothing to give back"
    asked, left = people_text(amount_minor, money.currency), people_text(max(money.left, 0), money.currency)
    if amount_minor > money.left:
        return f"{asked} is more than the {left} that are left of it"
    is_rest = state is State.REVIEW and amount_minor == money.left
    if amount_minor < money.captured and not is_rest and amount_minor * 100 > money.captured * partial_max_percent:
        most = people_text(money.captured * partial_max_percent // 100, money.currency)
        return f"{asked} is more than the {partial_max_percent} % ({most}) that one partial refund may be"
    if state is State.REVIEW and amount_minor != money.left:
        return f"it is under review, where only all that is left ({left}) may be given back"
    return ""


def cancel_obstacle(state: State, provider_order_id: str) -> str:
    """Why the provider cannot be asked to stop an order by its id there; empty when it can."""
    if state in STOPPABLE and provider_order_id:
        return ""
    if state in (State.CLAIMED, State.HELD):
        return "it has not been sent; change its row in the order system, and it is withdrawn before it leaves"
    if state in (State.SENDING, State.IN_DOUBT):
        return "its id at the provider is not known yet; the next poll looks for it (--external asks by your own id)"
    if state is State.REVIEW:
        return "its id at the provider is not known; mitbatch explain shows what is"
    if state in (State.REJECTED, State.WITHDRAWN, *NOT_RECOVERED):
        return f"it has ended already: {state}"
    return f"it is {state}; what was recovered can only be given back (mitbatch refund)"


def capture_obstacle(state: State) -> str:
    """Why an order cannot be captured; empty when it waits for that."""
    return "" if state is State.CAPTURE_REQUIRED else f"it is {state} and does not wait for a capture"


def refund_command(order_id: str, amount_minor: int, currency: str) -> str:
    """The command line that gives the whole amount back, for a person to copy."""
    return f"mitbatch refund {shlex.quote(order_id)} --amount {decimal_text(amount_minor, currency)} --reason ..."


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a read says of a request in doubt: done, refused, or nothing (`step` None); `ever` is false when no read can tell."""

    step: OperationStep | None
    words: str
    ever: bool = True


def settlement(
    kind: OperationKind,
    read: OrderRead,
    meaning: Meaning | None,
    *,
    is_late: bool,
    refund: "RefundAsked | None" = None,
    is_worked_on: bool = False,
) -> Settlement:
    """What a read of its order says of a request that had no clear answer.

    Where the provider goes on after a decline (`is_worked_on`), such a decline does not tell that it was stopped.

    That nothing has changed only counts when it is late: an answer may be slower than our patience, never than the window.
    """
    said = read.status or f"code {read.code}"
    if kind is OperationKind.REFUND:
        assert refund is not None  # noqa: S101 - the caller gives it for refunds
        return _refund_settlement(refund, read, meaning, said, is_late=is_late)
    moved, ended = (_ENDED_WITHOUT_MONEY, _MONEY_MOVED)
    if kind is OperationKind.CAPTURE:
        moved, ended = ended, moved
    is_decline = is_worked_on and kind is OperationKind.CANCEL
    if meaning in moved and not is_decline:
        return Settlement(OperationStep.DONE, f"the provider says {said}")
    if meaning in ended:
        return Settlement(OperationStep.REFUSED, f"it was too late: the provider says {said}")
    still = (Meaning.PENDING, Meaning.ONHOLD, Meaning.CAPTURE_REQUIRED, *(moved if is_decline else ()))
    if meaning in still and is_late:
        return Settlement(OperationStep.REFUSED, f"it had no effect: the provider still says {said}; it may be asked for again")
    return Settlement(None, f"the provider says {said}, which does not tell")


@dataclass(frozen=True, slots=True)
class RefundAsked:
    """A refund in doubt: how much, what was left then, and what the provider showed as refunded before (None: nothing).

    `can_show`: what is asked has a word for a refund. The older call has none (CONTRACT 8): it goes on saying APPROVED.
    """

    amount_minor: int
    left_minor: int
    before_minor: int | None
    can_show: bool


def _refund_settlement(refund: RefundAsked, read: OrderRead, meaning: Meaning | None, said: str, *, is_late: bool) -> Settlement:
    gone = None
    if read.refunded_minor is not None and refund.before_minor is not None:
        gone = read.refunded_minor - refund.before_minor
    if gone is not None and gone not in (0, refund.amount_minor):
        return Settlement(None, "the provider shows another amount as given back than was asked for", ever=False)
    if gone == refund.amount_minor:
        return Settlement(OperationStep.DONE, f"the provider shows it as given back ({said})")
    is_all = refund.amount_minor == refund.left_minor
    if is_all and meaning is Meaning.REFUNDED and gone is None:  # a sum that stays as it was: it may have been returned otherwise
        return Settlement(OperationStep.DONE, f"the provider says {said}")
    shows_some = gone is None and bool(read.refunded_minor)  # nothing was shown before the request
    untouched = refund.can_show and meaning is Meaning.COMPLETED and not shows_some and (is_all or gone == 0)
    if untouched and is_late:
        return Settlement(OperationStep.REFUSED, f"nothing was given back: the provider still says {said}")
    may_yet_show = untouched or (gone == 0 and meaning is Meaning.REFUNDED)
    return Settlement(None, f"the provider says {said}, which does not tell", ever=may_yet_show)


def confirmed_minor(refunds: Sequence[tuple[OperationStep, int]]) -> int:
    """What the refunds of an order that the provider confirmed add up to (minor units)."""
    return sum(amount for step, amount in refunds if step is OperationStep.DONE)


@dataclass(frozen=True, slots=True)
class Wish:
    """One request of a kind about an order: how far it got, and how much it was about (minor units)."""

    operation_id: str
    step: OperationStep
    amount_minor: int


def reached_in_another_way(kind: OperationKind, operation_id: str, requests: Sequence[Wish], state: State) -> str:
    """How what a refused request was for has come about all the same, in words; empty while it has not.

    `requests` are all of this kind about the same claim, in the order in which they were asked. A cancel wants that no
    rescue runs and nothing was taken for good; a capture, that the amount is taken; a refund, that this very amount is
    given back: one later refund of the amount serves one refused one, so that two that were wanted are not one.
    """
    if kind is OperationKind.CANCEL and (state in RELEASED or state is State.REFUNDED):
        return f"what the cancel was for has come about: the order is {state}"
    if kind is OperationKind.CAPTURE and state in NEVER_AGAIN:
        return f"what the capture was for has come about: the order is {state}"
    if kind is not OperationKind.REFUND:
        return ""
    if state is State.REFUNDED:
        return "what the refund was for has come about: all of the order was given back"
    return "the same amount was given back by a later request" if operation_id in _served(requests) else ""


def _served(requests: Sequence[Wish]) -> set[str]:
    """The refused refunds that a later one of the same amount, each of which counts once, has made up for; the oldest first."""
    refused: list[Wish] = []
    served: set[str] = set()
    for each in requests:
        if each.step is OperationStep.REFUSED:
            refused.append(each)
        elif each.step is OperationStep.DONE:
            older = next((one for one in refused if one.amount_minor == each.amount_minor), None)
            if older is not None:
                refused.remove(older)
                served.add(older.operation_id)
    return served
