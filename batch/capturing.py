"""Capturing an authorised order: the full amount, once, under a stored key, and then reading the order to be sure."""

from datetime import timedelta

from batch.action_rules import capture_obstacle
from batch.api_actions import capture
from batch.applying import raise_item
from batch.asking import Asked, ask, latest_claim, read_and_hear
from batch.equipment import Equipment
from batch.ledger import Run, Submission
from batch.ledger.captures import authorised_at, waiting_for_capture
from batch.ledger.operations import Wanted, claim_operation, operations_of
from batch.pace import from_utc_text, utc_text
from batch.settling import read_again
from schemas.errors import ActionNotPossible
from schemas.operations import UNSETTLED, OperationKind
from schemas.reasons import ITEM_TEXTS, ItemKind


def check_capture(equipment: Equipment, order_id: str) -> Submission:
    """The order to be captured. Raises UsageRefused for an unknown one, ActionNotPossible for one that does not wait for it."""
    submission = latest_claim(equipment, order_id)
    with equipment.ledger.reading() as connection:
        captures = operations_of(connection, equipment.ledger.mid, order_id, OperationKind.CAPTURE)
    obstacle = capture_obstacle(submission.state)
    if any(each.step in UNSETTLED for each in captures):
        obstacle = "a capture of it is in doubt; mitbatch poll reads the order, which settles that"
    if obstacle:
        raise ActionNotPossible(f"Order {order_id!r} cannot be captured: {obstacle}.", now="Nothing was asked for.")
    return submission


NOTICE = timedelta(hours=24)
"""So long before the provider voids an authorisation at the latest, a person is told."""


def flag_captures(equipment: Equipment, run: Run) -> None:
    """Open an item for every authorised order that has waited so long that the provider voids it within a day."""
    with equipment.ledger.reading() as connection:
        waiting = waiting_for_capture(connection, equipment.ledger.mid)
        since = {each.order_id: authorised_at(connection, equipment.ledger.mid, each.order_id) for each in waiting}
    window = timedelta(hours=equipment.profile.payments.capture_window_hours)
    ends = {each: from_utc_text(at) + window for each, at in since.items() if at}
    due = [each for each in waiting if each.order_id in ends and equipment.clock.now() >= ends[each.order_id] - NOTICE]
    if not due:
        return
    with equipment.ledger.writing(run) as writing:
        for each in due:
            words = f"{ITEM_TEXTS[ItemKind.CAPTURE_DUE]}, by {utc_text(ends[each.order_id])} at the latest"
            raise_item(writing, equipment, ItemKind.CAPTURE_DUE, each, words)


def capture_order(equipment: Equipment, run: Run, order_id: str, *, reason: str, asked_by: str) -> Asked:
    """Read the order, ask the provider once for its full amount, and read it again.

    Raises as `check_capture` does, and ApiUnreachable or ApiLoginRefused when it is certain that nothing was asked for.
    """
    read_and_hear(equipment, run, check_capture(equipment, order_id))
    submission = check_capture(equipment, order_id)
    with equipment.ledger.writing(run) as writing:
        wanted = Wanted(OperationKind.CAPTURE, submission.amount_minor, submission.currency, reason, asked_by)
        operation = claim_operation(writing, submission, wanted)
    operation = ask(
        equipment,
        run,
        operation,
        lambda: capture(
            equipment.api,
            submission.provider_order_id,
            operation.amount_minor,
            operation.currency,
            operation.idempotency_key,
        ),
    )
    return read_again(equipment, run, operation)
