"""Asking the provider about an order that it refused once, before that order is claimed again (CONTRACT 6.4).

A refusal releases an order, and the merchant may mend the row and set it back. But the only answer that could be read may
have been a false one: a file of two contents under one name, a row that stands for another. If a rescue of the order runs
all the same, a second send would make two of them (I2). So whoever is about to claim such an order asks by our own id, and:

* the provider shows it, in whatever state, or twice: it is not claimed. The refusal and the listing contradict; its latest
  claim comes under review with what was found, in one transaction, and its row is held again at once (I1). An order that
  ended there counts as well: a rescue of it did start, and what a second one with another key does, nobody knows (CONTRACT 7.6);
* the provider does not show it: it is claimed. That absence proves nothing by itself; what lets it go is the refusal, which
  the provider wrote down. The question can only forbid, never permit (I12);
* no answer, or one that cannot be read: it is not claimed, its row stays as it is, the day's decisions and the run's result
  name it, and the next run asks again.

It is asked before the claim, so nothing has to be taken back. Dying before or after the question leaves everything as it was.
The decision is recorded first: dying after it, the next run asks again. Dying after the review is recorded leaves an order
that no run claims, and whose row the next run holds before anything else.
Between the question and the send stand the claim, the hold and the intent, and they may take many runs. Each later run asks
once more before it goes on with what is claimed and certainly has not left. What is shown now does not leave: one that was
only held comes under review, one whose file was intended is taken for the order that the provider shows, and left out of the
file. Of a file that may have left, only those without an answer are asked about: any other is known there. What is shown proves
nothing of that file, as it may be of the first claim: only its part can tell, and no run renames it then. Here no answer stops
nothing: the order had its answer once, and the others of its file need not wait.

Where we may not read orders (`outcomes.ask`), nobody can be asked (CONTRACT 8). So a person looks in the provider's portal: such
an order waits as long as the item about its refusal, or about that of its file, stands open, and noting the item lets it go.
"""

from collections.abc import Sequence
from dataclasses import replace

from batch.equipment import Equipment
from batch.gate import Verdict
from batch.ledger import Batch, Run, Submission
from batch.ledger.decisions import record_decisions
from batch.ledger.items import open_items
from batch.ledger.past import Past, past_of
from batch.ledger.reading import attempts_of, submissions_of_batch
from batch.provider_reads import Answer
from batch.results import write_back
from batch.search import apply_found
from schemas.counted import counted
from schemas.errors import ApiLoginRefused, ApiUnreachable, NothingSent
from schemas.reasons import ItemKind, Reason
from schemas.states import BatchStep, State

AT_A_TIME = 64
"""So many are asked about side by side; when none of them has an answer, no more are asked about in this run."""
NAMED = 5

_Judged = tuple[Verdict, Past | None]

_REFUSALS = (ItemKind.ROW_REFUSED, ItemKind.FILE_REFUSED)
_HELD = (State.CLAIMED, State.HELD)
_AT_HOME = {BatchStep.CLAIMED: _HELD, BatchStep.SENDING: (*_HELD, State.SENDING), BatchStep.CALLING: _HELD}
"""By the step of their file or group: the states of orders that certainly have not left."""
_MAY_HAVE_LEFT = (State.SENDING, State.IN_DOUBT)
"""Of a file that may have left: the states of orders without an answer. That any other is shown there contradicts nothing."""

THERE = "the provider refused it, and has it all the same; a person decides"
UNSEEN = (
    "the provider refused it before, and nobody can ask whether it has it all the same; look in its portal, then note the item"
)
UNANSWERED = "the provider refused it before, and whether it has it all the same could not be learnt; the next run asks again"


