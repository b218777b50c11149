"""Applying what the provider said: evidence first, then the moves that follow from it, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from batch.conclusions import Conclusion, Facts, conclude
from batch.equipment import Equipment
from batch.ledger import Submission, Writing
from batch.ledger.evidence import store_evidence
from batch.ledger.items import close_items, open_item
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.reading import bearers_of
from batch.pace import from_utc_text, next_read_at, utc_text
from batch.responses import OrderRead
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import RELEASED, State

WORKED_ON = (State.PENDING, State.CAPTURE_REQUIRED)
"""States in which the provider is asked about an order again and again."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer about one of our orders: where it came from, its raw words, and what they say.

    Without `read`, `problem` says why it could not be read; empty: the provider said nothing about the order.
    """

    source: str
    content: bytes
    read: OrderRead | None
    problem: str = ""


def hear(writing: Writing, equipment: Equipment, submission: Submission, heard: Heard) -> Submission:
    """Store the answer, move the order as it demands, open or close its items, and set when to ask again.

    Touches I3 (only a read completes), I6 (through review alone), I7 (evidence before state), I16 (unknown changes
    nothing). All of it is one transaction: dying inside leaves the order as it was, due for the same question.
    """
    evidence_id = ""
    if heard.content:
        stored = store_evidence(writing, source=heard.source, subject=f"order:{submission.order_id}", content=heard.content)
        evidence_id = stored.evidence_id
    if heard.read is None:
        if heard.problem:
            words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: {heard.problem}"
            raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words, evidence_id)
        note_reads(writing, [(submission, _next_read(writing, equipment, submission))])
        return submission
    conclusion = _unless_taken(
        writing, submission, heard.read, conclude(_facts(writing, submission), heard.read, equipment.profile)
    )
    moved = _follow(writing, submission, conclusion, heard, evidence_id)
    if conclusion.item is not None:
        words = f"{ITEM_TEXTS[conclusion.item]}: {conclusion.explanation}"
        raise_item(writing, equipment, conclusion.item, submission, words, evidence_id)
    if conclusion.understood:
        for kind in (ItemKind.UNKNOWN_STATUS, ItemKind.QUARANTINE):
            close_items(
                writing, kind, f"order:{submission.order_id}", f"the provider now says {heard.read.status or heard.read.code}"
            )
    if moved.state not in WORKED_ON:
        close_items(writing, ItemKind.UNKNOWN_STATUS, f"overdue:{submission.order_id}", f"it ended: {moved.state}")
    note_reads(writing, [(moved, _next_read(writing, equipment, moved))])
    return moved


def _unless_taken(writing: Writing, submission: Submission, read: OrderRead, conclusion: Conclusion) -> Conclusion:
    """An id of the provider's that belongs to another order of ours proves nothing about this one."""
    bearer = bearers_of(writing.connection, writing.mid, [read.provider_order_id]).get(read.provider_order_id)
    if bearer in {None, submission.order_id}:
        return conclusion
    words = f"the provider's id {read.provider_order_id} belongs to order {bearer!r}"
    return Conclusion(item=ItemKind.CONTRADICTION, explanation=words, understood=False)


def raise_item(
    writing: Writing, equipment: Equipment, kind: ItemKind, submission: Submission, explanation: str, evidence_id: str = ""
) -> None:
    """Open an item about one order; `explanation` is a whole sentence of what is the matter with it."""
    open_item(
        writing,
        kind,
        f"order:{submission.order_id}",
        explanation,
        due_business_days=equipment.settings.review.due_business_days,
        evidence_id=evidence_id,
    )


def _facts(writing: Writing, submission: Submission) -> Facts:
    return Facts(
        order_id=submission.order_id,
        provider_order_id=submission.provider_order_id,
        state=submission.state,
        amount_minor=submission.amount_minor,
        currency=submission.currency,
        is_past_expiry=writing.now >= submission.expires_at,
        was_called_expired=bool(submission.expired_hint),
    )


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
        detail = {**news, "recovered_minor": submission.amount_minor} if to is State.COMPLETED else news
        first = {"handed_over_date": writing.run.business_date} if to is State.PENDING and not submission.handed_over_date else {}
        move = Move(
            submission, to, heard.source, conclusion.reason, evidence_id, detail=detail, changes={**changes, **first}, shows=True
        )
        (submission,) = move_orders(writing, [move])
    if not conclusion.path and conclusion.understood and submission.provider_status != said[:64]:
        is_ours = submission.state not in RELEASED  # a released row is the merchant's, and shows our last word no more
        words = f"the provider says {said}"
        move = Move(submission, None, heard.source, words, evidence_id, "learnt", news, changes, shows=is_ours)
        (submission,) = move_orders(writing, [move])
    return submission


def _next_read(writing: Writing, equipment: Equipment, submission: Submission) -> str:
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
