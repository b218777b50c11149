"""Settling requests by reading: what a read of the order says about a cancel, capture or refund without a clear answer.

A request is never made again by itself. Dying anywhere here leaves it in doubt, and the next run reads again (I12, I13).
"""

from collections.abc import Sequence
from datetime import timedelta

from batch.action_rules import RefundAsked, Settlement, captured_minor, confirmed_minor, settlement
from batch.applying import Heard, facts_of, hear
from batch.asking import Asked, is_about
from batch.conclusions import meaning_of
from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.evidence import store_evidence
from batch.ledger.items import close_items, is_open, open_item
from batch.ledger.operations import Operation, move_operation, operations_of, unsettled_operations
from batch.ledger.reading import attempts_of
from batch.pace import from_utc_text
from batch.provider_reads import Answer
from batch.refund_effects import apply_refund
from batch.responses import OrderRead
from schemas.errors import NothingSent
from schemas.money import people_text
from schemas.operations import OperationKind, OperationStep
from schemas.profile import Meaning
from schemas.reasons import ITEM_TEXTS, ItemKind

AT_A_TIME = 64
BY_ITSELF = "mitbatch"
"""Who asked, where no person did: the merchant changed the row of an order that is at the provider."""


def settle_operations(equipment: Equipment, run: Run) -> None:
    """Read the orders of every request that is not settled. One whose run ended before its answer was written is in doubt.

    Raises ApiLoginRefused and ApiUnreachable when the provider cannot be asked at all.
    """
    with equipment.ledger.reading() as connection:
        open_ones = unsettled_operations(connection, equipment.ledger.mid)
    if not open_ones:
        return
    equipment.progress.stage("requests in doubt")
    with equipment.ledger.writing(run) as writing:
        doubted = [_doubted(writing, each) for each in open_ones]
    for start in range(0, len(doubted), AT_A_TIME):
        page = doubted[start : start + AT_A_TIME]
        with equipment.ledger.reading() as connection:
            orders = [attempts_of(connection, equipment.ledger.mid, each.order_id)[each.attempt - 1] for each in page]
        known = [(each, order) for each, order in zip(page, orders, strict=True) if order.provider_order_id]
        answers = list(equipment.api.read_orders([order.provider_order_id for _, order in known]))
        for (operation, _), answer in zip(known, answers, strict=True):
            with equipment.ledger.writing(run) as writing:
                _settle(writing, equipment, operation, answer)
        with equipment.ledger.writing(run) as writing:
            for operation, order in zip(page, orders, strict=True):
                if not order.provider_order_id and _is_late(equipment, operation):
                    _tell(writing, equipment, order, operation, "the order's id at the provider is not known")
        equipment.progress.advance(len(page))


def read_again(equipment: Equipment, run: Run, operation: Operation) -> Asked:
    """Read the order after a request, apply what is said, and settle the request if it is in doubt.

    What cannot be read is the next poll's; the request's own answer stands.
    """
    with equipment.ledger.reading() as connection:
        submission = attempts_of(connection, equipment.ledger.mid, operation.order_id)[operation.attempt - 1]
    if not submission.provider_order_id:
        return Asked(operation, submission)
    try:
        (answer,) = equipment.api.read_orders([submission.provider_order_id])
    except NothingSent as problem:
        answer = Answer(submission.provider_order_id, b"", None, problem.what, is_unreachable=True)
    with equipment.ledger.writing(run, last=True) as writing:
        operation = _settle(writing, equipment, operation, answer)
        submission = attempts_of(writing.connection, writing.mid, operation.order_id)[operation.attempt - 1]
    return Asked(operation, submission)


def _doubted(writing: Writing, operation: Operation) -> Operation:
    if operation.step is OperationStep.IN_DOUBT:
        return operation
    words = "its run ended before an answer was written down"
    return move_operation(writing, operation, OperationStep.IN_DOUBT, reason=words)


