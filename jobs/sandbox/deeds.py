"""What a merchant does to an order: cancel, capture, refund (CONTRACT 9 to 11). Pure: an order in, a changed one out."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from jobs.sandbox.courses import Order, Step, final_steps, step_at
from jobs.sandbox.options import SandboxOptions


def cancelled(order: Order, now: datetime) -> Order | None:
    """The order as a cancel leaves it: unchanged if it was cancelled before, None where a cancel is not allowed.

    A MIT can be cancelled in Draft, Processing and Capturerequired, a CIT in Capturerequired.
    """
    step = step_at(order, now)
    if step.name == "Cancelled" and step.by_merchant:
        return order
    if step.name == "Capturerequired" or (order.way != "cit" and step.name in ("Draft", "Processing")):
        return replace(order, deeds=(*order.deeds, Step(now, "Cancelled", "cancelled", by_merchant=True)))
    return None


def captured(order: Order, amount: int, currency: str, now: datetime) -> Order | str:
    """The order as a capture leaves it, or why there is none: only the full amount, only while it waits for it."""
    step = step_at(order, now)
    if step.name != "Capturerequired":
        return f"The order is {step.name} and does not wait for a capture."
    if (amount, currency) != (order.amount, order.currency):
        return "Only the full amount can be captured, in the order's currency."
    return replace(order, deeds=(*order.deeds, Step(now, "Completed", "completed")))


RIGHT_CODE = "999"
"""What the customer answers in the widget to pass (CONTRACT 15, the provider's demo shop)."""


def answered(order: Order, code: str, now: datetime) -> Order | None:
    """The order after the customer's answer in the widget; None where the widget asks nothing (any more).

    The right code passes, unless the test values say that this order fails whatever is answered.
    """
    if order.fate.challenge == "none" or order.deeds or step_at(order, now).name != "Processing":
        return None
    if code == RIGHT_CODE and order.fate.challenge == "passed":
        return replace(order, deeds=(Step(now, "Processing", "challenge.passed"), *final_steps(order, now)))
    failed = Step(now, "Processing", "challenge.failed")
    return replace(order, deeds=(failed, Step(now, "Cancelled", "cancelled")))


@dataclass(frozen=True)
class Refund:
    """The verdict on a refund: the order afterwards, the refund's id, and why it failed if it did."""

    order: Order
    transaction_id: str | None
    failure: str = ""
    repeated: bool = False


def refunded(order: Order, amount: int, now: datetime, options: SandboxOptions) -> Refund:
    """Give back `amount` cents, all or a part; never more than was paid and is left (CONTRACT 10)."""
    if options.repeated_refund == "replay" and amount in order.refunds:
        return Refund(order, _refund_id(order, order.refunds.index(amount) + 1), repeated=True)
    paid = order.amount + order.fate.amount_change if step_at(order, now).name == "Completed" else 0
    left = max(0, paid - sum(order.refunds))
    if amount > left:
        why = f"Amount to refund ({_dollars(amount)}) is greater than maximum refund amount ({_dollars(left)})"
        return Refund(order, None, why)
    if amount < paid and amount * 100 > paid * options.partial_refund_percent:
        most = _dollars(paid * options.partial_refund_percent // 100)
        return Refund(order, None, f"Amount to refund ({_dollars(amount)}) is greater than a partial refund may be ({most})")
    changed = replace(order, refunds=(*order.refunds, amount))
    if amount == left:
        changed = replace(changed, deeds=(*order.deeds, Step(now, "Returned", "refunded", by_merchant=True)))
    return Refund(changed, _refund_id(order, len(changed.refunds)))


def _refund_id(order: Order, n: int) -> str:
    return str(uuid.uuid5(uuid.UUID(order.order_session_key), f"refund {n}"))


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
