"""A day's comparisons as finance's file shows them: the last one with the provider's whole list, and the last settlement."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, collate, or_, select

from batch.comparison_rows import ComparedOrder
from schemas.ledger_tables import comparison, comparison_row, run

_LAST = (
    select(comparison.c.comparison_id)
    .join(run, and_(run.c.mid == comparison.c.mid, run.c.run_id == comparison.c.comparison_id))
    .where(comparison.c.mid == bindparam("mid"), comparison.c.business_date == bindparam("business_date"))
    .order_by(comparison.c.is_whole.desc(), run.c.fencing_token.desc())
    .limit(1)
)
_LAST_SETTLED = (
    select(comparison.c.comparison_id)
    .join(run, and_(run.c.mid == comparison.c.mid, run.c.run_id == comparison.c.comparison_id))
    .where(comparison.c.mid == bindparam("mid"), comparison.c.business_date == bindparam("business_date"))
    .where(comparison.c.is_settled == 1)
    .order_by(run.c.fencing_token.desc())
    .limit(1)
)


def compared_orders(connection: Connection, mid: str, business_date: str) -> Iterator[ComparedOrder]:
    """Every order of a date's comparisons, sorted by site, currency and order id, byte by byte.

    A comparison without the provider's whole list stands only where the date has no other; of settlements the last one counts,
    whatever was compared after it without one.
    """
    asked = {"mid": mid, "business_date": business_date}
    main, settled = (connection.execute(each, asked).scalar_one_or_none() or "" for each in (_LAST, _LAST_SETTLED))
    if not main and not settled:
        return
    rows = connection.execute(_rows(connection.dialect.name), {"mid": mid, "main": main, "settled": settled})
    for row in rows:
        yield ComparedOrder(**{name: getattr(row, name) for name in ComparedOrder.__dataclass_fields__})


def _rows(dialect: str) -> Select[Any]:
    names = [name for name in ComparedOrder.__dataclass_fields__ if name != "compared_at"]
    key = (comparison_row.c.site, comparison_row.c.currency, comparison_row.c.order_id)
    in_order = [collate(column, "C") if dialect == "postgresql" else column for column in key]
    of_main = and_(comparison_row.c.comparison_id == bindparam("main"), comparison_row.c.is_settlement == 0)
    of_settled = and_(comparison_row.c.comparison_id == bindparam("settled"), comparison_row.c.is_settlement == 1)
    return (
        select(*(comparison_row.c[name] for name in names), comparison.c.compared_at)
        .join(
            comparison,
            and_(comparison.c.mid == comparison_row.c.mid, comparison.c.comparison_id == comparison_row.c.comparison_id),
        )
        .where(comparison_row.c.mid == bindparam("mid"), or_(of_main, of_settled))
        .order_by(*in_order, comparison_row.c.is_settlement, comparison_row.c.number)
        .execution_options(yield_per=2000)
    )
