"""Applying what the provider said: evidence first, then the moves that follow from it, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from batch.conclusions import MINDS_A_CANCEL, Conclusion, Facts, conclude, meaning_of
from batch.contradictions import doubt_refusal
from batch.early_news import apply_early_news
from batch.equipment import Equipment
from batch.ledger import Submission, Writing
from batch.ledger.completed_by_hand import accepted_amount, is_taken_for_right
from batch.ledger.evidence import store_evidence
from batch.ledger.items import close_all, close_items, open_anew, open_item
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.operations import Operation, operations_of
from batch.ledger.reading import bearers_of, source_of_state
from batch.pace import from_utc_text, next_read_at, utc_text
from batch.responses import OrderRead
from schemas.operations import OperationKind, OperationStep
from schemas.order import CIT_MODE
from schemas.profile import Meaning
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import NEVER_AGAIN, NOT_RECOVERED, RELEASED, State

WORKED_ON = (State.PENDING, State.CAPTURE_REQUIRED)
"""States in which the provider is asked about an order again and again."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer about one of our orders: where it came from, its raw words, and what they say.

    Without `read`, `problem` says why it could not be read; empty: the provider said nothing about the order. Words that
    are stored already come as `evidence_id`, without content. `is_last_word` is false where the order is still to be read.
    """

    source: str
    content: bytes
    read: OrderRead | None
    problem: str = ""
    evidence_id: str = ""
    is_last_word: bool = True


def hear(writing: Writing, equipment: Equipment, submission: Submission, heard: Heard) -> Submission:
    """Store the answer, move the order as it demands, open or close its items, and set when to ask again.

    Touches I3 (only a read completes), I6 (through review alone), I7 (evidence before state), I16 (unknown changes
    nothing). All of it is one transaction: dying inside leaves the order as it was, due for the same question.
    """
    evidence_id = heard.evidence_id
    if heard.content:
        stored = store_evidence(writing, source=heard.source, subject=f"order:{submission.order_id}", content=heard.content)
        evidence_id = stored.evidence_id
    if heard.read is None:
        if heard.problem:
            words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: {heard.problem}"
            raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words, evidence_id)
        note_reads(writing, [(submission, next_read(writing, equipment, submission))])
        return submission
    conclusion = _concluded(writing, equipment, submission, heard, heard.read)
    moved = _follow(writing, submission, conclusion, heard, evidence_id)
    _items(writing, equipment, submission, conclusion, heard.read, evidence_id)
    _settle(writing, moved)
    if heard.is_last_word:
        note_reads(writing, [(moved, next_read(writing, equipment, moved))])
    if submission.state is State.REJECTED and moved.state is State.REVIEW:
        doubt_refusal(writing, equipment, submission, evidence_id)
    if not submission.provider_order_id:
        apply_early_news(writing, equipment, [moved.provider_order_id])
    return moved


def _settle(writing: Writing, moved: Submission) -> None:
    """Close what the place has settled to which an order has come."""
    if moved.state not in WORKED_ON:
        stood = [(ItemKind.UNKNOWN_STATUS, f"overdue:{moved.order_id}"), (ItemKind.CAPTURE_DUE, f"order:{moved.order_id}")]
        close_all(writing, stood, f"it ended: {moved.state}")
    if moved.mit_mode == CIT_MODE and moved.state is not State.PENDING:
        close_items(writing, ItemKind.CHALLENGE, f"order:{moved.order_id}", f"the provider went on: {moved.state}")


def _items(
    writing: Writing, equipment: Equipment, submission: Submission, conclusion: Conclusion, read: OrderRead, evidence_id: str
) -> None:
    """Open what a person must look at, and close what was in doubt where the answer was understood."""
    if conclusion.item is not None:
        words = f"{ITEM_TEXTS[conclusion.item]}: {conclusion.explanation}"
        is_late_cancel = conclusion.item is ItemKind.DOUBLE_CHARGE and not conclusion.path
        raise_item(writing, equipment, conclusion.item, submission, words, evidence_id, is_news=is_late_cancel)
    if conclusion.understood:
        about = [(kind, f"order:{submission.order_id}") for kind in (ItemKind.UNKNOWN_STATUS, ItemKind.QUARANTINE)]
        close_all(writing, about, f"the provider now says {read.status or read.code}")


def _concluded(writing: Writing, equipment: Equipment, submission: Submission, heard: Heard, read: OrderRead) -> Conclusion:
    """What follows from a read, by the order's own facts and by what else the ledger knows."""
    conclusion = conclude(_facts(writing, equipment, submission, read), read, equipment.profile)
    conclusion = _unless_taken_for_right(writing, submission, conclusion)
    conclusion = _unless_taken(writing, submission, read, conclusion)
    conclusion = _unless_accepted(writing, submission, read, conclusion)
    return _unless_believed(writing, equipment, submission, heard.source, read, conclusion)


