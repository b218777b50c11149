"""Opening the two databases: the ledger, fully synchronised and private, and the merchant's order system."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Numeric, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from batch.orders_table import OrdersTable, orders_table
from schemas.errors import ConfigurationError, LedgerUnfit, PathMissing, SecretExposed
from schemas.migrations import HEAD
from schemas.settings import OrdersSettings

BUSY_SECONDS = 30

MakeEngine = Callable[..., Engine]
"""Makes an engine of a database URL and SQLAlchemy's own options, as `create_engine` does."""

default_engine: MakeEngine = create_engine


def open_ledger(url: str, *, create: bool = True, make_engine: MakeEngine = default_engine) -> Engine:
    """The ledger's engine, created with mode 0600 and migrated to this version at first use.

    Without `create` a SQLite ledger that does not exist yet stands in memory, empty, and leaves nothing behind.
    SQLite runs in WAL with synchronous=FULL, so that a committed claim survives a power cut. Raises SecretExposed for
    a file that others can read, LedgerUnfit for one that is damaged or of a later version.
    """
    engine = _engine(url, make_engine, key="ledger.url")
    if engine.dialect.name == "sqlite" and engine.url.database in {None, "", ":memory:"}:
        raise ConfigurationError("ledger.url names no file: a ledger in memory forgets what was sent.")
    if engine.dialect.name == "sqlite" and not create and not Path(str(engine.url.database)).exists():
        engine = _engine("sqlite://", make_engine, key="ledger.url", poolclass=StaticPool)
    elif engine.dialect.name == "sqlite":
        _private_file(Path(str(engine.url.database)))
        event.listen(engine, "connect", _durable)
    try:
        try:
            _migrate(engine)
        except DatabaseError:
            _migrate(engine)  # another first run may have made it at the same moment; a damaged file fails again
    except DatabaseError as error:
        raise LedgerUnfit(
            f"The ledger {engine.url.render_as_string(hide_password=True)} cannot be read: {str(error.orig)[:200]}.",
            next_step="Restore it from its backup; do not start with an empty one.",
        ) from error
    return engine


def open_orders(url: str, settings: OrdersSettings, *, make_engine: MakeEngine = default_engine) -> tuple[Engine, OrdersTable]:
    """The order system's engine and its table, with every column that we need found under its own or mapped name.

    Raises PathMissing or ConfigurationError naming what is missing.
    """
    engine = _engine(url, make_engine, key="orders.url")
    database = engine.url.database
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _any_text)
        event.listen(engine, "connect", _holds_survive)
    if engine.dialect.name == "sqlite" and not (database and Path(database).is_file()):
        raise PathMissing(f"The order system's database {database} (orders.url) does not exist.")
    schema, _, table = settings.table.rpartition(".")
    try:
        found = inspect(engine).get_columns(table, schema=schema or None)
        columns = [column["name"] for column in found]
    except DatabaseError as error:
        raise ConfigurationError(f"The order system (orders.url) cannot be read: {str(error.orig)[:200]}.") from error
    except Exception as error:
        if type(error).__name__ == "NoSuchTableError":
            raise ConfigurationError(f"The order system has no table {settings.table} (orders.table).") from error
        raise
    key = settings.columns.get("order_id", "order_id")
    if any(column["name"] == key and isinstance(column["type"], Numeric | Integer) for column in found):
        raise ConfigurationError(
            f"The column {key} of {settings.table} is a number; an order id is a text, byte for byte.",
            next_step="Make the column a text, or name a view that shows it as one in orders.table.",
        )
    return engine, orders_table(settings, columns)


def _engine(url: str, make_engine: MakeEngine, *, key: str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False} if sqlite else {}
        engine = make_engine(parsed, connect_args=arguments, pool_pre_ping=not sqlite, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{key} needs the driver {error.name}, which is not installed.", next_step="Run: pip install 'psycopg[binary]'"
        ) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigurationError(f"{key} is not a database URL that can be used ({type(error).__name__}).") from error
    if sqlite:
        event.listen(engine, "connect", _own_transactions)
        event.listen(engine, "begin", _begin)
    return engine


def _own_transactions(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # SQLAlchemy's begin event starts transactions; the driver must not


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _any_text(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.text_factory = _decoded  # a text that is not UTF-8 refuses its own row, not the night


def _holds_survive(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    # with FULL, a power cut may bring a removed rollback journal back, and with it undo a hold after its order was sent
    connection.execute("PRAGMA synchronous=EXTRA")


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _durable(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    mode = cursor.fetchone()[0]
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
    if mode != "wal":
        raise LedgerUnfit(f"The ledger's file system does not allow a write-ahead log (journal mode is {mode}).")


def _private_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink():
        raise SecretExposed(f"The ledger {path} is a symbolic link.", next_step="Name the file itself in ledger.url.")
    with suppress(FileExistsError):  # there already, perhaps since a moment ago by another first run
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SecretExposed(f"The ledger {path} can be read by others (mode {mode:04o}).", next_step=f"Run: chmod 600 {path}")


def _migrate(engine: Engine, head: str = HEAD, migrate: Callable[[Connection], None] | None = None) -> None:
    with engine.connect() as connection:
        if inspect(connection).has_table("alembic_version"):
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
            if version == head:
                return
            if version is not None and version > head:
                raise LedgerUnfit(
                    f"The ledger is of version {version}, this program reads up to {head}.",
                    next_step="Run the newer version of mitbatch that last wrote it.",
                )
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        (migrate or _upgrade)(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("schemas") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
