"""Deciding that a call in doubt is made once more: the provider is asked, and nothing is changed (CONTRACT 5, 7.6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from batch.call_rulings import CallFacts, rule_on_repeat
from batch.equipment import Equipment
from batch.holding import obstacle_of
from batch.intent import second_thought
from batch.ledger import Batch, Submission
from batch.ledger.batches import batch_by_id
from batch.ledger.operations import operations_of
from batch.ledger.repeats import call_times, doubted_copies, is_named
from batch.left_over_copies import WITHIN, is_switched_off
from batch.order_rulings import Said
from batch.pace import from_utc_text, utc_text
from batch.permission import switches_now
from batch.provider_reads import Answer
from schemas.counted import counted
from schemas.errors import DecisionRefused, UsageRefused
from schemas.operations import OperationKind
from schemas.resolutions import Resolution
from schemas.states import BatchStep


@dataclass(frozen=True, slots=True)
class Repeat:
    """What is called once more: one order of a group and before when, or (without an order) the group's copies in doubt.

    `answer` is what the provider said of the order when it was asked; nobody can ask it about copies.
    """

    batch: Batch
    sentence: str
    order: Submission | None = None
    before: datetime | None = None
    answer: Answer | None = None


def judge_repeat(equipment: Equipment, order: Submission | None, batch: Batch | None) -> Repeat:
    """What would be called once more about this order, or of this group. Raises DecisionRefused, UsageRefused."""
    if order is not None:
        return _judge_order(equipment, order)
    if batch is None or not batch.is_of_calls:
        raise UsageRefused(f"{Resolution.REPEAT_CALL} is a decision about a call.", next_step="See: mitbatch review list")
    if batch.kind == "evaluate":
        raise UsageRefused(
            f"Orders of {batch.file_name} are called again one by one.",
            next_step=f"Decide about each that is in doubt: order:ID --as {Resolution.REPEAT_CALL}.",
        )
    if is_switched_off(equipment, batch):
        raise DecisionRefused("Copies of good charges are switched off (channels.transmit, its site, or a pause); none is sent.")
    with equipment.ledger.reading() as connection:
        copies = doubted_copies(connection, equipment.ledger.mid, batch.batch_id, since=copied_since(equipment))
    if not copies or batch.step not in (BatchStep.CALLING, BatchStep.ACKNOWLEDGED):
        raise DecisionRefused(
            f"No copy of {batch.file_name} that may still be sent is in doubt ({batch.step}).",
            next_step="Copies are for 24 hours after the charge; a later one is only noted.",
        )
    sentence = (
        f"{len(copies):,} of {counted(batch.row_count, 'copy', 'copies')} of {batch.file_name}"
        f" {'is' if len(copies) == 1 else 'are'} sent once more, as before; the provider shows copies to nobody, so any that it"
        " has already, it then has twice."
    )
    return Repeat(batch, sentence)


def copied_since(equipment: Equipment) -> str:
    """Charges of this moment (UTC text) or later may still be copied to the provider (CONTRACT 5)."""
    return utc_text(equipment.clock.now() - WITHIN)


def _judge_order(equipment: Equipment, order: Submission) -> Repeat:
    mid, now = equipment.ledger.mid, equipment.clock.now()
    if equipment.settings.outcomes.ask != "orders":
        raise DecisionRefused("Orders cannot be looked for at the provider (outcomes.ask); a call is never repeated unasked.")
    with equipment.ledger.reading() as connection:
        batch = batch_by_id(connection, mid, order.batch_id)
        first, last = call_times(connection, mid, order)
        named = is_named(connection, mid, order)
        cancels = operations_of(connection, mid, order.order_id, OperationKind.CANCEL)
    assert batch is not None  # noqa: S101 - an order is claimed together with its batch
    obstacle = obstacle_of(order, equipment.source.written([order.order_id]).get(order.order_id))
    obstacle = obstacle or second_thought(equipment, order, switches_now(equipment))
    facts = CallFacts(
        order_id=order.order_id,
        state=order.state,
        is_of_calls=batch.is_of_calls,
        first_called=from_utc_text(first) if first else None,
        last_called=from_utc_text(last) if last else None,
        obstacle=obstacle.sentence if obstacle is not None else "",
        is_named=named,
        cancel_asked=any(each.attempt == order.attempt for each in cancels),
    )
    answer = equipment.api.find_order(order.order_id)
    said = Said(answer.read, answer.problem, is_absent=answer.is_absent and not answer.is_double)
    window = timedelta(seconds=equipment.settings.outcomes.ingest_window_seconds)
    before = rule_on_repeat(facts, said, now, window)
    sentence = f"Order {order.order_id!r} is called once more, with its own key and bytes; the provider shows nothing of it."
    return Repeat(batch, sentence, order, before, answer)
