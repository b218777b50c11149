"""Hints that an order may have news: they make it due for a read, and nothing else (CONTRACT 14)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from batch.ledger.reading import bearers_of
from batch.ledger.records import Submission
from batch.ledger.transaction import Writing
from batch.pace import from_utc_text, utc_text
from schemas.ledger_tables import early_news, evidence, submission

_SECOND = timedelta(seconds=1)

_FIND = (
    select(
        submission.c.order_id,
        submission.c.attempt,
        submission.c.expired_hint,
        submission.c.provider_order_id,
        submission.c.next_read_at,
        submission.c.claimed_at,
    )
    .where(submission.c.mid == bindparam("mid"), submission.c.order_id == bindparam("order_id"))
    .order_by(submission.c.attempt.desc())
    .limit(1)
    .with_for_update()
)
_MAKE_DUE = (
    update(submission)
    .where(submission.c.mid == bindparam("w_mid"), submission.c.order_id == bindparam("w_order_id"))
    .where(submission.c.attempt == bindparam("w_attempt"))
    .values(next_read_at=bindparam("v_next_read_at"), expired_hint=bindparam("v_expired_hint"))
)
_NAMED = select(early_news.c.provider_order_id).where(
    early_news.c.mid == bindparam("mid"),
    early_news.c.provider_order_id.in_(bindparam("provider_order_ids", expanding=True)),
    early_news.c.evidence_id == bindparam("evidence_id"),
)
_EARLY = (
    select(evidence.c.evidence_id)
    .where(
        evidence.c.mid == bindparam("mid"),
        evidence.c.evidence_id.in_(
            select(early_news.c.evidence_id).where(
                early_news.c.mid == bindparam("mid"),
                early_news.c.provider_order_id.in_(bindparam("provider_order_ids", expanding=True)),
            )
        ),
    )
    .order_by(evidence.c.received_at, evidence.c.evidence_id)
)
_EARLY_OF_SOURCE = _EARLY.where(evidence.c.source == bindparam("source"))
_CONTENTS = (
    select(evidence.c.evidence_id, evidence.c.source, evidence.c.content)
    .where(evidence.c.mid == bindparam("mid"), evidence.c.evidence_id.in_(bindparam("evidence_ids", expanding=True)))
    .order_by(evidence.c.received_at, evidence.c.evidence_id)
)
_CONTENTS_AT_A_TIME = 16
"""So many pieces of evidence are in memory at once, however many name an order."""


def make_due(writing: Writing, *, provider_order_id: str, order_id: str, called_expired: bool) -> str:
    """Make the order that a hint names due at once, and remember if it was called expired.

    It is looked up by the provider's id where we know that, else by ours; both must fit where both are given. A hint
    teaches no id: an order whose id at the provider we do not know is searched for by ours. Returns our id of the order,
    empty when it is no order of ours.
    """
    found = _found(writing, provider_order_id, order_id)
    if found is None:
        return ""
    one = {"w_mid": writing.mid, "w_order_id": found.order_id, "w_attempt": found.attempt}
    due = {"v_next_read_at": _due(found.claimed_at, found.next_read_at or "")}
    writing.connection.execute(_MAKE_DUE, {**one, **due, "v_expired_hint": 1 if called_expired else found.expired_hint})
    return str(found.order_id)


def is_ours(writing: Writing, *, provider_order_id: str, order_id: str) -> bool:
    """Whether a hint names an order of ours, as `make_due` sees it; nothing is changed."""
    return _found(writing, provider_order_id, order_id) is not None


def _found(writing: Writing, provider_order_id: str, order_id: str) -> Any:  # noqa: ANN401 - a row of several types
    known = [provider_order_id] if provider_order_id else []
    bearer = bearers_of(writing.connection, writing.mid, known).get(provider_order_id, "") if known else ""
    if bearer and order_id and bearer != order_id:
        return None
    found = writing.connection.execute(_FIND, {"mid": writing.mid, "order_id": bearer or order_id}).one_or_none()
    if found is None or (provider_order_id and found.provider_order_id not in {None, provider_order_id}):
        return None
    return found


def is_hinted(order: Submission) -> bool:
    """Whether an order is due because of a hint: since its claim or longer, as no pace would have it."""
    return "" < order.next_read_at <= order.claimed_at


def hints_so_far(order: Submission) -> int:
    """How many hints have made an order due since it was last asked about; 0 for one that is due at its pace, or never."""
    if not is_hinted(order):
        return 0
    earlier = from_utc_text(order.claimed_at) - from_utc_text(order.next_read_at)
    return 1 + earlier // _SECOND


def is_unproven(writing: Writing, *, provider_order_id: str, order_id: str) -> bool:
    """Whether a hint names an order of ours together with an id of the provider's, while we know no id of that order yet.

    Then nobody can say whether the two belong together. Such a hint makes the order due, and more follows from it only
    when the order's id is learnt.
    """
    if not provider_order_id or bearers_of(writing.connection, writing.mid, [provider_order_id]):
        return False
    found = writing.connection.execute(_FIND, {"mid": writing.mid, "order_id": order_id}).one_or_none()
    return found is not None and found.provider_order_id is None


def _due(claimed_at: str, was_due: str) -> str:
    """The moment of the claim, or one before an order that a hint has made due already: never what stood there.

    Whoever asked on an older hint, and writes down when to ask again, sees by it that another hint has come since.
    """
    return claimed_at if not was_due or was_due > claimed_at else utc_text(from_utc_text(was_due) - _SECOND)


_NEW = insert(early_news)
_NAMES_AT_A_TIME = 500


def keep_early_news(writing: Writing, provider_order_ids: Iterable[str], evidence_id: str) -> None:
    """Remember which evidence names ids of the provider's that we do not know yet."""
    named = sorted(set(provider_order_ids))
    for start in range(0, len(named), _NAMES_AT_A_TIME):
        some = named[start : start + _NAMES_AT_A_TIME]
        about = {"mid": writing.mid, "provider_order_ids": some, "evidence_id": evidence_id}
        known = set(writing.connection.execute(_NAMED, about).scalars())
        rows = [{"mid": writing.mid, "provider_order_id": each, "evidence_id": evidence_id} for each in some if each not in known]
        if rows:
            writing.connection.execute(_NEW, rows)


def early_evidence(writing: Writing, provider_order_ids: Sequence[str], *, source: str = "") -> Iterator[tuple[str, str, bytes]]:
    """Evidence that named one of these ids before we knew it: its id, where it came from, its raw content; oldest first.

    Of all sources, or of one. What comes while it is gone through is not among it.
    """
    about = {"mid": writing.mid, "provider_order_ids": list(provider_order_ids), **({"source": source} if source else {})}
    found = list(writing.connection.execute(_EARLY_OF_SOURCE if source else _EARLY, about).scalars())
    for start in range(0, len(found), _CONTENTS_AT_A_TIME):
        some = {"mid": writing.mid, "evidence_ids": found[start : start + _CONTENTS_AT_A_TIME]}
        for row in writing.connection.execute(_CONTENTS, some).all():
            yield row.evidence_id, row.source, row.content
