"""The group `database`: each login can do what it must, and cannot do more. What is tried is undone."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine, bindparam, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from batch.database_state import WILL_WRITE
from batch.orders_table import OrdersTable
from jobs.databases import look_at_ledger, open_orders
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group, failed, good, skipped, warned
from jobs.doctor.postgres_rights import (
    Catalogue,
    excess_in_ledger,
    excess_in_orders,
    missing_in_ledger,
    missing_in_orders,
)
from schemas.counted import counted
from schemas.errors import MitbatchError, OrdersUnreachable, RightsMissing, RightsTooMany
from schemas.ledger_rights import ledger_tables, orders_columns
from schemas.order import WRITTEN_COLUMNS, RowStatus
from schemas.settings import OrdersSettings

TOKEN_COLUMNS = ("payment_token", "card_last4")
"""What `mitbatch tokenize` writes, as the login of `orders.admin_url`."""

_OURS = tuple(status for status in RowStatus if status is not RowStatus.PAID)
_STATEMENTS = "The statements: mitbatch help operation rights"


def look_at_databases(round_: Examination) -> Iterator[Finding]:
    """The order system first, then the login that may write more there, then the ledger's."""
    yield from _orders(round_)
    yield from _admin(round_)
    if not round_.settings.ledger.url.startswith("sqlite"):
        yield from _ledger_rights(round_)


def _orders(round_: Examination) -> Iterator[Finding]:
    settings = round_.settings.orders
    if (why := _too_far(round_, settings.url)) is not None:
        yield skipped("orders", why)
        return
    try:
        engine, orders = open_orders(settings.url, settings, make_engine=round_.around.make_engine)
    except MitbatchError as problem:
        yield failed("orders", _name(settings.url), problem)
        return
    try:
        columns = counted(len(orders.table.columns), "column")
        yield good("orders", f"{_name(settings.url)}, table {settings.table} with all {columns} that are needed")
        if engine.dialect.name == "postgresql":
            yield from _orders_rights(engine, settings)
        else:
            yield _orders_tried(engine, orders)
            yield skipped("orders limits", f"{engine.dialect.name} has no logins: who may write the file may change all of it")
    except DBAPIError as error:
        yield failed("orders rights", _name(settings.url), _unread(error))
    finally:
        engine.dispose()


def _too_far(round_: Examination, url: str) -> str | None:
    """Why a database is not asked: it is not on this machine, and nothing may leave it."""
    parsed = make_url(url) if "://" in url else None
    is_near = parsed is None or parsed.get_backend_name() == "sqlite" or str(parsed.host or "/").startswith("/")
    return None if is_near or not round_.is_offline else "--offline: its server was not called"


