"""Opening the two databases: the ledger, fully synchronised and private, and the merchant's order system."""

import os
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Numeric, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection, StaticPool

from batch.database_state import WILL_WRITE, is_away
from batch.orders_table import OrdersTable, orders_table
from jobs.postgres_sessions import CONNECT_ARGUMENTS, ISOLATION, prepare_session
from schemas.errors import ConfigurationError, LedgerBusy, LedgerUnfit, OrdersUnreachable, PathMissing, SecretExposed
from schemas.migrations import HEAD
from schemas.settings import OrdersSettings

BUSY_SECONDS = 30

MakeEngine = Callable[..., Engine]
"""Makes an engine of a database URL and SQLAlchemy's own options, as `create_engine` does."""

default_engine: MakeEngine = create_engine

_VERSION_TABLE = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
_VERSION = text("SELECT version_num FROM alembic_version")


def open_ledger(url: str, *, create: bool = True, make_engine: MakeEngine = default_engine) -> Engine:
    """The ledger's engine, created with mode 0600 and migrated to this version at first use.

    Without `create` a ledger that does not exist yet stands in memory, empty, and leaves nothing behind.
    SQLite runs in WAL with synchronous=FULL, so that a committed claim survives a power cut. Raises SecretExposed for
    a file that others can read, LedgerUnfit for one that is damaged or of a later version, LedgerBusy when its server is
    not there.
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
        if engine.dialect.name == "postgresql" and not create and not inspect(engine).has_table("alembic_version"):
            engine.dispose()
            engine = _engine("sqlite://", make_engine, key="ledger.url", poolclass=StaticPool)
        _migrate_twice(engine)
    except DBAPIError as error:
        raise _ledger_problem(engine, error) from error
    return engine


def leave_no_copy(engine: Engine) -> None:
    """Bring the write-ahead log of a ledger in a file home and cut it off: it still has pages as they were before.

    Whoever reads meanwhile is waited for a moment only, and a disk that refuses is no trouble of the night's: the log goes at
    the latest when nothing has the ledger open any more.
    """
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as connection, suppress(engine.dialect.loaded_dbapi.Error):
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=2000")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()


def ledger_url(url: str) -> URL:
    """The ledger's URL, taken apart. Raises ConfigurationError for a text that is none; it repeats nothing of it."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"ledger.url is not a database URL that can be used ({type(error).__name__}).") from error


def look_at_ledger(url: str, *, make_engine: MakeEngine = default_engine) -> Engine | None:
    """An engine that can only read the ledger as it lies there: nothing is made, migrated or switched. None when there is none.

    Raises ConfigurationError, LedgerUnfit for a file that is no database, LedgerBusy when its server is not there.
    """
    engine = _engine(url, make_engine, key="ledger.url")
    if engine.dialect.name == "sqlite" and engine.url.database in {None, "", ":memory:"}:
        raise ConfigurationError("ledger.url names no file: a ledger in memory forgets what was sent.")
    if engine.dialect.name == "sqlite":
        if not Path(str(engine.url.database)).exists():
            return None
        event.listen(engine, "connect", _only_looking)
    try:
        with engine.connect() as connection:
            is_there = _is_made(connection)
    except DBAPIError as error:
        engine.dispose()
        raise _ledger_problem(engine, error) from error
    if not is_there:
        engine.dispose()
        return None
    return engine


def _ledger_problem(engine: Engine, error: DBAPIError) -> LedgerBusy | LedgerUnfit:
    name = engine.url.render_as_string(hide_password=True)
    if _no_server(engine, error):
        return LedgerBusy(
            f"The ledger {name} cannot be reached ({_words(error)}).",
            now="Nothing was sent.",
            next_step="Check its server, ledger.url and the network; running again is safe.",
        )
    return LedgerUnfit(
        f"The ledger {name} cannot be read: {_words(error)}.",
        next_step="Restore it from its backup; do not start with an empty one.",
    )