def _unless_taken_for_right(writing: Writing, submission: Submission, conclusion: Conclusion) -> Conclusion:
    """That a cancel came too late is told of an order under review, for whatever that is, until a person says it is completed."""
    if conclusion.item is not ItemKind.DOUBLE_CHARGE or conclusion.path:
        return conclusion
    asked = operations_of(writing.connection, writing.mid, submission.order_id, OperationKind.CANCEL)
    is_right = is_taken_for_right(writing.connection, writing.mid, submission, asked)
    return Conclusion(reason="as known") if is_right else conclusion


def _unless_taken(writing: Writing, submission: Submission, read: OrderRead, conclusion: Conclusion) -> Conclusion:
    """An id of the provider's that belongs to another order of ours proves nothing about this one."""
    bearer = bearers_of(writing.connection, writing.mid, [read.provider_order_id]).get(read.provider_order_id)
    if bearer in {None, submission.order_id}:
        return conclusion
    words = f"the provider's id {read.provider_order_id} belongs to order {bearer!r}"
    return Conclusion(item=ItemKind.CONTRADICTION, explanation=words, understood=False)


def _unless_accepted(writing: Writing, submission: Submission, read: OrderRead, conclusion: Conclusion) -> Conclusion:
    """A completion for another amount that a person has accepted is no news."""
    if conclusion.item is not ItemKind.AMOUNT_DIFFERS or submission.state not in NEVER_AGAIN:
        return conclusion
    accepted = accepted_amount(writing.connection, writing.mid, submission.order_id)
    same = accepted is not None and accepted == read.amount_minor and read.currency in ("", submission.currency)
    return Conclusion(reason="as a person accepted it") if same else conclusion


def _unless_believed(
    writing: Writing, equipment: Equipment, submission: Submission, source: str, read: OrderRead, conclusion: Conclusion
) -> Conclusion:
    """An order that a file's row alone has ended, and that a read shows as still being worked on, is for a person (I3).

    A read that is not understood, or speaks of another order, shows nothing of this one.
    """
    if not equipment.settings.outcomes.trust_files or source == "file" or not conclusion.understood:
        return conclusion
    meaning = meaning_of(read, equipment.profile)
    is_ended = submission.state in (State.COMPLETED, *NOT_RECOVERED)
    if not is_ended or meaning not in (Meaning.PENDING, Meaning.ONHOLD, Meaning.CAPTURE_REQUIRED):
        return conclusion
    if source_of_state(writing.connection, writing.mid, submission.order_id) != "file":
        return conclusion
    words = f"an outcomes file ended it ({submission.state}), and the provider still works on it"
    return Conclusion((State.REVIEW,), words, ItemKind.CONTRADICTION, words)


def raise_item(
    writing: Writing,
    equipment: Equipment,
    kind: ItemKind,
    submission: Submission,
    explanation: str,
    evidence_id: str = "",
    *,
    is_news: bool = False,
) -> None:
    """Open an item about one order; `explanation` is a whole sentence of what is the matter with it.

    One of that kind which stands open already is enough, unless `is_news`: then what stands open says something else.
    """
    tell = open_anew if is_news else open_item
    days = equipment.settings.review.due_business_days
    tell(writing, kind, f"order:{submission.order_id}", explanation, due_business_days=days, evidence_id=evidence_id)


