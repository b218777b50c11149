"""Statements on a short way: what SQLAlchemy makes of one the first time is kept, and then the driver is asked straight.

The text, the values, the transaction, the errors and the rows are SQLAlchemy's own; only work that comes to the same each
time is left out. A statement that is not plain in any way takes the long way, every time. `traces --plainly` lets all
statements take it: T13 asks that a seed gives the same bytes both ways.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from weakref import ref

from sqlalchemy import Connection, Executable
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import ExecuteStyle
from sqlalchemy.engine.result import IteratorResult, ResultMetaData, SimpleResultMetaData
from sqlalchemy.engine.util import TransactionalContext
from sqlalchemy.sql.compiler import SQLCompiler

is_plain = [False]
"""Whether every statement takes the long way."""

Given = Mapping[str, Any]
_Shape = tuple[object, ...]
_SINGLE = frozenset({str, int, float, bool, bytes, type(None)})
_OF_STREAMS = {"yield_per", "stream_results", "max_row_buffer"}
"""Rows that are fetched in portions are fetched at once here."""
_NOTHING: dict[str, Any] = {}
_NO_ROWS = SimpleResultMetaData([])


class Found(IteratorResult[Any]):
    """What a statement came to: the rows that it found, or how many it changed."""

    def __init__(self, metadata: ResultMetaData, rows: Iterator[Any], rowcount: int) -> None:
        super().__init__(metadata, rows)
        self.rowcount = rowcount


@dataclass(frozen=True, slots=True)
class Way:
    """A statement as the driver takes it: its text, the values that stand in it, and where each that is given belongs."""

    text: str
    constants: dict[str, Any]
    lists: tuple[tuple[str, tuple[str, ...]], ...]
    in_order: Callable[[Given], tuple[Any, ...]]
    processors: tuple[tuple[str, Callable[[Any], Any]], ...]
    metadata: ResultMetaData | None

    def arguments(self, given: Given) -> tuple[Any, ...]:
        """What is given, in the order of the text's question marks."""
        values = {**self.constants, **given}
        for name, places in self.lists:
            values.update(zip(places, given[name], strict=True))
        for name, processor in self.processors:
            values[name] = processor(values[name])
        return self.in_order(values)


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of one statement, by the shape of its values. They hang on it; one that is made of it bears them as well."""

    statement: ref[Executable]
    by_shape: dict[_Shape, Way | None]


def ways_of(statement: Executable) -> dict[_Shape, Way | None]:
    """The ways that were found for this very statement so far."""
    found: Ways | None = statement.__dict__.get("_short_ways")
    if found is None or found.statement() is not statement:
        found = statement.__dict__["_short_ways"] = Ways(ref(statement), {})
    return found.by_shape


class ShortConnection(Connection):
    """A connection on which a statement that was executed before takes the short way."""

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:  # noqa: ANN401
        """The same as SQLAlchemy's own."""
        if is_plain[0] or execution_options or self._execution_options:
            return super().execute(statement, parameters, execution_options=execution_options)
        many = isinstance(parameters, list) and len(parameters) > 1
        first = (parameters[0] if isinstance(parameters, list) and parameters else parameters) or _NOTHING
        shape = _shape_of(first, many=many)
        ways = ways_of(statement)
        if (way := ways.get(shape)) is not None:
            return self._go(way, parameters if many else first, many=many)
        result = super().execute(statement, parameters)
        if shape not in ways:
            ways[shape] = _way_of(result.context, first, None if not result.returns_rows else result._metadata)
        return result

    def _go(self, way: Way, given: Any, *, many: bool) -> Found:  # noqa: ANN401 - the values of one row, or of many
        driver = self._dbapi_connection
        if driver is None:
            driver = self._revalidate_connection()
        if any(each and not each.is_active for each in (self._transaction, self._nested_transaction)):
            self._invalid_transaction()
        elif self._trans_context_manager:
            TransactionalContext._trans_ctx_check(self)
        if self._transaction is None:
            self._autobegin()
        cursor: Any = None
        arguments: Any = ()
        try:
            cursor = driver.cursor()
            if many:
                arguments = [way.arguments(each) for each in given]
                cursor.executemany(way.text, arguments)
            else:
                arguments = way.arguments(given)
                cursor.execute(way.text, arguments)
            rows = () if way.metadata is None else cursor.fetchall()
            count = cursor.rowcount
            cursor.close()
        except BaseException as error:  # noqa: BLE001 - SQLAlchemy says what it is
            self._handle_dbapi_exception(error, way.text, arguments, cursor, None)
        return Found(way.metadata or _NO_ROWS, iter(rows), count)


def _shape_of(given: Given, *, many: bool) -> _Shape:
    """What of the values makes the text: their names, and how long each list is."""
    return (many, *(name if type(value) in _SINGLE else (name, _length(value)) for name, value in given.items()))


def _length(value: object) -> int:
    return -1 if isinstance(value, str | bytes | int) or not isinstance(value, Sequence | frozenset | set) else len(value)


def _way_of(context: DefaultExecutionContext, given: Given, metadata: ResultMetaData | None) -> Way | None:
    """The short way of a statement that has just been executed; none if anything about it is not plain."""
    compiled = context.compiled
    if not isinstance(compiled, SQLCompiler) or not _is_plain(context, compiled):
        return None
    expanded = context._expanded_parameters
    constants: dict[str, Any] = {}
    lists: dict[str, tuple[str, ...]] = {}
    processors: dict[str, Callable[[Any], Any]] = {}
    sources: list[str] = []
    values = iter(context.parameters[0])
    for name in compiled._pre_expanded_positiontup or compiled.positiontup or ():
        places = tuple(expanded.get(name, (name,)))
        now = [next(values) for _ in places]
        key = next((key for key in (compiled.binds[name].key, name) if key in given), None)
        processor = compiled._bind_processors.get(name)
        if key is None:
            constants.update(zip(places, now, strict=True))
            sources += places
        elif name in expanded:
            if processor is not None:
                return None
            lists[key] = places
            sources += places
        else:
            if processor is not None:
                processors[key] = processor  # type: ignore[assignment]
            sources.append(key)
    return Way(context.statement, constants, (*lists.items(),), _picking(sources), (*processors.items(),), metadata)


def _is_plain(context: DefaultExecutionContext, compiled: SQLCompiler) -> bool:
    return (
        context.execution_options.keys() <= _OF_STREAMS
        and context.execute_style in (ExecuteStyle.EXECUTE, ExecuteStyle.EXECUTEMANY)
        and not compiled.literal_execute_params
        and not compiled.insert_prefetch
        and not compiled.update_prefetch
        and not compiled.implicit_returning
        and not any(bind.callable for bind in compiled.bind_names)
    )


def _picking(names: list[str]) -> Callable[[Given], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return (lambda values: (values[names[0]],)) if names else (lambda _values: ())
