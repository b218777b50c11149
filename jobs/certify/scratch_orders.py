"""The orders of a certification: a table of their own with the merchant's columns, so that no order of the merchant's is touched.

With `orders.admin_url` it lies in the merchant's own database and is dropped at the end; else in a file beside the pack. What
a killed round left of it is dropped by the next one (`unfinished.py`).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from batch.orders_table import OrdersTable
from batch.source import text_of
from jobs.certify.unfinished import DropTable
from jobs.databases import MakeEngine, open_orders
from schemas.errors import MitbatchError, OrdersUnreachable
from schemas.order import INTEGER_COLUMNS, OPTIONAL_COLUMNS, READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS
from schemas.settings import OrdersSettings

_COLUMNS = (*READ_COLUMNS, *OPTIONAL_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN)


@dataclass(frozen=True, slots=True)
class ScratchOrders:
    """The table: `settings` are what the pipeline is given, `where` says in words where it lies."""

    settings: OrdersSettings
    where: str
    engine: Engine
    orders: OrdersTable

    def add(self, *rows: Mapping[str, object]) -> None:
        """Put marked orders into the table; columns that it does not have are left out."""
        with self.engine.connect().execution_options(writing=True) as connection, connection.begin():
            for row in rows:
                values = {name: value for name, value in row.items() if name in self.orders.table.c}
                connection.execute(insert(self.orders.table), values)

    def row(self, order_id: str) -> dict[str, str]:
        """Every cell of one order's row as text, by our names; empty for null."""
        query = select(*(column.label(column.key) for column in self.orders.table.c))
        with self.engine.connect() as connection:
            found = connection.execute(query.where(self.orders.column("order_id") == order_id)).mappings().one()
            return {str(name): text_of(value) or "" for name, value in found.items()}

    def retry_takes(self, order_id: str) -> bool:
        """What the merchant's own retry job would do: its one statement tries to take the order. Whether it got it."""
        column = self.orders.column
        statement = update(self.orders.table).where(column("order_id") == order_id, self.orders.retryable())
        with self.engine.connect().execution_options(writing=True) as connection, connection.begin():
            return connection.execute(statement.values({column(RETRY_COLUMN): "in_flight"})).rowcount == 1


@contextmanager
def scratch_orders(settings: OrdersSettings, folder: Path, name: str, make_engine: MakeEngine) -> Iterator[ScratchOrders]:
    """Make the table, give it out, and drop it. Raises OrdersUnreachable where it cannot be made."""
    if settings.admin_url:
        with _in_their_database(settings, name, make_engine) as (made, where):
            yield from _opened(made, where, make_engine)
        return
    path = folder / f"{name}.db"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    made = settings.model_copy(update={"url": f"sqlite:///{path}", "admin_url": f"sqlite:///{path}", "table": "orders"})
    engine = make_engine(made.url)
    with engine.begin() as connection:
        columns = [f'"{_theirs(settings, ours)}" {"INTEGER" if ours in INTEGER_COLUMNS else "TEXT"}' for ours in _COLUMNS]
        connection.exec_driver_sql(f"CREATE TABLE orders ({', '.join(columns)})")
    engine.dispose()
    where = f"a scratch table of the same columns in {path}, because orders.admin_url is not set; it is removed at the end"
    try:
        yield from _opened(made, where, make_engine)
    finally:
        path.unlink(missing_ok=True)


def _opened(made: OrdersSettings, where: str, make_engine: MakeEngine) -> Iterator[ScratchOrders]:
    engine, orders = open_orders(made.admin_url, made, make_engine=make_engine, key="orders.admin_url")
    try:
        yield ScratchOrders(made, where, engine, orders)
    finally:
        engine.dispose()


