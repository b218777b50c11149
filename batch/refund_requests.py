"""What a refund asks for, and whether the same was asked for before."""

from dataclasses import dataclass

from batch.action_rules import REPETITION
from batch.equipment import Equipment
from batch.ledger import Submission
from batch.ledger.operations import Operation, operation_of_request, operations_of
from batch.pace import from_utc_text
from schemas.errors import UsageRefused
from schemas.money import people_text
from schemas.operations import OperationKind


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """So much of one order is to be given back (minor units of its currency). `request_id` is empty where none was named."""

    order_id: str
    amount_minor: int
    currency: str
    reason: str
    asked_by: str
    request_id: str = ""


def check_currency(request: RefundRequest, submission: Submission) -> None:
    """Raise UsageRefused for an amount in another currency than the order's."""
    if request.currency != submission.currency:
        raise UsageRefused(
            f"Order {request.order_id!r} is in {submission.currency}; {request.currency} cannot be given back of it."
        )


def first_of(equipment: Equipment, request: RefundRequest) -> Operation | None:
    """The refund that this one repeats: by its id, or without one by order and amount within 24 hours; None if it is new.

    Raises UsageRefused for an id that stands for another refund.
    """
    with equipment.ledger.reading() as connection:
        mid = equipment.ledger.mid
        if request.request_id:
            first = operation_of_request(connection, mid, OperationKind.REFUND, request.request_id)
        else:
            first = None
            since = equipment.clock.now() - REPETITION
            for each in operations_of(connection, mid, request.order_id, OperationKind.REFUND):
                recent = from_utc_text(each.asked_at) > since
                if each.amount_minor == request.amount_minor and recent and each.may_have_happened:
                    first = each
                    break
    if first is not None and (first.order_id, first.amount_minor) != (request.order_id, request.amount_minor):
        amount = people_text(first.amount_minor, first.currency)
        raise UsageRefused(f"The request id {request.request_id!r} stands for {amount} of order {first.order_id!r} already.")
    return first
