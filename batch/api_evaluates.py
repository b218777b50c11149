"""Evaluates by calls: the intent for the next orders of a group, and what their answers do to them (CONTRACT 7).

What is true when the process dies after each step (I1, I2, I4, I12):

1. The orders of a group are claimed and held like those of a file; their bodies are fixed. Nothing can have left.
2. Intent: some of them are `sending`, and the group's event that says so is committed. Again: their calls may have been
   made, nobody knows; they are `in_doubt`. The others of the group are `held`, and certainly were never called.
3. The mark outside the ledger names that event. A ledger that was restored from before it is refused (I2).
4. The call is made, once: with the key and the body that were claimed. It is repeated only after an answer that proves
   that nothing was done, and the proof is recorded first: the order is `held` again.
5. The answers of many calls are applied in one transaction, raw words first. Dying before it: as after 2.

So of each order at most one call is made whose end is not proven to be "nothing was done". An answer makes an order
pending, or rejected where it is refused; it ends none: every end is read. One that is in doubt is looked for at the
provider, as orders of files are; finding nothing proves nothing, and only a person may decide that no rescue of it runs.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from batch.api_line import Call, Called
from batch.build import called_csv
from batch.call_answers import Reply, Verdict
from batch.contradictions import tell
from batch.equipment import Equipment
from batch.evaluate_answers import apply_replies, reply_of
from batch.holding import Obstacle, hold, obstacle_of, withdrawal
from batch.intent import second_thought
from batch.ledger import Batch, Run, Submission, Writing
from batch.ledger.calls import as_they_stand, left_to_call, store_answers, to_be_called
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import rows_of_batch, submissions_of_batch
from batch.ledger.steps import move_batch
from batch.permission import switches_in, switches_now
from batch.switching import Switches
from schemas.order import Origin
from schemas.reasons import ItemKind
from schemas.states import BatchStep, State


class Evaluates:
    """The errand of handing orders over: see the module. One for a run; it knows the orders whose calls are under way."""

    path = "evaluate"

    def __init__(self, equipment: Equipment, run: Run) -> None:
        self._equipment, self._run = equipment, run
        self._under_way: dict[str, Submission] = {}

    def prepare(self, batch: Batch) -> Batch:
        """Hold what was only claimed, and doubt what a run that is no more had begun."""
        if batch.step is BatchStep.CLAIMED:
            batch = hold(self._equipment, self._run, batch)
            export_rows(self._equipment, batch)
            return batch
        doubt_begun(self._equipment, self._run, batch)
        return batch

    def intend(self, batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        """Record the intent to call the next orders, judged once more right before; none are left when none come back."""
        while True:
            with self._equipment.ledger.reading() as connection:
                going = to_be_called(connection, self._equipment.ledger.mid, batch.batch_id, most)
            if not going:
                return batch, []
            rows = self._equipment.source.written([submission.order_id for submission, _ in going])
            before = begins_before(self._equipment)
            with self._equipment.ledger.writing(self._run) as writing:
                switches = switches_in(writing.connection, self._equipment)
                judged = [(each, body, self._obstacle(each, rows.get(each.order_id), switches)) for each, body in going]
                leaving = [(each, body) for each, body, obstacle in judged if obstacle is None]
                staying = [withdrawal(each, "send", obstacle, shows=True) for each, _, obstacle in judged if obstacle is not None]
                move_orders(writing, staying)
                if leaving:
                    batch = self._begin(writing, batch, leaving)
            if leaving:
                return batch, [Call(each.order_id, body, before) for each, body in leaving]

    def _obstacle(self, submission: Submission, row: dict[str, str] | None, switches: Switches) -> Obstacle | None:
        return obstacle_of(submission, row) or second_thought(self._equipment, submission, switches)

    def objection(self, call: Call) -> str:
        """Why an intended call is not begun after all: what was turned off since. Its order is held again, and judged anew."""
        order = self._under_way[call.order_id]
        off = switches_now(self._equipment).refusal(order.site, Origin(order.origin))
        return off.sentence if off is not None else ""

    def _begin(self, writing: Writing, batch: Batch, leaving: Sequence[tuple[Submission, bytes]]) -> Batch:
        moves = []
        for submission, body in leaving:
            detail = {"body_sha256": hashlib.sha256(body).hexdigest()}
            moves.append(Move(submission, State.SENDING, "send", "intent to call", detail=detail, shows=False))
        self._under_way |= {moved.order_id: moved for moved in move_orders(writing, moves)}
        return move_batch(writing, batch, BatchStep.CALLING, reason="intent to call", token_minted_at=writing.now)

    def apply(self, writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        """Store the answers, and move each order as its own demands. Returns how many there were of each verdict."""
        known = [self._under_way[called.call.order_id] for called in back]
        standing = as_they_stand(writing.connection, writing.mid, known)
        replies = [self.read(called) for called in back]
        subjects = [(f"order:{called.call.order_id}", called.content) for called in back]
        ids = store_answers(writing, source="evaluate", answers=subjects)
        answered = [(standing[one.order_id], *pair) for one, pair in zip(known, zip(replies, ids, strict=True), strict=True)]
        apply_replies(writing, self._equipment, answered)
        return Counter(reply.verdict for reply in replies)

    def read(self, called: Called) -> Reply:
        """What one call proves."""
        return reply_of(called)

    def set_aside(self, writing: Writing, called: Called, why: str) -> dict[Verdict, int]:
        """An answer that cannot be applied is kept, and its order is in doubt."""
        known = self._under_way[called.call.order_id]
        order = as_they_stand(writing.connection, writing.mid, [known])[known.order_id]
        subject = f"order:{order.order_id}"
        (evidence_id,) = store_answers(writing, source="evaluate", answers=[(subject, called.content)])
        words = f"its answer could not be applied ({why})"
        if order.state is State.SENDING:
            move_orders(writing, [Move(order, State.IN_DOUBT, "evaluate", words, evidence_id, shows=False)])
        tell(writing, self._equipment, ItemKind.QUARANTINE, subject, words, evidence_id)
        return {Verdict.DOUBTFUL: 1}

    def forget(self, back: Sequence[Called]) -> None:
        """These orders' answers are recorded. Before that is sure, a transaction may be undone and made again."""
        for called in back:
            del self._under_way[called.call.order_id]

    def left(self, batch: Batch) -> int:
        """How many orders of the group have still to be called."""
        with self._equipment.ledger.reading() as connection:
            return left_to_call(connection, self._equipment.ledger.mid, batch.batch_id)

    def finish(self, writing: Writing, batch: Batch) -> Batch:
        """No order of the group is left to be called: it is over, whatever is in doubt is asked about."""
        if batch.step is BatchStep.CLAIMED:
            return move_batch(writing, batch, BatchStep.EMPTY, reason="every order was withdrawn")
        reason = "no order of it is left to be called"
        return move_batch(writing, batch, BatchStep.ACKNOWLEDGED, reason=reason, acknowledged_at=writing.now)


