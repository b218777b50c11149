"""Evidence whose time is over: which may be emptied, emptying it, and putting it back when the same is said once more.

A body is emptied only when all that it is about has ended, and nothing can be asked of it any more:

* no `early_news` names it. The program reads a body again in one place alone, `hints.early_evidence`, and that reads what
  `early_news` names: so no decision can meet an emptied body. News that is kept again is said again, and then the body is
  put back first, in the same transaction.
* every order that it is about has ended, and has not moved since the limit: by its subject, by what names it (`mention`),
  by the events that follow from it, by its file. No request about such an order is unsettled, and no item about it open.
* no event younger than the limit follows from it: the same words may have been said of another order later.

Which bodies were emptied stands in the ledger's own chain of events, in the same transaction: an empty body that no such event
names was emptied by somebody else, and `audit verify` says so. The hash of each body stays, and so does its id, which is made
of that hash: whoever has a copy of the answer can prove that it is what was said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    CursorResult,
    and_,
    bindparam,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import ProgrammingError

from batch.ledger.calls import IN_DOUBT, SENDING
from batch.ledger.own_chain import note_of_ledger
from batch.ledger.transaction import Writing
from schemas.errors import ConfigurationError, TransitionLost
from schemas.ledger_tables import (
    IS_KEPT,
    among,
    batch,
    early_news,
    event,
    evidence,
    item,
    mention,
    operation,
    submission,
    transmission,
)
from schemas.operations import UNSETTLED
from schemas.states import TERMINAL, BatchStep

FORGOTTEN = "forgotten"
"""The kind of the event that names what was emptied."""

_MAY_NOT = "42501"
"""PostgreSQL's word for a right that is missing."""

_MID: BindParameter[str] = bindparam("mid")
_ENDED_FILES = (BatchStep.ACKNOWLEDGED, BatchStep.REFUSED, BatchStep.EMPTY)
_OPEN_ITEMS = item.c.mid == _MID, item.c.closed_at.is_(None)
_OPEN_SUBJECTS = select(item.c.subject).where(*_OPEN_ITEMS)
_OPEN_PROOFS = select(item.c.evidence_id).where(*_OPEN_ITEMS, item.c.evidence_id.is_not(None))


