"""Comparisons in the ledger: what is laid down while one is at work, the rows that it found, and the end that seals them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, delete, func, insert, select

from batch.books import FIRST_HASH
from batch.ledger.events import event_row
from batch.ledger.records import Submission
from batch.ledger.transaction import Writing
from schemas.ledger_tables import among, comparison, comparison_row, event, listed_order, run, settled_line, submission
from schemas.states import OPEN

DONE = "done"
"""The one step of a comparison: only one that came to its end is kept."""

ROW_COLUMNS = tuple(column.name for column in comparison_row.columns if column.name not in {"mid", "comparison_id"})
"""What a row of a comparison holds, in the order in which it is sealed."""

SEALED = ("row_count", "rows_digest", "is_whole", "is_settled", "orders")
"""What a comparison says of itself and its event says as well."""

_LATER = submission.alias()
_IS_LATEST = ~(
    select(_LATER.c.attempt)
    .where(_LATER.c.mid == submission.c.mid, _LATER.c.order_id == submission.c.order_id, _LATER.c.attempt > submission.c.attempt)
    .exists()
)
_CLAIM = [submission.c[name] for name in Submission._fields]
_ACTIVE = (
    select(*_CLAIM, submission.c.record_json)
    .where(submission.c.mid == bindparam("mid"), submission.c.order_id > bindparam("after"), _IS_LATEST)
    .where(among(submission.c.state, OPEN) | (submission.c.claimed_at >= bindparam("since")))
    .order_by(submission.c.order_id)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An order's latest claim, with its wire record as it was claimed."""

    submission: Submission
    record: dict[str, Any]


def active_page(connection: Connection, mid: str, *, since: str, after: str, limit: int) -> list[Claimed]:
    """Orders that are open, or were claimed since a moment (UTC text), by order id; `after` is where to go on."""
    rows = connection.execute(_ACTIVE, {"mid": mid, "since": since, "after": after, "limit": limit}).all()
    return [Claimed(Submission.of(row), orjson.loads(row.record_json)) for row in rows]


_COUNT_ACTIVE = select(func.count().label("orders"), func.coalesce(func.min(submission.c.claimed_at), "").label("oldest")).where(
    submission.c.mid == bindparam("mid"),
    among(submission.c.state, OPEN) | (submission.c.claimed_at >= bindparam("since")),
)


def count_active(connection: Connection, mid: str, *, since: str) -> tuple[int, str]:
    """How many claims those are, and when the oldest was made (UTC text)."""
    row = connection.execute(_COUNT_ACTIVE, {"mid": mid, "since": since}).one()
    return row.orders, row.oldest


def clear_workplace(writing: Writing) -> None:
    """Take away what a comparison laid down while it was at work."""
    for table in (listed_order, settled_line):
        writing.connection.execute(delete(table).where(table.c.mid == writing.mid))


def clear_unfinished(writing: Writing) -> None:
    """Take away what a comparison left behind that never came to its end: what it laid down, and its rows."""
    clear_workplace(writing)
    ended = select(comparison.c.comparison_id).where(comparison.c.mid == writing.mid)
    compares = and_(run.c.mid == writing.mid, run.c.job == "reconcile", run.c.run_id.not_in(ended))
    for run_id in list(writing.connection.execute(select(run.c.run_id).where(compares)).scalars()):
        mine = and_(comparison_row.c.mid == writing.mid, comparison_row.c.comparison_id == run_id)
        writing.connection.execute(delete(comparison_row).where(mine))


_NEW_LISTED, _NEW_SETTLED, _NEW_ROW = insert(listed_order), insert(settled_line), insert(comparison_row)
_NEW, _NEW_EVENT = insert(comparison), insert(event)


def lay_down_listed(writing: Writing, rows: Sequence[dict[str, Any]]) -> None:
    """Keep a page of the provider's list until the comparison ends."""
    if rows:
        writing.connection.execute(_NEW_LISTED, [{"mid": writing.mid, **row} for row in rows])


def lay_down_settled(writing: Writing, rows: Sequence[dict[str, Any]]) -> None:
    """Keep lines of the settlement until the comparison ends."""
    if rows:
        writing.connection.execute(_NEW_SETTLED, [{"mid": writing.mid, **row} for row in rows])


def _of_mine(table: Any, column: str) -> Select[Any]:  # noqa: ANN401 - a table
    return select(table).where(table.c.mid == bindparam("mid"), table.c[column].in_(bindparam("keys", expanding=True)))


_LISTED_BY_THEIRS, _LISTED_BY_OURS = _of_mine(listed_order, "provider_order_id"), _of_mine(listed_order, "order_id")
_SETTLED_BY_OURS = _of_mine(settled_line, "order_id").order_by(settled_line.c.number)


def listed_of(connection: Connection, mid: str, orders: Sequence[Submission]) -> list[Row[Any]]:
    """What the list shows under the provider's id of these orders, or under our own."""
    theirs = [each.provider_order_id for each in orders if each.provider_order_id]
    ours = [each.order_id for each in orders]
    found = [*connection.execute(_LISTED_BY_OURS, {"mid": mid, "keys": ours})]
    if theirs:
        found += connection.execute(_LISTED_BY_THEIRS, {"mid": mid, "keys": theirs})
    return list({row.number: row for row in found}.values())


