"""Counts in the ledger: kept by business date and as sums over all dates, so that looking at them costs the same for ever."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from schemas.figure_tables import TOTAL, figure

_OF_DATE = select(figure.c.name, figure.c.labels, figure.c.value).where(
    figure.c.mid == bindparam("mid"), figure.c.business_date == bindparam("business_date")
)
_SINCE = select(figure.c.business_date, figure.c.name, figure.c.labels, figure.c.value).where(
    figure.c.mid == bindparam("mid"),
    figure.c.business_date >= bindparam("since"),
    figure.c.business_date != TOTAL,
    figure.c.name.in_(bindparam("names", expanding=True)),
)
_NEW = insert(figure)
_ONE = update(figure).where(
    figure.c.mid == bindparam("w_mid"),
    figure.c.business_date == bindparam("w_date"),
    figure.c.name == bindparam("w_name"),
    figure.c.labels == bindparam("w_labels"),
)
_ADD = _ONE.values(value=figure.c.value + bindparam("v_more"))
_SET = _ONE.values(value=bindparam("v_value"))

Counted = Mapping[tuple[str, str], int]
"""Counts by name and labels (a JSON list of texts)."""


def raise_figures(connection: Connection, mid: str, business_date: str, counted: Counted) -> None:
    """Keep what was counted of a date anew. A count only ever grows: what was counted before and is not seen again stays.

    The same counts again change nothing, so a date may be counted as often as anybody likes.
    """
    before = figures_of(connection, mid, business_date)
    _grow(connection, mid, business_date, {key: most - before.get(key, 0) for key, most in counted.items()}, before)


def add_figures(connection: Connection, mid: str, business_date: str, counted: Counted) -> None:
    """Add what was counted since the last time, in the transaction that makes sure that it is not added twice."""
    _grow(connection, mid, business_date, counted, figures_of(connection, mid, business_date))


def set_figures(connection: Connection, mid: str, states: Counted) -> None:
    """Keep how something stands now, in place of how it stood. It belongs to no date."""
    before = figures_of(connection, mid, TOTAL)
    changed = [(key, value) for key, value in states.items() if before.get(key) not in {None, value}]
    _execute(connection, _SET, [{**_where(mid, TOTAL, key), "v_value": value} for key, value in changed])
    _execute(connection, _NEW, [_row(mid, TOTAL, key, value) for key, value in states.items() if key not in before])


def figures_of(connection: Connection, mid: str, business_date: str = TOTAL) -> dict[tuple[str, str], int]:
    """The counts of one date; without one, the sums over all dates and how things stand."""
    rows = connection.execute(_OF_DATE, {"mid": mid, "business_date": business_date})
    return {(row.name, row.labels): int(row.value) for row in rows}


def figures_since(connection: Connection, mid: str, since: str, names: Iterable[str]) -> list[tuple[str, str, str, int]]:
    """Counts of these names by date, name and labels, from a date on."""
    rows = connection.execute(_SINCE, {"mid": mid, "since": since, "names": list(names)})
    return [(row.business_date, row.name, row.labels, int(row.value)) for row in rows]


def _grow(connection: Connection, mid: str, business_date: str, more: Counted, before: Counted) -> None:
    grown = {key: value for key, value in more.items() if value > 0}
    if not grown:
        return
    for date, known in ((business_date, before), (TOTAL, figures_of(connection, mid))):
        _execute(connection, _ADD, [{**_where(mid, date, key), "v_more": value} for key, value in grown.items() if key in known])
        _execute(connection, _NEW, [_row(mid, date, key, value) for key, value in grown.items() if key not in known])


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401 - an insert or an update
    if rows:
        connection.execute(statement, rows)


def _where(mid: str, date: str, key: tuple[str, str]) -> dict[str, Any]:
    return {"w_mid": mid, "w_date": date, "w_name": key[0], "w_labels": key[1]}


def _row(mid: str, date: str, key: tuple[str, str], value: int) -> dict[str, Any]:
    return {"mid": mid, "business_date": date, "name": key[0], "labels": key[1], "value": value}
