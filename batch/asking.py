"""Asking the provider for one thing, once: the order is read, the request written down, sent, its answer stored, the order read.

Touches I2 and I12 for money that goes back: between the commit of the intent and the answer's, a death leaves the request at
`sending`; whoever runs next calls it in doubt and reads the order. Nothing here asks twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from batch.api_actions import ActionAnswer, Verdict
from batch.applying import Heard, hear
from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.evidence import store_evidence
from batch.ledger.operations import Operation, move_operation
from batch.ledger.reading import attempts_of
from batch.responses import OrderRead
from schemas.errors import ActionInDoubt, ApiUnreachable, MitbatchError, NothingSent, ProviderRefused, UsageRefused
from schemas.money import people_text
from schemas.operations import OperationKind, OperationStep


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one request. `repeated` says that it was asked for before, and that nothing was sent now."""

    operation: Operation
    submission: Submission
    repeated: bool = False

    @property
    def problem(self) -> MitbatchError | None:
        """What a person must be told; nothing when it was done."""
        what = f"The {self.operation.kind} of order {self.operation.order_id!r}"
        if self.operation.kind is OperationKind.REFUND:
            amount = people_text(self.operation.amount_minor, self.operation.currency)
            what = f"The refund of {amount} for order {self.operation.order_id!r}"
        if self.operation.step is OperationStep.DONE:
            return None
        if self.operation.step is OperationStep.REFUSED:
            return ProviderRefused(f"{what} was not done: {self.operation.answer}.")
        return ActionInDoubt(f"{what} is in doubt: {self.operation.answer}.", now="It is not asked for again.")


def latest_claim(equipment: Equipment, order_id: str) -> Submission:
    """The order's latest claim. Raises UsageRefused for an order that was never handed over."""
    with equipment.ledger.reading() as connection:
        attempts = attempts_of(connection, equipment.ledger.mid, order_id)
    if not attempts:
        raise UsageRefused(
            f"Order {order_id!r} is not in the ledger: it was never handed over.",
            next_step="mitbatch explain ORDER says what is known of an id.",
        )
    return attempts[-1]


def read_order(equipment: Equipment, submission: Submission) -> OrderRead:
    """How the order stands at the provider now. Raises ApiUnreachable when that cannot be learnt: then nothing is asked for."""
    (answer,) = equipment.api.read_orders([submission.provider_order_id])
    if answer.read is None:
        raise ApiUnreachable(
            f"How order {submission.order_id!r} stands at the provider could not be read: {answer.problem}.",
            now="Nothing was asked for.",
        )
    return answer.read


def read_and_hear(equipment: Equipment, run: Run, submission: Submission) -> tuple[Submission, OrderRead]:
    """Read the order and apply what is said, as a poll would. Raises ApiUnreachable as `read_order` does."""
    (answer,) = equipment.api.read_orders([submission.provider_order_id])
    problem = "" if answer.is_unreachable or answer.is_absent else answer.problem
    with equipment.ledger.writing(run) as writing:
        current = attempts_of(writing.connection, writing.mid, submission.order_id)[-1]
        heard = hear(writing, equipment, current, Heard(answer.source, answer.content, answer.read, problem))
    if answer.read is None or not is_about(answer.read, heard):
        raise ApiUnreachable(
            f"How order {submission.order_id!r} stands at the provider could not be read:"
            f" {answer.problem or 'the answer is about another order'}.",
            now="Nothing was asked for.",
        )
    return heard, answer.read


def is_about(read: OrderRead, submission: Submission) -> bool:
    """Whether an answer speaks of this very order."""
    return read.provider_order_id == submission.provider_order_id and read.external_id in ("", submission.order_id)


Record = Callable[[Writing, Operation, ActionAnswer], Operation]
"""Writes down what came back for a request, and what follows from it, in one transaction."""


def ask(
    equipment: Equipment, run: Run, operation: Operation, call: Callable[[], ActionAnswer], record: Record | None = None
) -> Operation:
    """Make the call, once, and write down what came of it. Raises NothingSent only when it is certain that nothing left.

    The answer is written down even if somebody wants this run to stop: it may be the only word there will ever be.
    """
    try:
        answer = call()
    except NothingSent as problem:
        with equipment.ledger.writing(run, last=True) as writing:
            move_operation(writing, operation, OperationStep.REFUSED, reason=f"it was never asked for: {problem.what}"[:500])
        raise
    with equipment.ledger.writing(run, last=True) as writing:
        return (record or record_answer)(writing, operation, answer)


_STEPS = {
    Verdict.DONE: OperationStep.DONE,
    Verdict.REFUSED: OperationStep.REFUSED,
    Verdict.UNCLEAR: OperationStep.IN_DOUBT,
}


def record_answer(writing: Writing, operation: Operation, answer: ActionAnswer) -> Operation:
    """Store what came back as evidence, and take the request to the step that it says."""
    evidence_id = ""
    if answer.content.strip(b" \r\n\t{}"):  # an empty answer proves nothing to anybody later
        subject = f"order:{operation.order_id}"
        source = operation.kind.value
        evidence_id = store_evidence(writing, source=source, subject=subject, content=answer.content).evidence_id
    detail = {"response_code": answer.response_code, "transaction_id": answer.transaction_id}
    return move_operation(
        writing,
        operation,
        _STEPS[answer.verdict],
        reason=answer.words[:500],
        evidence_id=evidence_id,
        detail={name: text for name, text in detail.items() if text},
        transaction_id=answer.transaction_id or None,
    )
