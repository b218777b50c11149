"""Making a call in doubt once more because a person decided so: the same key, order id and bytes (CONTRACT 5, 7.6).

Why that hands no order over twice stands in `batch.call_rulings`. What is true when the process dies after each step:

1. The provider was asked, nothing was written: everything is as before, and can be decided again.
2. Intent: the order is `sending`, its group `calling`, with who, why and what the provider said. The call may have been
   made, nobody knows; the next nightly or poll calls it in doubt, and looks for it. The item stands open still.
3. The mark outside the ledger names that intent: a ledger that was restored from before it is refused.
4. The call is made, once, and never begun when the key may be forgotten.
5. Its answer is recorded. Only TAKEN settles: a refusal of the repeat, or that it was not made, proves nothing of the
   first call, so the order stays in doubt and held, and the item open. No order is ever released here.

The provider shows copies to nobody, so they cannot be asked about: who repeats them accepts that one may arrive twice.
No money hangs on a copy.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from batch.api_copies import Transmits
from batch.api_delivery import ApiDelivery
from batch.api_evaluates import Evaluates, begins_before
from batch.api_line import Call, Called
from batch.call_answers import Reply, Verdict
from batch.call_decisions import copied_since
from batch.deciding import found, settled
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Batch, Run, Writing
from batch.ledger.calls import SENDING, copies_in_doubt, copies_left, left_to_call, mark_copies
from batch.ledger.evidence import store_evidence
from batch.ledger.items import close_by_hand
from batch.ledger.moves import Move, move_orders
from batch.ledger.repeats import body_of, doubted_copies
from batch.ledger.steps import BY_HAND, move_batch
from batch.review import Decision, Judged
from schemas.counted import counted
from schemas.errors import DecisionRefused
from schemas.states import BatchStep, State


def repeat_calls(equipment: Equipment, run: Run, findings: Findings, decision: Decision, judged: Judged) -> str:
    """Make the calls that were judged, each once. Returns what became of them, in one sentence; empty where none was made.

    Raises DecisionRefused when something moved since it was judged; what stops the calls is a finding.
    """
    repeat = judged.repeat
    assert repeat is not None  # noqa: S101 - the caller has looked
    by_hand = _ByHand(equipment, run, decision, judged)
    errand = _OneOrder(by_hand) if repeat.order is not None else _Copies(by_hand)
    ApiDelivery(equipment, run, findings, errand).deliver([repeat.batch])
    return errand.outcome


class _ByHand:
    """A decision while it is carried out: what it writes beside the calls."""

    def __init__(self, equipment: Equipment, run: Run, decision: Decision, judged: Judged) -> None:
        self.equipment, self.run, self.decision, self.judged = equipment, run, decision, judged

    def check(self, writing: Writing) -> None:
        """Raise DecisionRefused when what was judged is not so any more."""
        if found(writing, self.judged.case) != self.judged.case:
            raise DecisionRefused("Something moved while this was decided.", next_step="Look again, and decide again.")

    def intend(self, writing: Writing, batch: Batch) -> Batch:
        """Record that the group calls, by whose words."""
        times = {"token_minted_at": writing.now}
        return move_batch(writing, batch, BatchStep.CALLING, reason=self.decision.words, source=BY_HAND, **times)

    def close(self, writing: Writing) -> None:
        """Close the items that are settled now, with who and why."""
        closed = [each.item_id for each in settled(writing, self.judged.case)]
        by = {"person": self.decision.person, "reason": self.decision.reason}
        close_by_hand(writing, closed, resolution=self.decision.resolution.value, **by)


class _OneOrder(Evaluates):
    """The errand of calling one order once more."""

    def __init__(self, by_hand: _ByHand) -> None:
        super().__init__(by_hand.equipment, by_hand.run)
        self._by_hand, self._is_intended = by_hand, False
        self.outcome = ""

    def prepare(self, batch: Batch) -> Batch:
        """What another run left of the group is not this errand's."""
        return batch

    def left(self, batch: Batch) -> int:
        """The one order, until its call is intended."""
        return int(not self._is_intended)

    def intend(self, batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        """Record what the provider said, and the intent, in one transaction."""
        repeat, order, decision = self._by_hand.judged.repeat, self._by_hand.judged.case.order, self._by_hand.decision
        if self._is_intended or repeat is None or order is None or repeat.before is None or repeat.answer is None:
            return batch, []
        before = min(begins_before(self._equipment), repeat.before)
        with self._equipment.ledger.writing(self._run) as writing:
            self._by_hand.check(writing)
            body = body_of(writing.connection, writing.mid, order)
            content, subject = repeat.answer.content, f"order:{order.order_id}"
            evidence_id = store_evidence(writing, source="poll", subject=subject, content=content).evidence_id if content else ""
            sha256 = hashlib.sha256(body).hexdigest()
            detail = {"decided": decision.resolution.value, "by": decision.person, "body_sha256": sha256}
            move = Move(order, State.SENDING, BY_HAND, decision.words, evidence_id, detail=detail, shows=False)
            (self._under_way[order.order_id],) = move_orders(writing, [move])
            batch = self._by_hand.intend(writing, batch)
        self._is_intended = True
        return batch, [Call(order.order_id, body, before)]

    def apply(self, writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        """Record the answer; the items close only where the provider has taken it."""
        counts = super().apply(writing, back)
        if counts.get(Verdict.TAKEN):
            self._by_hand.close(writing)
        return counts

    def read(self, called: Called) -> Reply:
        """What the answer proves of both calls: anything but TAKEN leaves the first in doubt."""
        reply, name = super().read(called), f"Order {called.call.order_id!r} was called once more with its own key"
        if reply.verdict is Verdict.TAKEN:
            self.outcome = f"{name}; the provider has it: {reply.word}."
            return reply
        self.outcome = f"{name} and stays in doubt: {reply.words.rstrip('.')}."
        return _of_both(reply)

    def set_aside(self, writing: Writing, called: Called, why: str) -> dict[Verdict, int]:
        """An answer that cannot be applied leaves it in doubt."""
        self.outcome = f"Order {called.call.order_id!r} was called once more and stays in doubt: {why.rstrip('.')}."
        return super().set_aside(writing, called, why)

    def finish(self, writing: Writing, batch: Batch) -> Batch:
        """The group goes back to where it was, unless others of it have still to be called for the first time."""
        return batch if left_to_call(writing.connection, writing.mid, batch.batch_id) else super().finish(writing, batch)


class _Copies(Transmits):
    """The errand of sending the copies in doubt of one group once more."""

    def __init__(self, by_hand: _ByHand) -> None:
        super().__init__(by_hand.equipment, by_hand.run)
        self._by_hand, self._is_begun = by_hand, False
        self._ahead: list[tuple[str, bytes]] | None = None
        self._called = self._taken = self._taken_now = 0

    @property
    def outcome(self) -> str:
        """What has become of them, in one sentence; empty while none was called."""
        left = self._called - self._taken
        were = counted(self._called, "copy was", "copies were")
        words = f"{were} sent once more: the provider has {self._taken:,} of them now"
        return f"{words}, {left:,} {'stays' if left == 1 else 'stay'} in doubt." if self._called else ""

    def left(self, batch: Batch) -> int:
        """How many of them have still to be called. They are listed once, so that each is called once."""
        if self._ahead is None:
            with self._equipment.ledger.reading() as connection:
                since = copied_since(self._equipment)
                self._ahead = doubted_copies(connection, self._equipment.ledger.mid, batch.batch_id, since=since)
        return len(self._ahead)

    def intend(self, batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        """Record the intent for the next of them."""
        if not self.left(batch) or self._ahead is None:
            return batch, []
        going, before = self._ahead[:most], begins_before(self._equipment)
        with self._equipment.ledger.writing(self._run) as writing:
            if not self._is_begun:
                self._by_hand.check(writing)
            mark_copies(writing, [{"order_id": order_id, "result": SENDING} for order_id, _ in going])
            batch = self._by_hand.intend(writing, batch)
        self._is_begun, self._ahead = True, self._ahead[most:]
        self._groups |= dict.fromkeys((order_id for order_id, _ in going), batch.batch_id)
        return batch, [Call(order_id, body, before) for order_id, body in going]

    def apply(self, writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        """Write down the answers."""
        counts = super().apply(writing, back)
        self._taken_now = counts.get(Verdict.TAKEN, 0)
        return counts

    def forget(self, back: Sequence[Called]) -> None:
        """These answers are recorded, and count."""
        super().forget(back)
        self._called += len(back)
        self._taken += self._taken_now

    def read(self, called: Called) -> Reply:
        """What the answer proves of both calls: anything but TAKEN leaves the first in doubt."""
        return _of_both(super().read(called))

    def finish(self, writing: Writing, batch: Batch) -> Batch:
        """The group goes back to where it was, unless others of it have still to be called for the first time."""
        if not copies_in_doubt(writing.connection, writing.mid, batch.batch_id):
            self._by_hand.close(writing)
        return batch if copies_left(writing.connection, writing.mid, batch.batch_id) else super().finish(writing, batch)


def _of_both(reply: Reply) -> Reply:
    if reply.verdict is Verdict.TAKEN:
        return reply
    return replace(reply, verdict=Verdict.DOUBTFUL, words=f"its call was repeated, and it is in doubt still: {reply.words}"[:500])
