"""What follows for an order from a refund that the provider has confirmed: its state, and what its row shows as given back."""

from batch.action_rules import confirmed_minor
from batch.ledger import Writing
from batch.ledger.items import close_items
from batch.ledger.moves import Move, move_orders
from batch.ledger.operations import Operation, operations_of
from batch.ledger.reading import attempts_of
from schemas.money import people_text
from schemas.operations import OperationKind
from schemas.reasons import ItemKind
from schemas.states import EDGES, State


def apply_refund(writing: Writing, done: Operation, captured: int) -> None:
    """What follows for the order from a refund that the provider has confirmed: its state, and its row's amount given back."""
    refunds = operations_of(writing.connection, writing.mid, done.order_id, OperationKind.REFUND)
    total = confirmed_minor([(each.step, each.amount_minor) for each in refunds])
    submission = attempts_of(writing.connection, writing.mid, done.order_id)[done.attempt - 1]
    to = State.REFUNDED if total >= captured else State.PARTIALLY_REFUNDED
    detail: dict[str, object] = {"operation_id": done.operation_id, "refunded_minor": total}
    if to is State.REFUNDED and captured != submission.amount_minor:
        detail["recovered_minor"] = captured
    reason = f"given back: {people_text(done.amount_minor, done.currency)}"
    moves = to in EDGES[submission.state]
    kind = "transition" if moves else "refunded"
    move_orders(writing, [Move(submission, to if moves else None, "operator", reason, done.evidence_id, kind, detail)])
    if to is State.REFUNDED:
        for item in (ItemKind.DOUBLE_CHARGE, ItemKind.LATE_COMPLETION):
            close_items(writing, item, f"order:{done.order_id}", "all of it was given back")