class SecondAttempts:
    """The questions of one run, and which of them had no answer."""

    def __init__(self, equipment: Equipment, run: Run) -> None:
        self._equipment, self._run = equipment, run
        self._unanswered: list[str] = []
        self._problem: NothingSent | None = None
        self._is_over = False

    def asked_first(self, page: Sequence[_Judged]) -> list[_Judged]:
        """The same verdicts, but what the provider has, or gave no answer about, is not selected."""
        due = [verdict for verdict, past in page if verdict.selected and past is not None and past.was_refused]
        kept: dict[str, Verdict] = {}
        if due and self._equipment.settings.outcomes.ask != "orders":
            kept, due = self._not_noted(due), []
        for start in range(0, len(due), AT_A_TIME):
            kept |= self._kept(due[start : start + AT_A_TIME])
        if any(verdict.reason_text == THERE for verdict in kept.values()):
            write_back(self._equipment, self._run)  # their rows are free, and the run may be long
        return [(kept.get(verdict.order_id, verdict), past) for verdict, past in page]

    def tell(self) -> None:
        """Raise ApiUnreachable or ApiLoginRefused, by what kept the answers away, naming orders; nothing where all came."""
        if not self._unanswered:
            return
        refused = counted(len(self._unanswered), "refused order")
        names = ", ".join(repr(order_id) for order_id in self._unanswered[:NAMED])
        more = ", ..." if len(self._unanswered) > NAMED else ""
        why = self._problem.what.rstrip(".") if self._problem else "no answer"
        error = ApiLoginRefused if isinstance(self._problem, ApiLoginRefused) else ApiUnreachable
        raise error(
            f"Whether the provider has {refused} all the same could not be learnt ({names}{more}): {why}.",
            now="They were not handed over again.",
        )

    def _kept(self, due: Sequence[Verdict]) -> dict[str, Verdict]:
        """By order: the verdict on what is not claimed now. Of one that may be claimed, nothing."""
        answers = {each.asked_for: each for each in self._ask([verdict.order_id for verdict in due])}
        there = {order_id: each for order_id, each in answers.items() if each.read is not None or each.is_double}
        silent = {v.order_id: _not_now(v, UNANSWERED) for v in due if not _has_answer(answers.get(v.order_id))}
        self._unanswered += silent
        kept = {verdict.order_id: _not_now(verdict, THERE) for verdict in due if verdict.order_id in there}
        if kept:
            with self._equipment.ledger.writing(self._run) as writing:
                record_decisions(writing, list(kept.values()))  # a run that comes after a death finds no candidate any more
                latest = [attempts_of(writing.connection, writing.mid, order_id)[-1] for order_id in kept]
            for submission in latest:
                apply_found(self._equipment, self._run, submission, there[submission.order_id])
        return kept | silent

    def _not_noted(self, due: Sequence[Verdict]) -> dict[str, Verdict]:
        """By order: the verdict where nobody can be asked, and no person has noted the refusal yet."""
        mid, kept = self._equipment.ledger.mid, dict[str, Verdict]()
        with self._equipment.ledger.reading() as connection:
            told = {item.subject for item in open_items(connection, mid) if item.kind in _REFUSALS}
            for verdict in due if told else ():
                files = {f"batch:{each.batch_id}" for each in attempts_of(connection, mid, verdict.order_id)}
                if told & {f"order:{verdict.order_id}", *files}:
                    kept[verdict.order_id] = _not_now(verdict, UNSEEN)
        return kept

    def _ask(self, order_ids: Sequence[str]) -> list[Answer]:
        if self._is_over:
            return []
        with self._equipment.ledger.writing(self._run):
            pass  # still our turn, and nobody asked us to stop
        try:
            answers = list(self._equipment.api.find_orders(order_ids))
        except (ApiLoginRefused, ApiUnreachable) as problem:
            self._problem, self._is_over = problem, True
            return []
        for answer in answers:
            if not _has_answer(answer):
                self._problem = ApiUnreachable(f"{answer.problem}.")
        self._is_over = all(answer.is_unreachable for answer in answers)
        return answers


def look_again(equipment: Equipment, run: Run, unsent: Sequence[Batch]) -> None:
    """Ask again about refused orders that an earlier run claimed once more, and that certainly have not left.

    Each that is found is one transaction; dying between two, the next run asks about the rest.
    """
    if equipment.settings.outcomes.ask != "orders":
        return
    mid, due = equipment.ledger.mid, dict[str, Submission]()
    with equipment.ledger.reading() as connection:
        for batch in unsent:
            waiting = submissions_of_batch(connection, mid, batch.batch_id, _AT_HOME.get(batch.step, _MAY_HAVE_LEFT))
            some = {each.order_id: each for each in waiting if each.attempt > 1}
            due |= {
                order_id: some[order_id] for order_id, past in past_of(connection, mid, list(some)).items() if past.was_refused
            }
    for start in range(0, len(due), AT_A_TIME):
        answers = list(equipment.api.find_orders(list(due)[start : start + AT_A_TIME]))
        for answer in answers:
            if answer.read is not None or answer.is_double:
                apply_found(equipment, run, due[answer.asked_for], answer)
        if all(answer.is_unreachable for answer in answers):
            return


def _has_answer(answer: Answer | None) -> bool:
    return answer is not None and (answer.read is not None or answer.is_absent or answer.is_double)


def _not_now(verdict: Verdict, words: str) -> Verdict:
    return replace(verdict, selected=False, reason=Reason.ALREADY_ACTIVE, reason_text=words)
