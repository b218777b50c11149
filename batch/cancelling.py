"""Stopping orders at the provider: when somebody asks, and by itself when the merchant marks a held order paid or cancelled.

An order that is stopped may complete at that very moment: it is read afterwards, and the provider's final state wins. Both
are recorded, and an order that was recovered all the same comes under review with a refund proposed (I3, I6, D-05).
"""

from batch.action_rules import cancel_obstacle
from batch.api_actions import cancel, external_cancel
from batch.asking import Asked, ask, latest_claim
from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.batches import batch_by_id
from batch.ledger.operations import Operation, Wanted, claim_operation, operations_of
from batch.ledger.reading import attempts_of
from batch.pace import from_utc_text, next_read_at
from batch.search import find_by_our_id
from batch.settling import BY_ITSELF, read_again
from schemas.errors import ActionNotPossible
from schemas.operations import UNSETTLED, OperationKind, OperationStep
from schemas.order import RowStatus
from schemas.states import BatchStep, State

_WANTS_A_CHARGE = (RowStatus.DECLINED.value, RowStatus.NOT_RECOVERED.value)
"""Statuses that a merchant gives an order to have it charged again: no reason to stop it."""


def check_cancel(equipment: Equipment, order_id: str, *, external: bool) -> tuple[Submission, Operation | None]:
    """The order to be stopped, and the request by which it was stopped before, if it was.

    Raises UsageRefused for an unknown order, ActionNotPossible for one that cannot be stopped.
    """
    submission = latest_claim(equipment, order_id)
    with equipment.ledger.reading() as connection:
        cancels = operations_of(connection, equipment.ledger.mid, order_id, OperationKind.CANCEL)
        batch = batch_by_id(connection, equipment.ledger.mid, submission.batch_id)
    done = [each for each in cancels if each.attempt == submission.attempt and each.step is OperationStep.DONE]
    open_ones = [each for each in cancels if each.step in UNSETTLED]
    if submission.state is State.CANCELLED and done:
        return submission, done[-1]
    obstacle = cancel_obstacle(submission.state, submission.provider_order_id)
    if open_ones:
        obstacle = "a cancel of it is in doubt; mitbatch poll reads the order, which settles that"
    elif external:
        has_left = batch is not None and batch.step in (BatchStep.IN_DOUBT, BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED)
        obstacle = (
            ""
            if _may_be_external(submission) and has_left
            else (obstacle or "its id at the provider is known: leave --external out")
        )
    if obstacle:
        raise ActionNotPossible(f"Order {order_id!r} cannot be cancelled: {obstacle}.", now="Nothing was asked for.")
    return submission, None


def cancel_order(equipment: Equipment, run: Run, order_id: str, *, reason: str, asked_by: str, external: bool = False) -> Asked:
    """Ask the provider once to stop an order, then read it. An order that was stopped by us before stays as it is.

    Raises as `check_cancel` does, and ApiUnreachable or ApiLoginRefused when it is certain that nothing was asked for.
    """
    submission, before = check_cancel(equipment, order_id, external=external)
    if before is not None:
        return Asked(before, submission, repeated=True)
    operation = _claim(equipment, run, submission, reason=reason, asked_by=asked_by)
    key = operation.idempotency_key
    if external:
        operation = ask(equipment, run, operation, lambda: external_cancel(equipment.api, order_id, key))
        find_by_our_id(equipment, run, submission)
    else:
        operation = ask(equipment, run, operation, lambda: cancel(equipment.api, submission.provider_order_id, key))
    return read_again(equipment, run, operation)


def cancel_changed(equipment: Equipment, run: Run, changed: list[tuple[Submission, str]]) -> None:
    """Stop orders whose row the merchant changed: each with the status that its row shows now.

    Asked at once, and again at the pace of reading as long as the provider refuses while it works on the order. Raises
    ApiUnreachable and ApiLoginRefused; what is left is the next run's.
    """
    for submission, status in changed:
        if status not in _WANTS_A_CHARGE and _is_due(equipment, submission):
            operation = _claim(
                equipment, run, submission, reason=f"the merchant set its row to {status[:64]!r}", asked_by=BY_ITSELF
            )
            key, provider_order_id = operation.idempotency_key, submission.provider_order_id
            operation = ask(equipment, run, operation, lambda: cancel(equipment.api, provider_order_id, key))  # noqa: B023 - called at once
            read_again(equipment, run, operation)


def _claim(equipment: Equipment, run: Run, submission: Submission, *, reason: str, asked_by: str) -> Operation:
    with equipment.ledger.writing(run) as writing:
        current = _as_it_stands(writing, submission)
        wanted = Wanted(OperationKind.CANCEL, current.amount_minor, current.currency, reason, asked_by)
        return claim_operation(writing, current, wanted)


def _as_it_stands(writing: Writing, submission: Submission) -> Submission:
    return attempts_of(writing.connection, writing.mid, submission.order_id)[submission.attempt - 1]


def _may_be_external(submission: Submission) -> bool:
    return submission.state in (State.SENDING, State.IN_DOUBT) and not submission.provider_order_id


def _is_due(equipment: Equipment, submission: Submission) -> bool:
    if submission.state not in (State.PENDING, State.CAPTURE_REQUIRED) or not submission.provider_order_id:
        return False
    with equipment.ledger.reading() as connection:
        cancels = operations_of(connection, equipment.ledger.mid, submission.order_id, OperationKind.CANCEL)
    mine = [each for each in cancels if each.attempt == submission.attempt]
    if not mine:
        return True
    if any(each.step in UNSETTLED for each in mine):
        return False
    again = next_read_at(
        now=from_utc_text(mine[-1].asked_at),
        handed_over_at=from_utc_text(submission.claimed_at),
        expires_at=from_utc_text(submission.expires_at),
        min_interval_seconds=max(equipment.settings.outcomes.min_poll_interval_seconds, 1),
    )
    return equipment.clock.now() >= again