def _settle(writing: Writing, equipment: Equipment, operation: Operation, answer: Answer) -> Operation:
    """Apply one read to the order, then to the request; both in this transaction."""
    before = attempts_of(writing.connection, writing.mid, operation.order_id)[operation.attempt - 1]
    problem = "" if answer.is_unreachable or answer.is_absent else answer.problem
    submission = hear(writing, equipment, before, Heard(answer.source, answer.content, answer.read, problem))
    if answer.read is None or not is_about(answer.read, submission):
        if operation.step is OperationStep.IN_DOUBT and _is_late(equipment, operation):
            _tell(writing, equipment, submission, operation, "how it stands at the provider cannot be read")
        return operation
    if operation.step is not OperationStep.IN_DOUBT:
        _compare_with_what_is_shown(writing, equipment, submission, operation, answer.read)
        return operation
    all_of_order = operations_of(writing.connection, writing.mid, operation.order_id)
    found = said_of(equipment, submission, operation, answer.read, all_of_order, source=answer.source)
    if found.step is None:
        if not found.ever or _is_late(equipment, operation):
            _tell(writing, equipment, submission, operation, found.words)
        return operation
    subject = f"order:{operation.order_id}"
    evidence_id = store_evidence(writing, source=answer.source, subject=subject, content=answer.content).evidence_id
    operation = move_operation(writing, operation, found.step, reason=found.words, evidence_id=evidence_id)
    close_items(writing, ItemKind.ACTION_IN_DOUBT, f"operation:{operation.operation_id}", found.words)
    if operation.step is OperationStep.REFUSED:
        _tell_refused(writing, equipment, submission, operation, meaning_of(answer.read, equipment.profile))
    elif operation.kind is OperationKind.REFUND:
        apply_refund(writing, operation, captured_minor(answer.read, submission.amount_minor))
    return operation


def _compare_with_what_is_shown(
    writing: Writing, equipment: Equipment, submission: Submission, operation: Operation, read: OrderRead
) -> None:
    """A refund that was said to be done, and of which the provider shows nothing: a person looks."""
    before, shown = operation.refunded_before_minor, read.refunded_minor
    is_refund = operation.kind is OperationKind.REFUND and operation.step is OperationStep.DONE
    if is_refund and before is not None and shown is not None and shown - before != operation.amount_minor:
        words = f"{_named(submission, operation)}: it was confirmed, and the provider does not show it"
        _open(writing, equipment, ItemKind.CONTRADICTION, operation, words)


def said_of(
    equipment: Equipment,
    submission: Submission,
    operation: Operation,
    read: OrderRead,
    all_of_order: Sequence[Operation],
    *,
    source: str,
) -> Settlement:
    """What a read says of a request that is in doubt, beside all requests about its order."""
    asked = None
    if operation.kind is OperationKind.REFUND:
        refunds = [each for each in all_of_order if each.kind is OperationKind.REFUND]
        confirmed = confirmed_minor([(each.step, each.amount_minor) for each in refunds])
        left = captured_minor(read, submission.amount_minor) - confirmed
        can_show = source != "outcome"
        asked = RefundAsked(operation.amount_minor, left, operation.refunded_before_minor, can_show)
    meaning = meaning_of(read, equipment.profile)
    late, goes_on = _is_late(equipment, operation), facts_of(equipment.clock.now(), submission).is_worked_on
    return settlement(operation.kind, read, meaning, is_late=late, refund=asked, is_worked_on=goes_on)


def _is_late(equipment: Equipment, operation: Operation) -> bool:
    window = timedelta(seconds=equipment.settings.outcomes.ingest_window_seconds)
    return equipment.clock.now() - from_utc_text(operation.asked_at) >= window


def _tell(writing: Writing, equipment: Equipment, submission: Submission, operation: Operation, words: str) -> None:
    """An item of its own for each request: a person asks the provider's support what became of it."""
    _open(writing, equipment, ItemKind.ACTION_IN_DOUBT, operation, f"{_named(submission, operation)}: {words}")


def _tell_refused(
    writing: Writing, equipment: Equipment, submission: Submission, operation: Operation, meaning: Meaning | None
) -> None:
    """Whoever asked is told; not what asks again by itself, nor where it is told already that the cancel came too late."""
    too_late = operation.kind is OperationKind.CANCEL and meaning is Meaning.COMPLETED
    is_told = too_late and is_open(writing, ItemKind.DOUBLE_CHARGE, f"order:{submission.order_id}")
    if operation.asked_by == BY_ITSELF or is_told:
        return
    _open(writing, equipment, ItemKind.ACTION_REFUSED, operation, f"{_named(submission, operation)}: {operation.answer}")


def _open(writing: Writing, equipment: Equipment, kind: ItemKind, operation: Operation, words: str) -> None:
    days = equipment.settings.review.due_business_days
    subject, text = f"operation:{operation.operation_id}", f"{ITEM_TEXTS[kind]}: {words}"
    open_item(writing, kind, subject, text, due_business_days=days, evidence_id=operation.evidence_id)


def _named(submission: Submission, operation: Operation) -> str:
    amount = people_text(operation.amount_minor, operation.currency)
    return f"{operation.kind} of {amount} for order {submission.order_id!r}"
