"""Sync mode: an order that the provider works on in the background is evaluated again, at the pace of the agreed period.

The same order id, key and bytes go out each time; the provider answers how the rescue stands, and starts none (CONTRACT
7.6). An answer only makes the order due for a read. Nothing is repeated for an order that is not pending, whose period
is over, whose last word from the provider is not that of work in progress (so never once a read has ended it, I2), whose
row does not bear our hold, or that is switched off. The intent is recorded first, and the pace counts from it: a death
before the answer costs one repeat. Only `poll` does this.
"""

from collections.abc import Sequence
from datetime import timedelta

from batch.api_evaluates import begins_before
from batch.api_line import Call, Called
from batch.call_answers import Verdict
from batch.contradictions import tell
from batch.equipment import Equipment
from batch.evaluate_answers import reply_of
from batch.holding import obstacle_of
from batch.intent import second_thought
from batch.ledger import Run, Submission
from batch.ledger.calls import as_they_stand, store_answers, to_be_repeated
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.operations import operations_of
from batch.pace import utc_text
from batch.permission import switches_now
from schemas.errors import ApiBusy, ApiLoginRefused, ApiUnreachable, MitbatchError
from schemas.operations import OperationKind
from schemas.order import Origin
from schemas.profile import Meaning
from schemas.reasons import ItemKind
from schemas.states import State

REPEATS_IN_A_PERIOD = 10
LEAST_APART = timedelta(days=1)
"""For 24 hours the provider would only say its first answer again (CONTRACT 7.6)."""

SET = 128


def pace_of(period_days: int) -> timedelta:
    """How long after one evaluate the next may follow: a tenth of the agreed period, and a day at least."""
    return max(timedelta(days=period_days) / REPEATS_IN_A_PERIOD, LEAST_APART)


def repeat_evaluates(equipment: Equipment, run: Run) -> int:
    """Evaluate again what is due. Returns how many were. Raises ApiUnreachable and ApiLoginRefused when none can be called."""
    settings = equipment.settings
    if settings.provider.mit_mode != "sync" or settings.channels.evaluate != "api":
        return 0
    round_of_calls = _Round(equipment, run)
    if round_of_calls.has_any():
        equipment.sends.be_ready()
        equipment.sends.call_all("evaluate", round_of_calls.turn, round_of_calls.objection)
    if round_of_calls.problem is not None:
        raise round_of_calls.problem
    return round_of_calls.made


class _Round:
    def __init__(self, equipment: Equipment, run: Run) -> None:
        self._equipment, self._run = equipment, run
        self._after = ""
        self._under_way: dict[str, Submission] = {}
        self.made = 0
        self.problem: MitbatchError | None = None
        now = equipment.clock.now()
        self._now = utc_text(now)
        self._before = utc_text(now - pace_of(equipment.settings.provider.sync_period_days))

    def has_any(self) -> bool:
        """Whether any order may be due."""
        return bool(self._page(1))

    def _page(self, limit: int) -> list[tuple[Submission, bytes]]:
        ledger = self._equipment.ledger
        with ledger.reading() as connection:
            return to_be_repeated(connection, ledger.mid, now=self._now, before=self._before, after=self._after, limit=limit)

    def turn(self, back: Sequence[Called]) -> Sequence[Call] | None:
        """Record what has come back, then the intent for the next orders."""
        if back:
            self._record(back)
            self.problem = self.problem or _what_stops(back)
        if self.problem is not None:
            return None
        while page := self._page(SET):
            self._after = page[-1][0].order_id
            rows = self._equipment.source.written([order.order_id for order, _ in page])
            due = [(order, body) for order, body in page if self._may_go(order, rows.get(order.order_id))]
            if due:
                before = begins_before(self._equipment)
                with self._equipment.ledger.writing(self._run) as writing:
                    reason = "intent to evaluate it again with the same key"
                    moves = [Move(order, None, "evaluate", reason, kind="repeated", shows=False) for order, _ in due]
                    self._under_way |= {order.order_id: order for order in move_orders(writing, moves)}
                return [Call(order.order_id, body, before) for order, body in due]
        return []

    def _may_go(self, order: Submission, row: dict[str, str] | None) -> bool:
        ledger = self._equipment.ledger
        with ledger.reading() as connection:
            cancels = operations_of(connection, ledger.mid, order.order_id, OperationKind.CANCEL)
        if any(each.attempt == order.attempt for each in cancels):
            return False  # whoever asked for its end does not ask for its rescue again
        meaning = self._equipment.profile.meaning(order.provider_status)
        is_worked_on = meaning in (Meaning.PENDING, Meaning.ONHOLD)
        switches = switches_now(self._equipment)
        return is_worked_on and obstacle_of(order, row) is None and second_thought(self._equipment, order, switches) is None

    def objection(self, call: Call) -> str:
        """Why an intended repeat is not made after all: what was turned off since."""
        order = self._under_way[call.order_id]
        off = switches_now(self._equipment).refusal(order.site, Origin(order.origin))
        return off.sentence if off is not None else ""

    def _record(self, back: Sequence[Called]) -> None:
        with self._equipment.ledger.writing(self._run, last=True) as writing:
            known = [self._under_way.pop(called.call.order_id) for called in back]
            standing = as_they_stand(writing.connection, writing.mid, known)
            subjects = [(f"order:{called.call.order_id}", called.content) for called in back]
            ids = store_answers(writing, source="evaluate", answers=subjects)
            for called, before, evidence_id in zip(back, known, ids, strict=True):
                order, reply = standing[before.order_id], reply_of(called)
                self.made += reply.verdict is Verdict.TAKEN
                subject = f"order:{order.order_id}"
                if (
                    reply.verdict is Verdict.TAKEN
                    and reply.provider_id != order.provider_order_id
                    and order.state is State.PENDING
                ):
                    words = "its evaluate was repeated, and the provider answers with another order"
                    move_orders(writing, [Move(order, State.REVIEW, "evaluate", words, evidence_id)])
                    tell(writing, self._equipment, ItemKind.CONTRADICTION, subject, words, evidence_id)
                    continue
                if reply.verdict is Verdict.REFUSED:
                    words = f"the repeat of its evaluate was refused ({reply.words}); it stays pending"
                    tell(writing, self._equipment, ItemKind.QUARANTINE, subject, words, evidence_id)
                if order.state is State.PENDING:
                    note_reads(writing, [(order, writing.now)])


def _what_stops(back: Sequence[Called]) -> MitbatchError | None:
    """Why no more is repeated in this run: refused credentials, too many calls, no connection, doubt upon doubt."""
    for called in back:
        if called.is_login:
            return ApiLoginRefused(called.problem or f"The provider's API refuses our calls (HTTP {called.http_status}).")
        if called.http_status == 429:
            return ApiBusy("The provider's API asked us to come later (HTTP 429) when evaluates were repeated.")
        if called.not_sent:
            return ApiUnreachable(f"No call could be made: {called.problem}.")
    if any(called.not_made and not called.is_off for called in back):
        return ApiUnreachable("The provider's API gave no clear answer to many calls in a row; no more evaluates were repeated.")
    return None
