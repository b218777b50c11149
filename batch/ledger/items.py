"""Things that need a person: opened once per cause, with the date by which somebody should have looked."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from batch.ledger.transaction import Writing
from batch.pace import due_date
from schemas.ledger_tables import item
from schemas.reasons import ItemKind


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


def open_item(
    writing: Writing, kind: ItemKind, subject: str, explanation: str, *, due_business_days: int, evidence_id: str = ""
) -> bool:
    """Open an item unless the same kind stands open for the same subject. Returns whether it is new."""
    standing = writing.connection.execute(
        select(item.c.item_id).where(
            item.c.mid == writing.mid, item.c.kind == kind.value, item.c.subject == subject, item.c.closed_at.is_(None)
        )
    ).first()
    if standing is not None:
        return False
    count = len(
        writing.connection.execute(
            select(item.c.item_id).where(item.c.mid == writing.mid, item.c.kind == kind.value, item.c.subject == subject)
        ).all()
    )
    item_id = hashlib.sha256(f"{writing.mid}\n{kind}\n{subject}\n{count}".encode()).hexdigest()[:12]
    writing.connection.execute(
        insert(item).values(
            mid=writing.mid,
            item_id=item_id,
            kind=kind.value,
            subject=subject,
            opened_at=writing.now,
            opened_run=writing.run.run_id,
            opened_date=writing.run.business_date,
            due_date=due_date(writing.run.business_date, due_business_days),
            explanation=explanation,
            evidence_id=evidence_id or None,
        )
    )
    return True


def close_items(writing: Writing, kind: ItemKind, subject: str, resolution: str) -> None:
    """Close what stands open of this kind for this subject, because the cause is gone."""
    writing.connection.execute(
        update(item)
        .where(item.c.mid == writing.mid, item.c.kind == kind.value, item.c.subject == subject, item.c.closed_at.is_(None))
        .values(closed_at=writing.now, resolution=resolution)
    )


HOLD_REFUSED = "the order system refused its hold"
"""How an item about a refused hold begins."""


def refused_holds(connection: Connection, mid: str, business_date: str) -> set[str]:
    """Orders whose hold the order system refused on this business date, and which stand open for it."""
    query = select(item.c.subject).where(
        item.c.mid == mid,
        item.c.kind == ItemKind.WRITE_BACK_CONFLICT.value,
        item.c.closed_at.is_(None),
        item.c.explanation.startswith(HOLD_REFUSED),
        item.c.opened_date == business_date,
    )
    return {subject.removeprefix("order:") for subject in connection.execute(query).scalars()}


def open_items(connection: Connection, mid: str) -> list[Item]:
    """All open items, oldest first."""
    rows = connection.execute(
        select(item).where(item.c.mid == mid, item.c.closed_at.is_(None)).order_by(item.c.opened_at, item.c.item_id)
    )
    return [
        Item(row.item_id, ItemKind(row.kind), row.subject, row.opened_at, row.opened_run, row.due_date, row.explanation)
        for row in rows
    ]
