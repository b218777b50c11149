"""Items as of a business date, with what the ledger knew by then of the order, file or request that each is about."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from batch import history_statements
from batch.book_entries import Event
from batch.history_rows import event_entry
from batch.ledger.calls import kinds_of_groups
from batch.review_rows import Concern, Matter, by_key, known_by
from schemas.comparison_tables import comparison, comparison_row
from schemas.ledger_tables import decision, item, operation, submission
from schemas.reasons import ABOUT_ORDERS, ItemKind

_CHUNK = 500
_OF_ORDERS = frozenset({"order", *ABOUT_ORDERS})

_ITEMS = select(item).where(
    item.c.mid == bindparam("mid"),
    item.c.opened_date <= bindparam("business_date"),
    or_(
        item.c.closed_at.is_(None),
        item.c.closed_date >= bindparam("business_date"),
        item.c.opened_date == bindparam("business_date"),
        and_(item.c.closed_date.is_(None), item.c.closed_at >= bindparam("start")),
    ),
)
_REQUESTS = select(operation.c.operation_id.label("key"), operation.c.order_id, operation.c.amount_minor).where(
    operation.c.mid == bindparam("mid"), operation.c.operation_id.in_(bindparam("keys", expanding=True))
)
_CLAIMS = (
    select(submission.c.order_id.label("key"), submission.c.site, submission.c.currency, submission.c.amount_minor)
    .where(submission.c.mid == bindparam("mid"), submission.c.order_id.in_(bindparam("keys", expanding=True)))
    .where(submission.c.business_date <= bindparam("business_date"))
    .order_by(submission.c.attempt)
)
_VERDICTS = (
    select(decision.c.order_id.label("key"), decision.c.site, decision.c.currency, decision.c.amount_minor)
    .where(decision.c.mid == bindparam("mid"), decision.c.order_id.in_(bindparam("keys", expanding=True)))
    .where(decision.c.business_date <= bindparam("business_date"))
    .order_by(decision.c.business_date)
)

_DIFFERENCES = (
    select(
        comparison_row.c.order_id,
        comparison_row.c.comparison_id,
        comparison_row.c.is_settlement,
        comparison_row.c.difference_minor,
    )
    .join(comparison, (comparison.c.mid == comparison_row.c.mid) & (comparison.c.comparison_id == comparison_row.c.comparison_id))
    .where(comparison_row.c.mid == bindparam("mid"), comparison_row.c.comparison_id.in_(bindparam("run_ids", expanding=True)))
    .where(comparison_row.c.order_id.in_(bindparam("keys", expanding=True)))
)
_PAGES = {"reconcile": 0, "settlement": 1}
"""What the subjects of items about a difference begin with, and whether its row is one of a settlement."""


def matters(connection: Connection, mid: str, business_date: str, start: str) -> Iterator[Matter]:
    """Every item that was open at the end of a date, or closed during it, sorted as finance's files are.

    `start` is the date's first moment in UTC. All items of a date are held at once: it is people who work them off.
    """
    asked = {"mid": mid, "business_date": business_date, "start": start}
    rows = connection.execute(_ITEMS, asked).all()
    found: list[Matter] = []
    for first in range(0, len(rows), _CHUNK):
        found += _with_their_past(connection, asked, rows[first : first + _CHUNK])
    return iter(sorted(found, key=by_key))


def _with_their_past(connection: Connection, asked: dict[str, str], rows: Iterable[Any]) -> Iterator[Matter]:
    parts = {row.subject: row.subject.partition(":") for row in rows}
    named = {subject: name for subject, (kind, _, name) in parts.items() if kind in _OF_ORDERS}
    requested = [name for kind, _, name in parts.values() if kind == "operation"]
    requests = _by_key(connection, _REQUESTS, asked, requested)
    named |= {f"operation:{key}": row.order_id for key, row in requests.items()}
    order_ids = sorted(set(named.values()))
    known = _by_key(connection, _VERDICTS, asked, order_ids) | _by_key(connection, _CLAIMS, asked, order_ids)
    chains = _chains(connection, asked, {*parts, *(f"order:{order_id}" for order_id in order_ids)})
    amounts = _differences(connection, asked, rows)
    calls = kinds_of_groups(connection, asked["mid"]) if any(kind == "batch" for kind, _, _ in parts.values()) else {}
    for row in rows:
        kind, _, name = parts[row.subject]
        order_id = named.get(row.subject, "")
        of_order = chains.get(f"order:{order_id}", ())
        order, request = known.get(order_id), requests.get(name) if kind == "operation" else None
        concern = Concern(order_id)
        if order is not None:
            at_risk = request.amount_minor if request is not None else amounts.get(row.item_id) or order.amount_minor
            concern = Concern(order_id, order.site, order.currency, order.amount_minor, at_risk)
        yield Matter(
            item_id=row.item_id,
            kind=ItemKind(row.kind),
            subject=row.subject,
            opened_at=row.opened_at,
            opened_date=row.opened_date,
            due_date=row.due_date,
            explanation=row.explanation,
            closed_at=row.closed_at or "",
            closed_date=row.closed_date or "",
            closed_by=row.closed_by or "",
            resolution=row.resolution or "",
            resolution_reason=row.resolution_reason or "",
            concern=concern,
            own=of_order if kind in _OF_ORDERS else chains.get(row.subject, ()),
            of_order=of_order,
            call_kind=calls.get(name, "") if kind == "batch" else "",
        )


def _differences(connection: Connection, asked: dict[str, str], rows: Iterable[Any]) -> dict[str, int]:
    """By item: how far apart an amount is in two books, as the comparison has it that opened the item and came to its end."""
    due = [row for row in rows if row.kind == ItemKind.AMOUNT_DIFFERS and row.subject.partition(":")[0] in _PAGES]
    if not due:
        return {}
    named = {row.item_id: row.subject.partition(":") for row in due}
    keys = {"run_ids": sorted({row.opened_run for row in due}), "keys": sorted({name for _, _, name in named.values()})}
    found = {
        (row.comparison_id, row.order_id, row.is_settlement): abs(row.difference_minor or 0)
        for row in connection.execute(_DIFFERENCES, {**asked, **keys})
    }
    wanted = {row.item_id: (row.opened_run, named[row.item_id][2], _PAGES[named[row.item_id][0]]) for row in due}
    return {item_id: found.get(key, 0) for item_id, key in wanted.items()}


def _by_key(connection: Connection, statement: Select[Any], asked: dict[str, str], keys: list[str]) -> dict[str, Any]:
    """The last row of each key; nothing is asked about nothing."""
    return {row.key: row for row in connection.execute(statement, {**asked, "keys": keys})} if keys else {}


def _chains(connection: Connection, asked: dict[str, str], subjects: set[str]) -> dict[str, tuple[Event, ...]]:
    found: dict[str, list[Event]] = {}
    for row in connection.execute(history_statements.chains(), {**asked, "subjects": sorted(subjects)}):
        found.setdefault(row.subject, []).append(event_entry(row))
    return {subject: known_by(events) for subject, events in found.items()}
