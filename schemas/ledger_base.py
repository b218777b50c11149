"""Where all of the ledger's tables are gathered, and the way to say that a column holds one of a few fixed words."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, MetaData, literal

metadata = MetaData()


def among(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """That a column holds one of these fixed words, each bound by itself: a list would be spelt out at every execution."""
    return column.in_([literal(str(value)) for value in sorted(values)])
