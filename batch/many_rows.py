"""One statement for many rows in the form that a driver takes: SQLAlchemy works out the values of each row anew, by name."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Insert, Update
from sqlalchemy.sql.compiler import SQLCompiler


def driver_form(
    statement: Insert | Update, dialect: Dialect, rows: Sequence[Mapping[str, Any]]
) -> tuple[str, list[tuple[Any, ...]]] | None:
    """SQLAlchemy's own text of a statement, and each row's values in its order; all rows have the same names.

    None for a single row, and for a driver that takes values by name, as PostgreSQL's does: they go the usual way.
    """
    if len(rows) < 2 or not dialect.positional:
        return None
    text, places, constants = _prepared(statement, dialect, tuple(rows[0]))
    in_order = itemgetter(*places)
    return text, [in_order({**constants, **row} if constants else row) for row in rows]


@lru_cache(maxsize=64)
def _prepared(
    statement: Insert | Update, dialect: Dialect, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    """Its text, the name of each value in the order of the text, and the values that stand in the statement itself."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names), for_executemany=True)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - what inserts and updates become
    places = tuple(compiled.positiontup or ())
    return str(compiled), places, {name: value for name, value in compiled.params.items() if name not in names}