@contextmanager
def _in_their_database(settings: OrdersSettings, name: str, make_engine: MakeEngine) -> Iterator[tuple[OrdersSettings, str]]:
    engine, orders = open_orders(settings.admin_url, settings, make_engine=make_engine, key="orders.admin_url")
    schema = settings.table.rpartition(".")[0]
    table = f"{schema}.{name}" if schema else name
    columns = ", ".join(f'"{column.name}"' for column in orders.table.c)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE {table} AS SELECT {columns} FROM {settings.table} WHERE 1 = 0"))  # noqa: S608 - names that the settings check
        login, shared = _shared(engine, settings, table)
        made = settings.model_copy(update={"table": table, "url": settings.url if shared else settings.admin_url})
        try:
            yield made, f"the table {table} in your own order system, {login}; it is dropped at the end"
        finally:
            with suppress(DBAPIError), engine.begin() as connection:
                connection.execute(text(f"DROP TABLE {table}"))
    except DBAPIError as error:
        raise OrdersUnreachable(
            f"The scratch table {table} could not be made ({' '.join(str(error.orig).split())[:160]}).",
            next_step="Let the login of orders.admin_url make tables, or leave that key out: then a scratch file is used.",
        ) from error
    finally:
        engine.dispose()


def place_of_scratch(settings: OrdersSettings) -> str:
    """The database in which scratch tables lie, without its login; nothing where they lie in a file of the round's own."""
    if not settings.admin_url:
        return ""
    return make_url(settings.admin_url).set(username=None, password=None, query={}).render_as_string()


def drop_scratch(settings: OrdersSettings, make_engine: MakeEngine) -> DropTable:
    """What drops a scratch table that is surely ours; a table is left alone, and named, as soon as anything speaks against it.

    Its name is made of run and mode, the round's own file names both, and every order in it bears the round's mark.
    """

    def drop(run: str, mode: str, place: str) -> str:
        name = scratch_name(run, mode)
        if not place:
            return ""
        if place != place_of_scratch(settings):
            return f"The scratch table {name} lies in {place}, where orders.admin_url does not lead now: drop it there by hand."
        try:
            engine, _ = open_orders(settings.admin_url, settings, make_engine=make_engine, key="orders.admin_url")
        except MitbatchError as problem:
            return f"The scratch table {name} could not be looked for: {problem.what}"
        try:
            return _dropped(engine, settings, name, run)
        except DBAPIError as error:
            return f"The scratch table {name} could not be dropped ({' '.join(str(error.orig).split())[:160]}): drop it by hand."
        finally:
            engine.dispose()

    return drop


def scratch_name(run: str, mode: str) -> str:
    """What the scratch table of a round is called."""
    return f"mitbatch_cert_{run}_{mode}"


def _dropped(engine: Engine, settings: OrdersSettings, name: str, run: str) -> str:
    schema = settings.table.rpartition(".")[0]
    if not inspect(engine).has_table(name, schema=schema or None):
        return ""
    table, order_id = f"{schema}.{name}" if schema else name, f'"{_theirs(settings, "order_id")}"'
    others = f"SELECT count(*) FROM {table} WHERE {order_id} IS NULL OR {order_id} NOT LIKE 'cert-{run}-%'"  # noqa: S608 - names that the settings check, and a run of hex digits
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        if connection.execute(text(others)).scalar_one():
            return f"The table {table} has the name of a scratch table, and orders that no certification made: look at it."
        connection.execute(text(f"DROP TABLE {table}"))
    return ""


def _shared(engine: Engine, settings: OrdersSettings, table: str) -> tuple[str, bool]:
    """How the pipeline gets at the table: by its own login where that may be let in, else by that of `orders.admin_url`."""
    user = make_url(settings.url).username
    if engine.dialect.name != "postgresql" or not user or settings.url == settings.admin_url:
        return "used through the pipeline's own login", True
    written = ", ".join(f'"{_theirs(settings, name)}"' for name in WRITTEN_COLUMNS)
    quoted = '"' + user.replace('"', '""') + '"'
    try:
        with engine.begin() as connection:
            connection.execute(text(f"GRANT SELECT, UPDATE ({written}) ON {table} TO {quoted}"))
    except DBAPIError:
        return "used through the login of orders.admin_url, which may not let the pipeline's own in", False
    return "used through the pipeline's own login", True


def _theirs(settings: OrdersSettings, ours: str) -> str:
    return settings.columns.get(ours, ours)
