"""Giving money back: never more than is left, never twice for one request, and never again after a lost answer.

The order is read first (what is left of it), the request is written down with what the provider showed, sent once in
dollars, and the order is read again. Touches I2 (no refund twice), I12 (in doubt is settled by reading), I17 (exact money).
"""

from dataclasses import dataclass, replace

from batch.action_rules import Money, captured_minor, confirmed_minor, refund_obstacle
from batch.api_actions import ActionAnswer, Verdict, refund
from batch.asking import Asked, ask, latest_claim, read_and_hear, read_order, record_answer
from batch.conclusions import meaning_of
from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.operations import Operation, Wanted, claim_operation, operations_of
from batch.refund_effects import apply_refund
from batch.refund_requests import RefundRequest, check_currency, first_of
from batch.responses import OrderRead
from batch.settling import read_again
from schemas.errors import ActionNotPossible
from schemas.money import people_text
from schemas.operations import UNSETTLED, OperationKind, OperationStep


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What a refund would do, with what was read just now; nothing was written."""

    submission: Submission
    money: Money
    first: Operation | None = None


def plan_refund(equipment: Equipment, request: RefundRequest) -> RefundPlan:
    """Say what a refund would do, and write nothing. Raises as `refund_order` does."""
    submission = latest_claim(equipment, request.order_id)
    check_currency(request, submission)
    first = first_of(equipment, request)
    if first is not None:
        return RefundPlan(submission, Money(submission.currency, submission.amount_minor, 0, None), first)
    if not submission.provider_order_id:
        raise _not_possible(request, f"it is {submission.state}")
    read = read_order(equipment, submission)
    with equipment.ledger.reading() as connection:
        refunds = operations_of(connection, equipment.ledger.mid, request.order_id, OperationKind.REFUND)
    money = _money(submission, read, refunds)
    _check(equipment, request, submission, read, refunds)
    return RefundPlan(submission, money)


def refund_order(equipment: Equipment, run: Run, request: RefundRequest) -> Asked:
    """Give money back, once. A repetition of an earlier request sends nothing and returns the first.

    Raises UsageRefused for an unknown order or another currency, ActionNotPossible when it may not be given back,
    ApiUnreachable and ApiLoginRefused when it is certain that nothing was asked for.
    """
    submission = latest_claim(equipment, request.order_id)
    check_currency(request, submission)
    first = first_of(equipment, request)
    if first is not None:
        return Asked(first, submission, repeated=True)
    if not submission.provider_order_id:
        raise _not_possible(request, f"it is {submission.state}")
    submission, read = read_and_hear(equipment, run, submission)
    with equipment.ledger.writing(run) as writing:
        refunds = operations_of(writing.connection, writing.mid, request.order_id, OperationKind.REFUND)
        _check(equipment, request, submission, read, refunds)
        wanted = Wanted(
            OperationKind.REFUND,
            request.amount_minor,
            request.currency,
            request.reason,
            request.asked_by,
            request.request_id,
            read.refunded_minor,
        )
        operation = claim_operation(writing, submission, wanted)
    captured = captured_minor(read, submission.amount_minor)
    operation = ask(
        equipment,
        run,
        operation,
        lambda: refund(equipment.api, submission.provider_order_id, operation.amount_minor, operation.currency, operation.reason),
        lambda writing, asked, answer: _record(writing, asked, answer, captured),
    )
    return read_again(equipment, run, operation)


def _record(writing: Writing, operation: Operation, answer: ActionAnswer, captured: int) -> Operation:
    """The answer, and in the same transaction what follows from it; a success that is an old one replayed gave nothing back."""
    if answer.verdict is Verdict.DONE and answer.transaction_id:
        earlier = operations_of(writing.connection, writing.mid, operation.order_id, OperationKind.REFUND)
        if any(each.transaction_id == answer.transaction_id for each in earlier):
            words = "the provider took it for a repetition of an earlier refund, whose answer it gave again"
            answer = replace(answer, verdict=Verdict.REFUSED, words=words)
    recorded = record_answer(writing, operation, answer)
    if recorded.step is OperationStep.DONE:
        apply_refund(writing, recorded, captured)
    return recorded


def _money(submission: Submission, read: OrderRead, refunds: list[Operation]) -> Money:
    confirmed = confirmed_minor([(each.step, each.amount_minor) for each in refunds])
    return Money(submission.currency, captured_minor(read, submission.amount_minor), confirmed, read.refunded_minor)


def _check(
    equipment: Equipment, request: RefundRequest, submission: Submission, read: OrderRead, refunds: list[Operation]
) -> None:
    if any(each.step in UNSETTLED for each in refunds):
        raise _not_possible(request, "another refund of it is in doubt; mitbatch poll reads the order, which may settle that")
    obstacle = refund_obstacle(
        submission.state,
        meaning_of(read, equipment.profile),
        _money(submission, read, refunds),
        request.amount_minor,
        partial_max_percent=equipment.profile.payments.partial_refund_max_percent,
    )
    if obstacle:
        raise _not_possible(request, obstacle)


def _not_possible(request: RefundRequest, obstacle: str) -> ActionNotPossible:
    amount = people_text(request.amount_minor, request.currency)
    return ActionNotPossible(
        f"{amount} of order {request.order_id!r} cannot be given back: {obstacle}.", now="Nothing was given back."
    )