def _about(subject: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return subject.startswith(f"{word}:", autoescape=True)


def _key(subject: ColumnElement[str], word: str) -> ColumnElement[str]:
    return func.substr(subject, len(word) + 2)


def _goes_on(order_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an order has not ended, or not for long enough, or something about it is open."""
    its = submission.alias()
    request = operation.alias()
    is_over = and_(among(its.c.state, TERMINAL), its.c.event_date <= bindparam("before_date"))
    return or_(
        exists().where(its.c.mid == _MID, its.c.order_id == order_id, not_(is_over)),
        exists().where(request.c.mid == _MID, request.c.order_id == order_id, among(request.c.step, UNSETTLED)),
        (literal("order:") + order_id).in_(_OPEN_SUBJECTS),
    )


def _request_goes_on(operation_id: ColumnElement[str]) -> ColumnElement[bool]:
    asked = operation.alias()
    return exists().where(asked.c.mid == _MID, asked.c.operation_id == operation_id, _goes_on(asked.c.order_id))


def _file_goes_on(batch_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a file, or a group of calls, still waits for something: itself, one of its orders, or one of its copies."""
    sent, copy = submission.alias(), transmission.alias()
    is_unclear = or_(copy.c.result.is_(None), among(copy.c.result, (SENDING, IN_DOUBT)))
    return or_(
        exists().where(batch.c.mid == _MID, batch.c.batch_id == batch_id, not_(among(batch.c.step, _ENDED_FILES))),
        exists().where(sent.c.mid == _MID, sent.c.batch_id == batch_id, _goes_on(sent.c.order_id)),
        exists().where(copy.c.mid == _MID, copy.c.batch_id == batch_id, is_unclear),
    )


def _of_subject(subject: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(
        and_(_about(subject, "order"), _goes_on(_key(subject, "order"))),
        and_(_about(subject, "operation"), _request_goes_on(_key(subject, "operation"))),
        and_(_about(subject, "batch"), _file_goes_on(_key(subject, "batch"))),
        subject.in_(_OPEN_SUBJECTS),
    )


def _is_needed() -> ColumnElement[bool]:
    its = evidence.c
    follows = event.c.mid == _MID, event.c.evidence_id == its.evidence_id
    return or_(
        exists().where(early_news.c.mid == _MID, early_news.c.evidence_id == its.evidence_id),
        its.evidence_id.in_(_OPEN_PROOFS),
        (literal("evidence:") + its.evidence_id).in_(_OPEN_SUBJECTS),
        _of_subject(its.subject),
        exists().where(mention.c.mid == _MID, mention.c.evidence_id == its.evidence_id, _goes_on(mention.c.order_id)),
        exists().where(*follows, or_(event.c.at >= bindparam("before"), _of_subject(event.c.subject))),
    )


_OLD = and_(evidence.c.mid == _MID, IS_KEPT, evidence.c.received_at < bindparam("before"))
_PAGE = (
    select(evidence.c.evidence_id, evidence.c.received_at, _is_needed().label("is_needed"))
    .where(_OLD, evidence.c.received_at >= bindparam("after_at"))
    .where(or_(evidence.c.received_at > bindparam("after_at"), evidence.c.evidence_id > bindparam("after_id")))
    .order_by(evidence.c.received_at, evidence.c.evidence_id)
    .limit(bindparam("limit"))
)
_STILL = (  # said without `IS_KEPT`: SQLite would go through all that is old, instead of taking these by their ids
    select(evidence.c.evidence_id)
    .where(evidence.c.mid == _MID, func.length(evidence.c.content) > 0, evidence.c.received_at < bindparam("before"))
    .where(evidence.c.evidence_id.in_(bindparam("evidence_ids", expanding=True)), not_(_is_needed()))
    .order_by(evidence.c.evidence_id)
)
_EMPTY = (
    update(evidence)
    .where(evidence.c.mid == bindparam("w_mid"), evidence.c.evidence_id.in_(bindparam("evidence_ids", expanding=True)), IS_KEPT)
    .values(content=b"")
)


@dataclass(frozen=True, slots=True)
class Limit:
    """What came before this moment (UTC text), about orders that ended on this date (YYYY-MM-DD) or sooner, may go."""

    before: str
    before_date: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some old evidence: the ids of what may go, where to go on after, and whether there is no more."""

    evidence_ids: Sequence[str]
    after: tuple[str, str]
    is_last: bool


def old_answers(connection: Connection, mid: str, limit: Limit, *, after: tuple[str, str], most: int) -> Page:
    """The next evidence that is old enough, the oldest first, after a place (time and id); of it what nothing needs any more."""
    values = {"mid": mid, "before": limit.before, "before_date": limit.before_date, "limit": most}
    rows = connection.execute(_PAGE, {**values, "after_at": after[0], "after_id": after[1]}).all()
    place = (rows[-1].received_at, rows[-1].evidence_id) if rows else after
    return Page([row.evidence_id for row in rows if not row.is_needed], place, is_last=len(rows) < most)


def empty_answers(writing: Writing, limit: Limit, evidence_ids: Sequence[str]) -> int:
    """Empty those of these bodies that nothing needs now, and name them in the ledger's own chain. Returns how many."""
    values = {"mid": writing.mid, "before": limit.before, "before_date": limit.before_date, "evidence_ids": list(evidence_ids)}
    going = list(writing.connection.execute(_STILL, values).scalars())
    if not going:
        return 0
    done = _emptied(writing, going)
    if done.rowcount != len(going):
        raise TransitionLost("What the provider said was emptied by somebody else meanwhile; nothing of it was written.")
    note_of_ledger(
        writing,
        kind=FORGOTTEN,
        source="retention",
        reason="what the provider said so long ago was emptied",
        detail={"before": limit.before, "before_date": limit.before_date, "count": len(going), "evidence": going},
    )
    return len(going)


def _emptied(writing: Writing, evidence_ids: Sequence[str]) -> CursorResult[Any]:
    try:
        return writing.connection.execute(_EMPTY, {"w_mid": writing.mid, "evidence_ids": list(evidence_ids)})
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _MAY_NOT:
            raise
        raise ConfigurationError(
            "The ledger's login may not empty what the provider said long ago (UPDATE of content on evidence).",
            now="Nothing was emptied.",
            next_step="Give it the rights that mitbatch help operation lists; a new version may need more than the last.",
        ) from error