def open_orders(
    url: str, settings: OrdersSettings, *, make_engine: MakeEngine = default_engine, key: str = "orders.url"
) -> tuple[Engine, OrdersTable]:
    """The order system's engine and its table, with every column that we need found under its own or mapped name.

    `key` is the setting that the URL stands in.

    Raises PathMissing or ConfigurationError naming what is missing, OrdersUnreachable when the server is not there.
    """
    engine = _engine(url, make_engine, key=key)
    database = engine.url.database
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _any_text)
        event.listen(engine, "connect", _holds_survive)
    if engine.dialect.name == "sqlite" and not (database and Path(database).is_file()):
        raise PathMissing(
            f"The order system's database {database} ({key}) does not exist.",
            next_step="Correct its path in the settings file; mitbatch help integration orders says what table must be in it.",
        )
    schema, _, table = settings.table.rpartition(".")
    try:
        found = inspect(engine).get_columns(table, schema=schema or None)
        columns = [column["name"] for column in found]
    except DBAPIError as error:
        if _no_server(engine, error):
            raise OrdersUnreachable(f"The order system ({key}) cannot be reached ({_words(error)}).") from error
        raise ConfigurationError(f"The order system ({key}) cannot be read: {_words(error)}.") from error
    except Exception as error:
        if type(error).__name__ == "NoSuchTableError":
            raise ConfigurationError(f"The order system has no table {settings.table} (orders.table).") from error
        raise
    id_column = settings.columns.get("order_id", "order_id")
    if any(column["name"] == id_column and isinstance(column["type"], Numeric | Integer) for column in found):
        raise ConfigurationError(
            f"The column {id_column} of {settings.table} is a number; an order id is a text, byte for byte.",
            next_step="Make the column a text, or name a view that shows it as one in orders.table.",
        )
    return engine, orders_table(settings, columns)


def _migrate_twice(engine: Engine) -> None:
    try:
        _migrate(engine)
    except DatabaseError as error:
        if _no_server(engine, error):
            raise
        _migrate(engine)  # another first run may have made it at the same moment; a damaged file fails again


def _no_server(engine: Engine, error: DBAPIError) -> bool:
    """Whether there is a server and it cannot be used now; a file is always there, and what is wrong with it stays."""
    state, operational = getattr(error.orig, "sqlstate", None), isinstance(error, OperationalError)
    away = is_away(state, is_lost=error.connection_invalidated, is_operational=operational)
    return away and engine.dialect.name != "sqlite"


def _words(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())[:200]


def _engine(url: str, make_engine: MakeEngine, *, key: str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False} if sqlite else {}
        if parsed.get_backend_name() == "postgresql":
            arguments = {name: value for name, value in CONNECT_ARGUMENTS.items() if name not in parsed.query}
            options = {**options, "isolation_level": ISOLATION}
        engine = make_engine(parsed, connect_args=arguments, pool_pre_ping=not sqlite, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{key} needs the driver {error.name}, which is not installed.", next_step="Run: pip install 'psycopg[binary]'"
        ) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigurationError(f"{key} is not a database URL that can be used ({type(error).__name__}).") from error
    if sqlite:
        begin_ourselves(engine)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", prepare_session)
    return engine


def begin_ourselves(engine: Engine) -> None:
    """Let an SQLite engine say BEGIN at the beginning of every transaction, and BEGIN IMMEDIATE where one will write.

    It is said by the dialect: as soon as anybody listens to an engine's events, each statement asks for listeners.
    """
    event.listen(engine, "connect", _no_own_transactions)
    engine.dialect.do_begin = _begin  # type: ignore[method-assign,assignment]


def _no_own_transactions(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # the dialect starts transactions; the driver must not


def _begin(connection: PoolProxiedConnection) -> None:
    will_write = connection.info.pop(WILL_WRITE, False)
    connection.cursor().execute("BEGIN IMMEDIATE" if will_write else "BEGIN")


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
    cursor.execute("PRAGMA secure_delete=ON")  # what is emptied or removed is overwritten, not only let go of
    cursor.close()
    if mode != "wal":
        raise LedgerUnfit(f"The ledger's file system does not allow a write-ahead log (journal mode is {mode}).")


def _only_looking(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.execute("PRAGMA query_only=ON")


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
        if _is_made(connection):
            version = connection.execute(_VERSION).scalar_one_or_none()
            if version == head:
                return
            if version is not None and version > head:
                raise LedgerUnfit(
                    f"The ledger is of version {version}, this program reads up to {head}.",
                    next_step="Run the newer version of mitbatch that last wrote it.",
                )
    with engine.connect() as connection:
        connection.info[WILL_WRITE] = True
        with connection.begin():
            (migrate or _upgrade)(connection)


def _is_made(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":  # SQLAlchemy's own way costs several times as much, and every command asks
        return connection.exec_driver_sql(_VERSION_TABLE).first() is not None
    return inspect(connection).has_table("alembic_version")


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("schemas") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