def facts_of(now: datetime, submission: Submission) -> Facts:
    """What our side knows of an order at this moment."""
    is_cit = submission.mit_mode == CIT_MODE
    return Facts(
        order_id=submission.order_id,
        provider_order_id=submission.provider_order_id,
        state=submission.state,
        amount_minor=submission.amount_minor,
        currency=submission.currency,
        is_past_expiry=utc_text(now) >= submission.expires_at and not is_cit,  # none was sent for it, so it cannot have passed
        was_called_expired=bool(submission.expired_hint),
        is_worked_on=submission.mit_mode == "sync" and utc_text(now) < submission.expires_at,
        is_cit=is_cit,
    )


def _facts(writing: Writing, equipment: Equipment, submission: Submission, read: OrderRead) -> Facts:
    """The same, and whether its cancel was asked for: that is looked up only for a read for which it matters."""
    facts = facts_of(from_utc_text(writing.now), submission)
    if meaning_of(read, equipment.profile) not in MINDS_A_CANCEL:
        return facts
    return with_cancels(facts, submission, operations_of(writing.connection, writing.mid, submission.order_id))


def with_cancels(facts: Facts, submission: Submission, asked: Sequence[Operation]) -> Facts:
    """The same facts, and what was asked of the provider about stopping the order; `asked` are all requests about it."""
    mine = [each for each in asked if each.kind is OperationKind.CANCEL and each.attempt == submission.attempt]
    confirmed = any(each.step is OperationStep.DONE for each in mine)
    may_be = any(each.may_have_happened for each in mine)
    wanted = replace(facts, cancel_wanted=bool(mine), may_be_cancelled=confirmed if facts.is_worked_on else may_be)
    refunds = [each for each in asked if each.kind is OperationKind.REFUND and each.step is OperationStep.DONE]
    return replace(wanted, given_back_minor=sum(each.amount_minor for each in refunds))


def _follow(writing: Writing, submission: Submission, conclusion: Conclusion, heard: Heard, evidence_id: str) -> Submission:
    read = heard.read
    assert read is not None  # noqa: S101 - unreadable answers conclude nothing
    said = (read.status or str(read.code)).upper()
    news: dict[str, object] = {"provider_status": said}
    changes: Mapping[str, object] = {"provider_status": said[:64]}
    if conclusion.understood:
        changes = {**changes, "provider_order_id": read.provider_order_id}
        news["provider_order_id"] = read.provider_order_id
    for to in conclusion.path:
        renamed = submission.state in RELEASED and to in RELEASED  # the row shows that it is released, and is the merchant's now
        detail = {**news, "recovered_minor": submission.amount_minor} if to is State.COMPLETED else news
        first = {"handed_over_date": writing.run.business_date} if to is State.PENDING and not submission.handed_over_date else {}
        move = Move(
            submission,
            to,
            heard.source,
            conclusion.reason,
            evidence_id,
            detail=detail,
            changes={**changes, **first},
            shows=not renamed,
        )
        (submission,) = move_orders(writing, [move])
    is_its_word = conclusion.understood or conclusion.item is ItemKind.UNKNOWN_STATUS
    if not conclusion.path and is_its_word and submission.provider_status != said[:64]:
        is_ours = submission.state not in RELEASED  # a released row is the merchant's, and shows our last word no more
        words = f"the provider says {said}"
        move = Move(submission, None, heard.source, words, evidence_id, "learnt", news, changes, shows=is_ours)
        (submission,) = move_orders(writing, [move])
    return submission


def next_read(writing: Writing, equipment: Equipment, submission: Submission) -> str:
    """When to ask again; never, for an order that has ended, until a hint says that it has news."""
    if submission.state not in WORKED_ON:
        return ""
    moment = next_read_at(
        now=from_utc_text(writing.now),
        handed_over_at=from_utc_text(submission.claimed_at),
        expires_at=from_utc_text(submission.expires_at),
        min_interval_seconds=equipment.settings.outcomes.min_poll_interval_seconds,
    )
    return utc_text(moment)
