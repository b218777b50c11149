"""Where all of the ledger's tables are gathered, and the way to say that a column holds one of a few fixed words."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, MetaData, TextClause, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler

metadata = MetaData()

_WHERE = "where"


def partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool] | TextClause, unique: bool = False) -> None:
    """An index of those rows only for which a condition holds.

    SQLAlchemy hears of the condition when a database is told of the index: with it, it loads all that it has for that kind
    of database, which for PostgreSQL takes longer than all of the ledger's tables, and every command starts with these.
    """
    Index(name, *columns, unique=unique).info[_WHERE] = where


@compiles(CreateIndex)
def _with_its_condition(create: CreateIndex, compiler: DDLCompiler, **more: object) -> str:
    index = create.element
    if _WHERE in index.info:
        index.dialect_options[compiler.dialect.name][_WHERE] = index.info[_WHERE]
    return str(compiler.visit_create_index(create, **more))  # type: ignore[no-untyped-call]


def among(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """That a column holds one of these fixed words, each bound by itself: a list would be spelt out at every execution."""
    return column.in_([literal(str(value)) for value in sorted(values)])
