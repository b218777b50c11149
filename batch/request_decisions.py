"""Deciding about a cancel, capture or refund of which no read can tell whether it happened: a person knows from support.

What the provider shows now cannot be overruled, and an order is never given back more than was captured. Nothing is asked
for here: the request is settled, and asked for again only as a new one (I12).
"""

from dataclasses import dataclass

from batch.action_rules import captured_minor, confirmed_minor
from batch.asking import is_about
from batch.equipment import Equipment
from batch.ledger import Submission, Writing
from batch.ledger.evidence import store_evidence
from batch.ledger.operations import Operation, move_operation, operation_by_id, operations_of
from batch.ledger.reading import attempts_of
from batch.ledger.steps import BY_HAND
from batch.provider_reads import Answer
from batch.provider_words import fit_to_show
from batch.refund_effects import apply_refund
from batch.settling import said_of
from schemas.errors import DecisionRefused
from schemas.money import people_text
from schemas.operations import OperationKind, OperationStep
from schemas.resolutions import Resolution

_STEPS = {Resolution.HAPPENED: OperationStep.DONE, Resolution.NOT_HAPPENED: OperationStep.REFUSED}


@dataclass(frozen=True, slots=True)
class RequestRuling:
    """Where a request goes by a decision, what was captured of its order (minor units), the sentence that says so, and
    what the provider said when it was asked, raw, and by which call.
    """

    operation: Operation
    step: OperationStep
    captured_minor: int
    sentence: str
    content: bytes
    source: str = "poll"


def judge_request(equipment: Equipment, resolution: Resolution, operation_id: str) -> RequestRuling:
    """Read the order and say what would follow. Raises DecisionRefused; changes nothing."""
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        operation = operation_by_id(connection, mid, operation_id)
        if operation is None or operation.step is not OperationStep.IN_DOUBT:
            step = "unknown" if operation is None else operation.step.value
            raise DecisionRefused(f"The request {operation_id} is {step}; only one in doubt is decided about.")
        order = attempts_of(connection, mid, operation.order_id)[operation.attempt - 1]
        requests = operations_of(connection, mid, operation.order_id)
    answer = _asked(equipment, operation, order)
    captured = order.amount_minor
    if answer.read is not None:
        said = said_of(equipment, order, operation, answer.read, requests, source=answer.source)
        if said.step is not None and said.step is not _STEPS[resolution]:
            words = f"The provider shows otherwise of the {operation.kind} of order {order.order_id!r}: {said.words}."
            raise DecisionRefused(words)
        captured = captured_minor(answer.read, order.amount_minor)
    refunds = [each for each in requests if each.kind is OperationKind.REFUND]
    confirmed = confirmed_minor([(each.step, each.amount_minor) for each in refunds])
    is_refund = operation.kind is OperationKind.REFUND and resolution is Resolution.HAPPENED
    if is_refund and confirmed + operation.amount_minor > captured:
        left = people_text(captured - confirmed, operation.currency)
        raise DecisionRefused(f"Only {left} of order {order.order_id!r} is left; it cannot have been given back as well.")
    amount = f" of {people_text(operation.amount_minor, operation.currency)}" if operation.kind is OperationKind.REFUND else ""
    did = "happened" if resolution is Resolution.HAPPENED else "did not happen, and may be asked for again"
    sentence = f"The {operation.kind}{amount} for order {order.order_id!r} {did}."
    return RequestRuling(operation, _STEPS[resolution], captured, sentence, answer.content, answer.source)


def _asked(equipment: Equipment, operation: Operation, order: Submission) -> Answer:
    """What the provider says of the order now. Raises DecisionRefused where it cannot be asked.

    A cancel by our own id may be about an order that the provider never had: that it shows none contradicts nobody.
    """
    if order.provider_order_id:
        (answer,) = equipment.api.read_orders([order.provider_order_id])
    else:
        answer = equipment.api.find_order(order.order_id)
    if answer.read is not None and is_about(answer.read, order):
        return answer
    if answer.is_absent and not order.provider_order_id and operation.kind is OperationKind.CANCEL:
        return answer
    why = fit_to_show(answer.problem).rstrip(".") or "it shows another"
    raise DecisionRefused(
        f"The provider does not say now how order {order.order_id!r} stands: {why}.",
        next_step="Decide again when it answers; until then the request stays in doubt.",
    )


def settle_by_hand(writing: Writing, ruling: RequestRuling, words: str) -> None:
    """Carry out what was judged, in this transaction. Raises TransitionLost when the request has moved since."""
    subject, evidence_id = f"order:{ruling.operation.order_id}", ""
    if ruling.content:
        evidence_id = store_evidence(writing, source=ruling.source, subject=subject, content=ruling.content).evidence_id
    operation = move_operation(writing, ruling.operation, ruling.step, reason=words, evidence_id=evidence_id, source=BY_HAND)
    if operation.kind is OperationKind.REFUND and ruling.step is OperationStep.DONE:
        apply_refund(writing, operation, ruling.captured_minor)
