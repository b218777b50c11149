"""A PostgreSQL server that is down, slow, or set up carelessly: code 20, nothing half done."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from batch.ledger import Submission
from batch.ledger.moves import Move, move_orders
from jobs import postgres_sessions
from jobs.databases import open_ledger, open_orders
from jobs.output import Options
from jobs.plan import show_plan
from schemas.errors import ExitCode, LedgerBusy, MitbatchError, OrdersUnreachable
from schemas.states import State
from tests.night.house import order
from tests.postgres.house import PostgresHouse
from tests.postgres.room import PostgresRoom


def _shown(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(f"SHOW {name}")).scalar_one()


def _code(work: Callable[[], object]) -> ExitCode:
    with pytest.raises(MitbatchError) as problem:
        work()
    return problem.value.exit_code


@pytest.mark.parametrize("which", ["orders", "ledger"])
def test_sessions_are_ours_whatever_the_server_prefers(house: PostgresHouse, which: str) -> None:
    """A database whose defaults forget commits, wait for ever and isolate differently is spoken to as we need it."""
    name = house.orders_database if which == "orders" else house.ledger_database
    for setting in ("synchronous_commit = off", "default_transaction_isolation = 'repeatable read'", "lock_timeout = 0"):
        house.cluster.sql("postgres", f"ALTER DATABASE {name} SET {setting}")
    opened = {
        "orders": lambda: open_orders(house.settings.orders.url, house.settings.orders)[0],
        "ledger": lambda: open_ledger(house.settings.ledger.url),
    }
    engine = opened[which]()
    names = (
        "synchronous_commit",
        "transaction_isolation",
        "lock_timeout",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
    )
    found = {setting: _shown(engine, setting) for setting in names}
    engine.dispose()

    assert found == dict(zip(names, ("on", "read committed", "30s", "5min", "2min"), strict=True))


def test_a_dry_run_creates_nothing(house: PostgresHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nightly --dry-run` shows what would be sent, and the ledger's database stays empty."""
    house.add(order())
    monkeypatch.setattr("jobs.plan.load_settings", lambda _path: house.settings)
    assert show_plan(Options(config=house.config, quiet=True), "", house.clock) == 0

    assert house.ledger("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    assert house.row()["hold_reference"] is None


@pytest.mark.parametrize("job", ["nightly", "poll", "transmit"])
def test_a_server_that_is_down_is_20(house: PostgresHouse, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the server is down every command says 20, nothing is sent, and afterwards all goes on."""
    house.add(order())
    house.run("poll")
    house.cluster.stop()
    monkeypatch.setattr(PostgresHouse, "_have_ledger", lambda _self: None)
    try:
        codes = {_code(lambda: house.run(job)), _code(lambda: open_ledger(house.settings.ledger.url, create=False))}
        with pytest.raises(OrdersUnreachable):
            open_orders(house.settings.orders.url, house.settings.orders)
        with pytest.raises(LedgerBusy):
            open_ledger(house.settings.ledger.url)
    finally:
        house.cluster.start()

    assert codes == {ExitCode.NOTHING_SENT}
    assert house.accepted() == {}
    assert house.run().code is ExitCode.CLEAN
    assert house.accepted() == {"000471": 1}


@pytest.mark.parametrize("table", ["lease", "submission", "orders"])
def test_a_lock_that_is_never_given_is_20(house: PostgresHouse, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that somebody keeps locked is waited for, not for ever: 20, and the next night brings the order there once."""
    monkeypatch.setitem(postgres_sessions._DEADLINES, "lock_timeout", 1)
    house.add(order())
    house.run("poll")
    database = house.orders_database if table == "orders" else house.ledger_database
    with house.cluster.connect(database) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        try:
            code = house.run().code
        except MitbatchError as problem:
            code = problem.exit_code
    house.pass_time(seconds=1000)

    assert code is ExitCode.NOTHING_SENT
    assert house.accepted() == {}
    assert house.run().code is ExitCode.CLEAN
    assert house.accepted() == {"000471": 1}


def test_a_statement_that_takes_too_long_is_ended(house: PostgresHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order system that does not answer within the deadline is unreachable: 20, and nothing is sent."""
    monkeypatch.setitem(postgres_sessions._DEADLINES, "statement_timeout", 1)
    house.add(order())
    house.run("poll")
    house.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$")
    house.sql("CREATE TRIGGER slow BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION slow()")
    began = time.monotonic()
    assert house.run().code is ExitCode.NOTHING_SENT
    assert time.monotonic() - began < 25
    assert house.accepted() == {}

    house.sql("DROP TRIGGER slow ON orders")
    assert house.run().code is ExitCode.CLEAN
    assert house.accepted() == {"000471": 1}


def test_a_paused_runner_does_not_keep_the_ledger(room: PostgresRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner that stops inside a step loses its session after a while; the step is undone and another may write."""
    room.claim("b00000000001", "o-1")
    read = room.submission("o-1")
    room.ledger.engine.dispose()
    monkeypatch.setitem(postgres_sessions._DEADLINES, "idle_in_transaction_session_timeout", 1)  # of the next session alone
    with pytest.raises(LedgerBusy):
        _write_slowly(room, read)
    monkeypatch.undo()
    assert room.submission("o-1").state is State.CLAIMED

    with room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(room.submission("o-1"), State.HELD, "hold", "held")])
    assert room.submission("o-1").state is State.HELD


def _write_slowly(room: PostgresRoom, read: Submission) -> None:
    with room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(read, State.HELD, "hold", "held")])
        room.await_end_of_sessions_in_a_step()