def begins_before(equipment: Equipment) -> datetime:
    """Until when the calls of an intent that is recorded next may begin: while our lease cannot have run out.

    To be asked before the intent is recorded: a run may stand still right after, and wake when it was overtaken (I11).
    """
    return equipment.clock.now() + timedelta(seconds=equipment.settings.lease.seconds / 2)


def export_rows(equipment: Equipment, batch: Batch) -> None:
    """Keep the rows of a group for the merchant, as those of a file are. Raises FileNotWritten."""
    with equipment.ledger.reading() as connection:
        rows = rows_of_batch(connection, equipment.ledger.mid, batch)
    if batch.step is not BatchStep.EMPTY:
        sent = any("expiryDateUtc" in row.record for row in rows)
        expires_at = batch.expires_at if sent else ""  # a sync account is sent none
        mid, profile = equipment.ledger.mid, equipment.profile
        canonical = called_csv(rows, mid=mid, expires_at=expires_at, profile=profile)
        equipment.export.write(batch.business_date, batch.batch_id, batch.kind, canonical)


def doubt_begun(equipment: Equipment, run: Run, batch: Batch) -> None:
    """Orders whose call was intended by a run that is no more: it may have been made, so they are in doubt."""
    with equipment.ledger.reading() as connection:
        begun = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, [State.SENDING])
    if begun:
        with equipment.ledger.writing(run) as writing:
            reason = "its call may have been made: the run that was about to ended before an answer was recorded"
            move_orders(writing, [Move(each, State.IN_DOUBT, "send", reason, shows=False) for each in begun])
