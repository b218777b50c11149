"""Copies of good charges by calls (CONTRACT 5): each at most once, and no read exists that could tell what became of one.

What is true when the process dies after each step is as for evaluates (`batch.api_evaluates`), with one difference: a
copy whose call may have been made stays in doubt for good, because the provider shows its copies to nobody. It is never
sent again by itself: a second copy would tell the risk model of a charge that never was, a missing one only teaches it
less, and nothing of ours depends on either. A person is told, once for each group.
"""

from collections import Counter
from collections.abc import Sequence

from batch.api_evaluates import begins_before, export_rows
from batch.api_line import Call, Called
from batch.call_answers import Reply, Verdict, read_transmit
from batch.contradictions import tell
from batch.equipment import Equipment
from batch.ledger import Batch, Run, Writing
from batch.ledger.calls import (
    IN_DOUBT,
    SENDING,
    copies_in_doubt,
    copies_left,
    copies_to_be_called,
    doubt_copies,
    mark_copies,
    store_answers,
)
from batch.ledger.items import close_items, open_item
from batch.ledger.steps import move_batch
from batch.left_over_copies import is_switched_off, take_out_of_group
from batch.permission import switches_now
from schemas.counted import counted
from schemas.reasons import ItemKind
from schemas.states import BatchStep

_RESULTS = {Verdict.TAKEN: "success", Verdict.REFUSED: "failed", Verdict.UNSEEN: "", Verdict.DOUBTFUL: IN_DOUBT}


class Transmits:
    """The errand of transmitting copies: see the module. One for a run; it knows whose group each call under way is of."""

    path = "transmit"

    def __init__(self, equipment: Equipment, run: Run) -> None:
        self._equipment, self._run = equipment, run
        self._groups: dict[str, str] = {}

    def prepare(self, batch: Batch) -> Batch:
        """Take out what is too old, keep the rows for the merchant, and doubt what a run that is no more had begun."""
        take_out_of_group(self._equipment, self._run, batch)
        if batch.step is BatchStep.CLAIMED:
            export_rows(self._equipment, batch)
        if batch.step is BatchStep.CALLING:
            with self._equipment.ledger.writing(self._run) as writing:
                doubt_copies(writing, batch.batch_id, "the run that was about to send it ended before an answer was recorded")
        return batch

    def intend(self, batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        """Record the intent to send the next copies; none are left when none come back. Those that are too old stay here."""
        if is_switched_off(self._equipment, batch):
            return batch, []
        take_out_of_group(self._equipment, self._run, batch)
        with self._equipment.ledger.reading() as connection:
            going = copies_to_be_called(connection, self._equipment.ledger.mid, batch.batch_id, most)
        if not going:
            return batch, []
        before = begins_before(self._equipment)
        with self._equipment.ledger.writing(self._run) as writing:
            mark_copies(writing, [{"order_id": order_id, "result": SENDING} for order_id, _ in going])
            batch = move_batch(writing, batch, BatchStep.CALLING, reason="intent to call", token_minted_at=writing.now)
        self._groups |= dict.fromkeys((order_id for order_id, _ in going), batch.batch_id)
        return batch, [Call(order_id, body, before) for order_id, body in going]

    def objection(self, _call: Call) -> str:
        """Why an intended call is not begun after all."""
        return "sending is paused" if switches_now(self._equipment).is_paused else ""

    def apply(self, writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        """Write down what the provider said about each copy. Returns how many answers there were of each verdict."""
        subjects = [(f"batch:{self._groups[called.call.order_id]}", called.content) for called in back]
        ids = store_answers(writing, source="transmit", answers=subjects)
        replies = [self.read(called) for called in back]
        results = []
        for called, reply in zip(back, replies, strict=True):
            is_clear = reply.verdict in (Verdict.TAKEN, Verdict.UNSEEN)
            results.append(
                {
                    "order_id": called.call.order_id,
                    "result": _RESULTS[reply.verdict],
                    "transmit_id": reply.provider_id,
                    "error_text": "" if is_clear else reply.words,
                }
            )
        mark_copies(writing, results)
        for called, reply, evidence_id in zip(back, replies, ids, strict=True):
            group = self._groups[called.call.order_id]
            if reply.verdict is Verdict.REFUSED:
                tell(writing, self._equipment, ItemKind.ROW_REFUSED, f"batch:{group}", "copies were refused", evidence_id)
        return Counter(reply.verdict for reply in replies)

    def read(self, called: Called) -> Reply:
        """What one call proves."""
        if called.not_made or called.not_sent:
            return Reply(Verdict.UNSEEN, called.problem or "the call was not made")
        return (
            read_transmit(called.http_status, called.content) if called.http_status else Reply(Verdict.DOUBTFUL, called.problem)
        )

    def set_aside(self, writing: Writing, called: Called, why: str) -> dict[Verdict, int]:
        """An answer that cannot be written down leaves its copy in doubt."""
        mark_copies(writing, [{"order_id": called.call.order_id, "result": IN_DOUBT, "error_text": why}])
        return {Verdict.DOUBTFUL: 1}

    def forget(self, back: Sequence[Called]) -> None:
        """These copies' answers are recorded."""
        for called in back:
            del self._groups[called.call.order_id]

    def left(self, batch: Batch) -> int:
        """How many copies of the group have still to be called; none, while they are switched off."""
        if is_switched_off(self._equipment, batch):
            return 0
        with self._equipment.ledger.reading() as connection:
            return copies_left(connection, self._equipment.ledger.mid, batch.batch_id)

    def finish(self, writing: Writing, batch: Batch) -> Batch:
        """Every copy was called, or is too old; of those in doubt a person is told. What is switched off stays as it is."""
        if copies_left(writing.connection, writing.mid, batch.batch_id):
            return batch
        if batch.step is BatchStep.CLAIMED:
            return move_batch(writing, batch, BatchStep.EMPTY, reason="every copy of it had become too old")
        doubted = copies_in_doubt(writing.connection, writing.mid, batch.batch_id)
        subject = f"batch:{batch.batch_id}"
        if not doubted:
            close_items(writing, ItemKind.MISSING_ACKNOWLEDGEMENT, subject, "no copy of it is in doubt any more")
        else:
            copies = counted(doubted, "copy", "copies")
            words = (
                f"of {copies} of {batch.file_name} nobody can tell whether the provider has them; none is sent again, and nothing"
                " depends on them"
            )
            days = self._equipment.settings.review.due_business_days
            open_item(writing, ItemKind.MISSING_ACKNOWLEDGEMENT, subject, words, due_business_days=days)
        reason = "no copy of it is left to be called"
        times = {"acknowledged_at": writing.now, "delivered_at": writing.now}
        return move_batch(writing, batch, BatchStep.ACKNOWLEDGED, reason=reason, **times)