def _name(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:  # noqa: BLE001 - whatever makes no URL; its text may hold a password
        return "a URL that cannot be read"


def _unread(error: DBAPIError) -> OrdersUnreachable:
    return OrdersUnreachable(f"The rights cannot be read ({' '.join(str(error.orig).split())[:200]}).")


def _orders_tried(engine: Engine, orders: OrdersTable) -> Finding:
    """Write each of our columns of one row, with each status that we write, and undo it."""
    ours = {name: orders.column(name) for name in WRITTEN_COLUMNS}
    key = orders.column("order_id")
    with engine.connect() as connection:
        connection.info[WILL_WRITE] = True
        try:
            with connection.begin() as undone:
                row = connection.execute(select(key).limit(1)).scalar()
                for status in _OURS:
                    values = {**{name: ours[name] for name in WRITTEN_COLUMNS if name != "status"}, "status": status.value}
                    statement = update(orders.table).where(key == bindparam("w_id")).values(values)
                    connection.execute(statement, {"w_id": row or ""})
                undone.rollback()
        except DBAPIError as error:
            words = " ".join(str(error.orig).split())[:200]
            step = (
                "Let the order system take every status of `mitbatch help integration shows`, and this user write the database."
            )
            problem = RightsMissing(f"A row cannot be written as a run writes it ({words}).", next_step=step)
            return failed("orders rights", f"UPDATE of {', '.join(WRITTEN_COLUMNS)}", problem)
    on = "one row, undone" if row is not None else "no row yet to try it on"
    return good("orders rights", f"UPDATE of {counted(len(WRITTEN_COLUMNS), 'column')} works ({on})")


def _theirs(settings: OrdersSettings, names: Sequence[str]) -> list[str]:
    return [settings.columns.get(name, name) for name in names]


def _orders_rights(engine: Engine, settings: OrdersSettings) -> Iterator[Finding]:
    read, written = _theirs(settings, orders_columns()), _theirs(settings, WRITTEN_COLUMNS)
    with engine.connect() as connection:
        catalogue = Catalogue(connection)
        login = catalogue.login()
        missing = missing_in_orders(catalogue, settings.table, read, written)
        labels = catalogue.labels(settings.table, settings.columns.get("status", "status"))
        if labels and (strange := [status.value for status in _OURS if status.value not in labels]):
            missing.append(f"the status {', '.join(strange)} in the enumeration")
        yield _must("orders rights", login, missing, f"SELECT, and UPDATE of {counted(len(written), 'column')}")
        yield _must_not("orders limits", login, excess_in_orders(catalogue, settings.table, _all(connection, settings), written))


def _all(connection: Connection, settings: OrdersSettings) -> list[str]:
    from sqlalchemy import inspect

    schema, _, table = settings.table.rpartition(".")
    return [column["name"] for column in inspect(connection).get_columns(table, schema=schema or None)]


def _must(look: str, login: str, missing: list[str], measured: str) -> Finding:
    if not missing:
        return good(look, f"{login}: {measured}")
    return failed(look, login, RightsMissing(f"{login} lacks {'; '.join(missing)}.", next_step=_STATEMENTS))


def _must_not(look: str, login: str, excess: list[str]) -> Finding:
    if not excess:
        return good(look, f"{login} can do nothing else")
    return warned(look, login, RightsTooMany(f"{login} {'; '.join(excess)}.", next_step=f"Give it less. {_STATEMENTS}"))


def _admin(round_: Examination) -> Iterator[Finding]:
    """The login for tokenize, where there is one."""
    settings = round_.settings.orders
    if not settings.admin_url:
        yield skipped("admin", "orders.admin_url is not set; only mitbatch tokenize needs it")
        return
    if (why := _too_far(round_, settings.admin_url)) is not None:
        yield skipped("admin", why)
        return
    try:
        engine, _ = open_orders(settings.admin_url, settings, make_engine=round_.around.make_engine, key="orders.admin_url")
    except MitbatchError as problem:
        same = settings.admin_url == settings.url and round_.looks_at(Group.DATABASE)
        yield skipped("admin", "the same database as orders.url") if same else failed("admin", _name(settings.admin_url), problem)
        return
    try:
        missing = []
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                tokens = _theirs(settings, TOKEN_COLUMNS)
                may = Catalogue(connection).may(settings.table, "UPDATE", tokens)
                missing = [name for name in tokens if name not in may]
        words = [f"UPDATE on {', '.join(missing)}"] if missing else []
        yield _must("admin", _name(settings.admin_url), words, "for mitbatch tokenize")
    except DBAPIError as error:
        yield failed("admin", _name(settings.admin_url), _unread(error))
    finally:
        engine.dispose()


def _ledger_rights(round_: Examination) -> Iterator[Finding]:
    url = round_.settings.ledger.url
    if (why := _too_far(round_, url)) is not None:
        yield skipped("ledger rights", why)
        return
    try:
        engine = look_at_ledger(url, make_engine=round_.around.make_engine)
        if engine is None:
            yield skipped("ledger rights", "no ledger yet; its first run needs an owner's login, or its tables made by one")
            return
    except MitbatchError as problem:
        seen = round_.looks_at(Group.LEDGER)
        yield skipped("ledger rights", "see ledger") if seen else failed("ledger rights", _name(url), problem)
        return
    try:
        with engine.connect() as connection:
            catalogue = Catalogue(connection)
            login = catalogue.login()
            yield _must("ledger rights", login, missing_in_ledger(catalogue, ledger_tables()), "every table as runs need it")
            yield _must_not("ledger limits", login, excess_in_ledger(catalogue, ledger_tables()))
    except DBAPIError as error:
        yield failed("ledger rights", _name(url), _unread(error))
    finally:
        engine.dispose()
