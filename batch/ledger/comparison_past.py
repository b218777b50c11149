"""What earlier comparisons found: since when a difference stands, what a person was told of it, and figures to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, select

from schemas.ledger_tables import comparison, comparison_row, event, item, run
from schemas.matches import Match

RECONCILE, SETTLEMENT, CHARGE = "reconcile", "settlement", "charge"
"""What the subjects of a comparison's items begin with: a difference of the books, of a settlement, a charge in-house."""

HOUSE_CHARGE = "house_charge"
"""The kind of the event that stands in an order's chain when it was charged in-house while it was held."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison that came to its end: when, whether the provider's list was whole, and the figures that it found."""

    comparison_id: str
    business_date: str
    compared_at: str
    is_whole: bool
    orders: int
    row_count: int
    found: dict[str, Any]


_LAST = (
    select(comparison, event.c.detail)
    .join(
        event,
        (event.c.mid == comparison.c.mid) & (event.c.subject == "comparison:" + comparison.c.comparison_id) & (event.c.seq == 1),
    )
    .join(run, (run.c.mid == comparison.c.mid) & (run.c.run_id == comparison.c.comparison_id))
    .where(comparison.c.mid == bindparam("mid"))
    .order_by(run.c.fencing_token.desc())
    .limit(1)
)
_LAST_WHOLE = _LAST.where(comparison.c.is_whole == 1)
_LAST_SETTLED = _LAST.where(comparison.c.is_settled == 1)


def last_comparison(connection: Connection, mid: str, *, is_whole: bool = False, is_settled: bool = False) -> Comparison | None:
    """The latest comparison: of all, of those with the provider's whole list, or of those with a settlement."""
    statement = _LAST_SETTLED if is_settled else _LAST_WHOLE if is_whole else _LAST
    row = connection.execute(statement, {"mid": mid}).mappings().one_or_none()
    if row is None:
        return None
    return Comparison(
        comparison_id=row["comparison_id"],
        business_date=row["business_date"],
        compared_at=row["compared_at"],
        is_whole=bool(row["is_whole"]),
        orders=row["orders"],
        row_count=row["row_count"],
        found=orjson.loads(row["detail"]),
    )


_SEEN = select(comparison_row.c.order_id, comparison_row.c.match, comparison_row.c.first_seen_date).where(
    comparison_row.c.mid == bindparam("mid"),
    comparison_row.c.comparison_id == bindparam("comparison_id"),
    comparison_row.c.order_id.in_(bindparam("order_ids", expanding=True)),
    comparison_row.c.is_settlement == bindparam("is_settlement"),
)


def first_seen(
    connection: Connection, mid: str, comparison_id: str, order_ids: Sequence[str], *, is_settlement: bool = False
) -> dict[tuple[str, str], str]:
    """Since which business date each of these orders has differed so, by what an earlier comparison says: by order and match."""
    if not order_ids or not comparison_id:
        return {}
    about = {"mid": mid, "comparison_id": comparison_id, "order_ids": list(order_ids), "is_settlement": int(is_settlement)}
    return {(row.order_id, row.match): row.first_seen_date for row in connection.execute(_SEEN, about)}


_TOLD = select(item.c.subject, item.c.opened_date, item.c.closed_at).where(
    item.c.mid == bindparam("mid"), item.c.subject.in_(bindparam("subjects", expanding=True))
)
_OPEN = select(item.c.kind, item.c.subject).where(
    item.c.mid == bindparam("mid"), item.c.closed_at.is_(None), item.c.subject.startswith(f"{RECONCILE}:", autoescape=True)
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a person was told of one subject: the latest date, and whether an item stands open."""

    opened_date: str
    is_open: bool


def told_of(connection: Connection, mid: str, subjects: Sequence[str]) -> dict[str, Told]:
    """What a person was told of these subjects."""
    found: dict[str, Told] = {}
    if subjects:
        for row in connection.execute(_TOLD, {"mid": mid, "subjects": list(subjects)}):
            was = found.get(row.subject, Told("", is_open=False))
            found[row.subject] = Told(max(was.opened_date, row.opened_date), was.is_open or row.closed_at is None)
    return found


def open_differences(connection: Connection, mid: str) -> dict[str, list[str]]:
    """The kinds of items about differences that stand open, by subject."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(_OPEN, {"mid": mid}):
        found.setdefault(row.subject, []).append(row.kind)
    return found


_BY_MATCH = (
    select(
        comparison_row.c.match,
        comparison_row.c.currency,
        func.count().label("orders"),
        func.coalesce(func.sum(func.abs(comparison_row.c.difference_minor)), 0).label("minor"),
    )
    .where(comparison_row.c.mid == bindparam("mid"), comparison_row.c.comparison_id == bindparam("comparison_id"))
    .where(comparison_row.c.match != Match.EQUAL.value)
    .group_by(comparison_row.c.match, comparison_row.c.currency)
    .order_by(comparison_row.c.match, comparison_row.c.currency)
)


def differences_of(connection: Connection, mid: str, comparison_id: str) -> dict[tuple[str, str], tuple[int, int]]:
    """How many orders differ in a comparison, and by how much together (minor units, without sign): by match and currency."""
    rows = connection.execute(_BY_MATCH, {"mid": mid, "comparison_id": comparison_id})
    return {(row.match, row.currency): (row.orders, int(row.minor)) for row in rows}
