"""Things that need a person: opened once per cause, with the date by which somebody should have looked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, insert, select, update

from batch.ledger.transaction import Writing
from batch.pace import due_date
from schemas.errors import TransitionLost
from schemas.ledger_tables import item
from schemas.reasons import ItemKind

_NEW = insert(item)
_ABOUT = select(item.c.item_id).where(
    item.c.mid == bindparam("mid"), item.c.kind == bindparam("kind"), item.c.subject == bindparam("subject")
)
_STANDING = _ABOUT.where(item.c.closed_at.is_(None))
_WORDS = _STANDING.with_only_columns(item.c.explanation)
MORE_NEWS = "there is more news of it"
"""How an item ends in whose place another of its kind is opened."""
_BOOKED = case((item.c.opened_date > bindparam("v_booked"), item.c.opened_date), else_=bindparam("v_booked"))
"""The date of a closing run, but never one before the item was opened: such a run goes through a past date again."""
_CLOSE = (
    update(item)
    .where(item.c.mid == bindparam("w_mid"), item.c.kind == bindparam("w_kind"), item.c.subject == bindparam("w_subject"))
    .where(item.c.closed_at.is_(None))
    .values(closed_at=bindparam("v_closed_at"), closed_date=_BOOKED, resolution=bindparam("v_resolution"))
)


@dataclass(frozen=True, slots=True)
class Item:
    """One open item. `due_date` is a business date; `opened_run` tells a new item from a standing one."""

    item_id: str
    kind: ItemKind
    subject: str
    opened_at: str
    opened_run: str
    due_date: str
    explanation: str
    evidence_id: str = ""


def open_item(
    writing: Writing, kind: ItemKind, subject: str, explanation: str, *, due_business_days: int, evidence_id: str = ""
) -> bool:
    """Open an item unless the same kind stands open for the same subject. Returns whether it is new."""
    if is_open(writing, kind, subject):
        return False
    about = {"mid": writing.mid, "kind": kind.value, "subject": subject}
    count = len(writing.connection.execute(_ABOUT, about).all())
    item_id = hashlib.sha256(f"{writing.mid}\n{kind}\n{subject}\n{count}".encode()).hexdigest()[:12]
    values = {
        "mid": writing.mid,
        "item_id": item_id,
        "kind": kind.value,
        "subject": subject,
        "opened_at": writing.now,
        "opened_run": writing.run.run_id,
        "opened_date": writing.run.business_date,
        "due_date": due_date(writing.run.business_date, due_business_days),
        "explanation": explanation,
        "evidence_id": evidence_id or None,
    }
    writing.connection.execute(_NEW, values)
    return True


def open_anew(
    writing: Writing, kind: ItemKind, subject: str, explanation: str, *, due_business_days: int, evidence_id: str = ""
) -> bool:
    """Open an item, in place of one of the same kind that stands open for the subject with other words: it is told anew."""
    about = {"mid": writing.mid, "kind": kind.value, "subject": subject}
    if set(writing.connection.execute(_WORDS, about).scalars()) - {explanation}:
        close_items(writing, kind, subject, MORE_NEWS)
    return open_item(writing, kind, subject, explanation, due_business_days=due_business_days, evidence_id=evidence_id)


def is_open(writing: Writing, kind: ItemKind, subject: str) -> bool:
    """Whether an item of this kind stands open for this subject."""
    about = {"mid": writing.mid, "kind": kind.value, "subject": subject}
    return writing.connection.execute(_STANDING, about).first() is not None


def stands_open(connection: Connection, mid: str, kind: ItemKind, subject: str, words: str) -> bool:
    """Whether an item of this kind that says these words stands open for this subject."""
    about = {"mid": mid, "kind": kind.value, "subject": subject}
    return any(words in explanation for explanation in connection.execute(_WORDS, about).scalars())


_OPEN_AMONG = select(item.c.subject).where(
    item.c.mid == bindparam("mid"),
    item.c.kind == bindparam("kind"),
    item.c.subject.in_(bindparam("subjects", expanding=True)),
    item.c.closed_at.is_(None),
)


def open_among(writing: Writing, kind: ItemKind, subjects: Sequence[str]) -> set[str]:
    """Those of these subjects (at most a few hundred) for which an item of this kind stands open."""
    about = {"mid": writing.mid, "kind": kind.value, "subjects": list(subjects)}
    return set(writing.connection.execute(_OPEN_AMONG, about).scalars())


def close_items(writing: Writing, kind: ItemKind, subject: str, resolution: str) -> None:
    """Close what stands open of this kind for this subject, because the cause is gone."""
    close_all(writing, [(kind, subject)], resolution)


def close_all(writing: Writing, about: Sequence[tuple[ItemKind, str]], resolution: str) -> None:
    """Close what stands open of each of these kinds for its subject, in one step."""
    ended = {"v_closed_at": writing.now, "v_booked": writing.run.business_date, "v_resolution": resolution}
    same = {"w_mid": writing.mid, **ended}
    rows = [{**same, "w_kind": kind.value, "w_subject": subject} for kind, subject in about]
    if rows:
        writing.execute_many(_CLOSE, rows)


HOLD_REFUSED = "the order system refused its hold"
"""How an item about a refused hold begins."""

_REFUSED_HOLDS = select(item.c.subject).where(
    item.c.mid == bindparam("mid"),
    item.c.kind == ItemKind.WRITE_BACK_CONFLICT.value,
    item.c.closed_at.is_(None),
    item.c.explanation.startswith(HOLD_REFUSED),
    item.c.opened_date == bindparam("business_date"),
)
_OPEN = select(item).where(item.c.mid == bindparam("mid"), item.c.closed_at.is_(None)).order_by(item.c.opened_at, item.c.item_id)


def refused_holds(connection: Connection, mid: str, business_date: str) -> set[str]:
    """Orders whose hold the order system refused on this business date, and which stand open for it."""
    subjects = connection.execute(_REFUSED_HOLDS, {"mid": mid, "business_date": business_date}).scalars()
    return {subject.removeprefix("order:") for subject in subjects}


def open_items(connection: Connection, mid: str) -> list[Item]:
    """All open items, oldest first."""
    return [
        Item(
            row.item_id,
            ItemKind(row.kind),
            row.subject,
            row.opened_at,
            row.opened_run,
            row.due_date,
            row.explanation,
            row.evidence_id or "",
        )
        for row in connection.execute(_OPEN, {"mid": mid})
    ]


_EVER = select(item.c.subject).where(item.c.mid == bindparam("mid"), item.c.kind == bindparam("kind"))


def ever_told(connection: Connection, mid: str, kind: ItemKind) -> set[str]:
    """What items of this kind are or were about, open and closed ones."""
    return set(connection.execute(_EVER, {"mid": mid, "kind": kind.value}).scalars())


_CLOSE_BY_HAND = (
    update(item)
    .where(item.c.mid == bindparam("w_mid"), item.c.item_id == bindparam("w_item_id"), item.c.closed_at.is_(None))
    .values({name: bindparam(f"v_{name}") for name in ("closed_at", "resolution", "closed_by", "resolution_reason")})
    .values(closed_date=_BOOKED)
)


def close_by_hand(writing: Writing, item_ids: Sequence[str], *, resolution: str, person: str, reason: str) -> None:
    """Close these items because a person decided. Raises TransitionLost when one was closed meanwhile."""
    ended = {"v_closed_at": writing.now, "v_booked": writing.run.business_date}
    values = {**ended, "v_resolution": resolution, "v_closed_by": person, "v_resolution_reason": reason}
    rows = [{"w_mid": writing.mid, "w_item_id": item_id, **values} for item_id in item_ids]
    if rows and writing.connection.execute(_CLOSE_BY_HAND, rows).rowcount != len(rows):
        raise TransitionLost("An item was closed by somebody else meanwhile.")
