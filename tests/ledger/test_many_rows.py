"""Many rows at a time reach the driver just as SQLAlchemy would have given them: the same text, the same values in it."""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Insert, Update, bindparam, create_engine, event, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import TypeEngine

from batch.ledger.items import _CLOSE
from batch.ledger.moves import _CHANGEABLE, _NOTE_READ, _update_of
from batch.many_rows import driver_form
from batch.orders_table import AsGiven, orders_table
from batch.row_statements import lifting, placing, showing
from schemas.ledger_tables import decision, metadata, submission
from schemas.ledger_tables import event as event_table
from schemas.order import READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS
from schemas.settings import OrdersSettings

ORDERS = orders_table(OrdersSettings(url="sqlite:///orders.db"), (*READ_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN))
STATEMENTS: dict[str, Insert | Update] = {
    "claim": insert(submission),
    "event": insert(event_table),
    "decision": insert(decision),
    "move": _update_of(_CHANGEABLE),
    "hold": _update_of(("state", "event_seq", "event_hash")),
    "read": _NOTE_READ,
    "close": _CLOSE,
    "place": placing(ORDERS),
    "lift": lifting(ORDERS),
    "show": showing(ORDERS),
}


@pytest.fixture
def engine() -> Engine:
    """A ledger in memory."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


def names_of(statement: Insert | Update) -> list[str]:
    """What a row of this statement names: every column of a new row, every value that is bound when an update runs."""
    if isinstance(statement, Insert):
        return [column.name for column in statement.table.columns if column.server_default is None]
    return [name for name, value in statement.compile().params.items() if value is None]


def given_to_the_driver(connection: Connection, statement: Insert | Update, rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    """The text and the values with which SQLAlchemy would ask the driver; it is not asked in truth."""
    found: list[tuple[Any, Any]] = []

    def stop(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:  # noqa: ANN401
        found.append((text, [tuple(each) for each in values]))
        raise InterruptedError

    event.listen(connection, "before_cursor_execute", stop)
    with pytest.raises(InterruptedError):
        connection.execute(statement, rows)
    event.remove(connection, "before_cursor_execute", stop)
    return found[0]


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_driver_is_asked_the_same(engine: Engine, name: str) -> None:
    """Every statement that a night carries out for many rows, with the values that stand in the statement itself."""
    statement = STATEMENTS[name]
    rows = [
        {column: None if number == place else f"{column} {number}" for place, column in enumerate(names_of(statement))}
        for number in range(3)
    ]
    with engine.connect() as connection:
        for count in (2, 3):
            assert driver_form(statement, engine.dialect, rows[:count]) == given_to_the_driver(
                connection, statement, rows[:count]
            )
        assert driver_form(statement, engine.dialect, rows[:1]) is None
    assert driver_form(statement, postgresql.dialect(), rows) is None  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", sorted({type(c.type) for t in metadata.sorted_tables for c in t.c} | {AsGiven}, key=str))
def test_no_column_wants_its_values_made_into_something_else(engine: Engine, kind: type[TypeEngine[Any]]) -> None:
    """Values go to the driver as they are: a type that has SQLAlchemy change them first could not be written this way."""
    makes = kind().dialect_impl(engine.dialect).bind_processor(engine.dialect)
    assert makes is None or kind.__name__ == "LargeBinary"


def test_the_number_of_rows_and_refusals_come_back(engine: Engine) -> None:
    """How many rows an update met is known, and a constraint's refusal comes as it always did."""
    row = dict.fromkeys(names_of(STATEMENTS["event"]), "1")
    rows = [{**row, "seq": number} for number in range(1, 4)]
    update = event_table.update().where(event_table.c.seq == bindparam("w_seq")).values(reason=bindparam("v_reason"))
    first = driver_form(STATEMENTS["event"], engine.dialect, rows)
    changed = driver_form(update, engine.dialect, [{"w_seq": number, "v_reason": "b"} for number in (1, 2, 9)])
    assert first is not None
    assert changed is not None
    with engine.begin() as connection:
        connection.exec_driver_sql(*first)
        assert connection.exec_driver_sql(*changed).rowcount == 2
        with pytest.raises(IntegrityError):
            connection.exec_driver_sql(*first)