_LISTED_IDS = select(listed_order.c.order_id).where(
    listed_order.c.mid == bindparam("mid"), listed_order.c.order_id.in_(bindparam("keys", expanding=True))
)


def listed_among(connection: Connection, mid: str, order_ids: Sequence[str]) -> set[str]:
    """Those of these orders that the list shows under our id."""
    return set(connection.execute(_LISTED_IDS, {"mid": mid, "keys": order_ids}).scalars()) if order_ids else set()


_KNOWN: ColumnElement[bool] = (
    select(submission.c.order_id).where(
        submission.c.mid == listed_order.c.mid,
        (submission.c.provider_order_id == listed_order.c.provider_order_id),
    )
).exists() | (
    select(submission.c.order_id)
    .where(submission.c.mid == listed_order.c.mid, submission.c.order_id == listed_order.c.order_id)
    .exists()
)
_STRANGERS = (
    select(listed_order)
    .where(listed_order.c.mid == bindparam("mid"), listed_order.c.number > bindparam("after"), ~_KNOWN)
    .order_by(listed_order.c.number)
    .limit(bindparam("limit"))
)


def strangers_page(connection: Connection, mid: str, *, after: int, limit: int) -> list[Row[Any]]:
    """What the list shows and the ledger knows neither by the provider's id nor by our own."""
    return list(connection.execute(_STRANGERS, {"mid": mid, "after": after, "limit": limit}))


_SETTLED_PAGE = (
    select(settled_line.c.order_id)
    .where(settled_line.c.mid == bindparam("mid"), settled_line.c.order_id > bindparam("after"))
    .distinct()
    .order_by(settled_line.c.order_id)
    .limit(bindparam("limit"))
)


def settled_page(connection: Connection, mid: str, *, after: str, limit: int) -> list[str]:
    """Our ids of orders that the settlement names, sorted; `after` is where to go on."""
    return list(connection.execute(_SETTLED_PAGE, {"mid": mid, "after": after, "limit": limit}).scalars())


def settled_of(connection: Connection, mid: str, order_ids: Sequence[str]) -> list[Row[Any]]:
    """The lines of the settlement about these orders."""
    return list(connection.execute(_SETTLED_BY_OURS, {"mid": mid, "keys": order_ids}))


_LATEST_OF = select(*_CLAIM).where(
    submission.c.mid == bindparam("mid"), submission.c.order_id.in_(bindparam("keys", expanding=True)), _IS_LATEST
)


def latest_claims(connection: Connection, mid: str, order_ids: Sequence[str]) -> dict[str, Submission]:
    """The latest claim of each of these orders."""
    rows = connection.execute(_LATEST_OF, {"mid": mid, "keys": order_ids}).all()
    return {row.order_id: Submission.of(row) for row in rows}


def add_rows(writing: Writing, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of the comparison at work; they count once it has come to its end."""
    if rows:
        mine = {"mid": writing.mid, "comparison_id": writing.run.run_id}
        writing.connection.execute(_NEW_ROW, [{**mine, **row} for row in rows])


_ROWS = (
    select(*(comparison_row.c[name] for name in ROW_COLUMNS))
    .where(comparison_row.c.mid == bindparam("mid"), comparison_row.c.comparison_id == bindparam("comparison_id"))
    .order_by(comparison_row.c.number)
    .execution_options(yield_per=2000)
)


def rows_digest(connection: Connection, mid: str, comparison_id: str) -> tuple[int, str]:
    """How many rows a comparison has, and one digest (hex) over all of them."""
    rows: Iterable[Any] = connection.execute(_ROWS, {"mid": mid, "comparison_id": comparison_id})
    digest, count = hashlib.sha256(), 0
    for row in rows:
        digest.update(orjson.dumps(list(row)) + b"\n")
        count += 1
    return count, digest.hexdigest()


def end_comparison(writing: Writing, *, is_whole: bool, is_settled: bool, orders: int, found: dict[str, object]) -> None:
    """Seal the comparison at work with an event of a chain of its own, and clear its place of work, in one transaction.

    `found` is what the event says besides: the figures that people are shown.
    """
    comparison_id = writing.run.run_id
    count, digest = rows_digest(writing.connection, writing.mid, comparison_id)
    facts = {
        "is_whole": int(is_whole),
        "is_settled": int(is_settled),
        "orders": orders,
        "row_count": count,
        "rows_digest": digest,
    }
    row = event_row(
        writing,
        subject=f"comparison:{comparison_id}",
        seq=1,
        previous_hash=FIRST_HASH,
        previous_date="",
        kind="comparison",
        from_state=None,
        to_state=DONE,
        source="reconcile",
        reason="the books were compared",
        detail={**found, **facts},
    )
    writing.connection.execute(_NEW_EVENT, [row])
    dated = {"business_date": row["business_date"], "compared_at": writing.now, "step": DONE}
    sealed = {"event_seq": 1, "event_hash": row["hash"], "event_date": row["business_date"]}
    writing.connection.execute(_NEW, {"mid": writing.mid, "comparison_id": comparison_id, **facts, **dated, **sealed})
    clear_workplace(writing)
