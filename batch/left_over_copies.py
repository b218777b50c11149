"""Copies of good charges that an earlier run left over: none leaves when its charge is older than 24 hours, or switched off.

A copy that is too old is taken out for good: it was claimed, once ever, and is not claimed again (CONTRACT 5). That happens
only where nothing of it can have left: in a group, before its call is intended; in a file, before its part was verified,
because until then its final name cannot have existed. It is one transaction with the rows of the file that stay, so that
they are what the file is recorded with (I12). A file whose part was verified keeps its rows for ever.

What is switched off (`channels.transmit`, one of its sites, or sending as a whole) stays where it is, the whole file or
group. A file that may have been renamed before is still looked for: if its part is gone, it has left; if it is there, it was
not renamed, and is not.
"""

from collections.abc import Sequence
from datetime import timedelta

from batch.equipment import Equipment
from batch.intent import fix_rows
from batch.ledger import Batch, Run, Writing
from batch.ledger.copies import leave_out_copies, renumber_copies, unsent_copies
from batch.ledger.steps import move_batch
from batch.order_rows import charged_time
from batch.permission import must_wait_now
from schemas.states import BatchStep

WITHIN = timedelta(hours=24)
"""So old may a charge be whose copy is sent."""

_WHY = "its charge was more than 24 hours ago before its copy could leave; it was not sent"
_NOTHING_LEFT = "every copy of it had become too old"


def is_switched_off(equipment: Equipment, batch: Batch) -> bool:
    """Whether it is copies, and these are switched off now, or paused, whatever was set when they were claimed."""
    return batch.kind == "transmit" and must_wait_now(equipment, batch)


def too_old(equipment: Equipment, batch: Batch) -> list[str]:
    """The order ids of the copies of a batch that were not sent and must not be any more."""
    if batch.kind != "transmit" or batch.step not in (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.CALLING):
        return []
    with equipment.ledger.reading() as connection:
        unsent = unsent_copies(connection, equipment.ledger.mid, batch.batch_id)
    now = equipment.clock.now()
    return [order_id for order_id, charged_at in unsent if now - charged_time(charged_at) > WITHIN]


def take_out_of_group(equipment: Equipment, run: Run, batch: Batch) -> None:
    """Take what is too old out of a group of calls."""
    if old := too_old(equipment, batch):
        with equipment.ledger.writing(run) as writing:
            leave_out_copies(writing, old, _WHY)


def intend_copies(equipment: Equipment, run: Run, batch: Batch) -> Batch:
    """Record the intent to send a file of copies, without those that are too old; EMPTY when none is left."""
    old = too_old(equipment, batch)
    if batch.step is BatchStep.SENDING and not old:
        return batch
    with equipment.ledger.writing(run) as writing:
        leave_out_copies(writing, old, _WHY)
        if _is_empty(writing, batch):
            return move_batch(writing, batch, BatchStep.EMPTY, reason=_NOTHING_LEFT)
        renumber_copies(writing, batch.batch_id)
        return fix_rows(writing, equipment, batch)


def has_any_to_send(equipment: Equipment, batch: Batch) -> bool:
    """Whether anything of a batch that was left over may leave now: of copies, any that are neither too old nor switched off."""
    if batch.kind != "transmit":
        return True
    with equipment.ledger.reading() as connection:
        unsent = unsent_copies(connection, equipment.ledger.mid, batch.batch_id)
    return not is_switched_off(equipment, batch) and len(too_old(equipment, batch)) < len(unsent)


def those_that_may_leave(equipment: Equipment, run: Run, files: Sequence[Batch]) -> list[Batch]:
    """These files without those of copies that are switched off and cannot have left; one all of whose copies are too old
    is over.
    """
    leaving = []
    for batch in files:
        if not is_switched_off(equipment, batch) or batch.step not in (BatchStep.CLAIMED, BatchStep.SENDING):
            leaving.append(batch)
            continue
        old = too_old(equipment, batch)
        with equipment.ledger.reading() as connection:
            is_over = len(old) == len(unsent_copies(connection, equipment.ledger.mid, batch.batch_id))
        if is_over:
            with equipment.ledger.writing(run) as writing:
                leave_out_copies(writing, old, _WHY)
                move_batch(writing, batch, BatchStep.EMPTY, reason=_NOTHING_LEFT)
    return leaving


def _is_empty(writing: Writing, batch: Batch) -> bool:
    return not unsent_copies(writing.connection, writing.mid, batch.batch_id)
