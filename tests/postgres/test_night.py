"""Whole nights over HTTP and SFTP with the ledger and the orders on PostgreSQL."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sqlalchemy_event

from batch.writeback import HoldWanted, OrderWriter
from jobs.databases import open_orders
from schemas.errors import AnotherRunActive, ExitCode
from schemas.order import RowStatus
from tests.night.comparing import add_at_provider, compare, lose_at_provider
from tests.night.house import CANCELLED, ONHOLD, order, paid
from tests.postgres.house import THEIRS, PostgresHouse

RACES = 1000
QUEUED = 100
HOLD = HoldWanted("race", "mitbatch:x", 1999, "USD", "2026-12-14T06:30:00Z")
AWKWARD = ["000471", "A", "a", "1E10", "é", "e\u0301", "%s :x 'q' \\", "日本", "a b", '"']


def test_a_night_is_sent_once(house: PostgresHouse) -> None:
    """Nightly, the same again, poll and transmit: every order reaches the provider once, and the second night is no event."""
    house.add(*(order(each) for each in AWKWARD), order("no", payment_token=CANCELLED), paid())
    report = house.run()
    assert report.code is ExitCode.CLEAN
    first, books = house.ledger_rows(), house.audit_bytes()
    assert house.run().code is ExitCode.CLEAN
    assert (house.ledger_rows(), house.audit_bytes()) == (first, books)
    house.pass_time(days=1)
    house.run("poll", everything=True)
    house.run("transmit")

    assert house.accepted() == dict.fromkeys([*AWKWARD, "no"], 1)
    assert {house.state(each) for each in AWKWARD} == {"completed"}
    assert {house.row(each)["status"] for each in AWKWARD} == {"completed"}
    assert house.row("no")["status"] == "not_recovered"
    assert sorted(row["order_id"] for row in house.audit("submissions")) == sorted([*AWKWARD, "no"])


def test_a_night_by_calls_is_sent_once(house: PostgresHouse) -> None:
    """Orders and copies by calls: each is taken once under its own id, completed by reads, and a second night is no event."""
    house.set(channels={"evaluate": "api", "transmit": "api"})
    house.add(*(order(each) for each in AWKWARD), paid())
    assert house.run().code is ExitCode.CLEAN
    first, books = house.ledger_rows(), house.audit_bytes()
    assert house.run().code is ExitCode.CLEAN
    assert (house.ledger_rows(), house.audit_bytes()) == (first, books)
    assert house.run("transmit").code is ExitCode.CLEAN
    house.pass_time(days=1)
    house.run("poll", everything=True)

    assert house.accepted() == dict.fromkeys(AWKWARD, 1)
    assert {house.state(each) for each in AWKWARD} == {"completed"}
    assert {row["channel"] for row in house.audit("submissions")} == {"api"}
    assert [(row["channel"], row["result"]) for row in house.audit("transmissions")] == [("api", "success")]
    assert house.received() == []


def test_the_books_are_compared(house: PostgresHouse) -> None:
    """Whatever the database sorts by, awkward ids are compared one by one, and the file is sorted byte by byte."""
    house.add(*(order(each, payment_token=ONHOLD) for each in AWKWARD))
    assert house.run().code is ExitCode.CLEAN
    house.pass_time(hours=2)
    house.change("é", amount_minor=5)
    house.change("1E10", retry_state="in_flight")
    lose_at_provider(house, "日本")
    add_at_provider(house, "A", order_id="stranger", order_session_key="9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d")
    report, compared = compare(house, everything=True)

    assert (report.code, compared.equal, compared.house_charges) == (ExitCode.NEEDS_PERSON, len(AWKWARD) - 3, 1)
    rows = {row["order_id"]: row["match"] for row in house.audit("reconciliation")}
    differing = {"é": "amount_differs", "1E10": "state_differs", "日本": "missing_at_provider", "stranger": "missing_in_ledger"}
    assert rows == {**dict.fromkeys(AWKWARD, "equal"), **differing}
    assert list(rows) == ["stranger", *sorted(AWKWARD, key=str.encode)]
    assert compare(house)[1].differing == 4


def test_two_runners_at_once(house: PostgresHouse) -> None:
    """Of two nights that start together one works and the other stands back; nothing goes out twice."""
    house.add(*(order(f"o-{number}") for number in range(20)))
    house.run("poll")

    def night(_: int) -> object:
        try:
            return house.run().code
        except AnotherRunActive:
            return ExitCode.ANOTHER_RUN

    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(night, range(2)))
    assert ExitCode.CLEAN in codes
    assert set(codes) <= {ExitCode.CLEAN, ExitCode.ANOTHER_RUN}
    assert house.accepted() == {f"o-{number}": 1 for number in range(20)}


@pytest.mark.parametrize("nth", range(1, 16, 2))
def test_a_connection_that_dies_at_commit(nth: int, house: PostgresHouse) -> None:
    """Whichever commit loses its connection, the next night brings everything to its end, and nothing is sent twice."""
    house.add(*(order(f"o-{number}") for number in range(3)))
    house.run("poll")
    seen = 0

    def cut(connection: object) -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()  # type: ignore[attr-defined]
            house.cluster.sql("postgres", "SELECT pg_terminate_backend(%s, 5000)", [pid])

    sqlalchemy_event.listen(Engine, "commit", cut)
    try:
        ends = [_end(house)]
    finally:
        sqlalchemy_event.remove(Engine, "commit", cut)
    house.pass_time(seconds=1000)
    ends.append(_end(house))

    assert seen >= min(nth, 3)
    assert ends[-1] is ExitCode.CLEAN
    assert house.accepted() == {f"o-{number}": 1 for number in range(3)}
    assert set(house.states().values()) == {"pending"}


def _end(house: PostgresHouse) -> ExitCode:
    from schemas.errors import MitbatchError

    try:
        return house.run().code
    except MitbatchError as problem:
        return problem.exit_code


def test_the_server_crashes_in_mid_night(house: PostgresHouse) -> None:
    """A server that crashes between two commits of a night and comes back loses nothing that was committed (P-20)."""
    house.add(*(order(f"o-{number}") for number in range(3)))
    house.run("poll")
    seen = 0

    def crash(_connection: object) -> None:
        nonlocal seen
        seen += 1
        if seen == 6:
            house.cluster.stop()
            house.cluster.start()

    sqlalchemy_event.listen(Engine, "commit", crash)
    try:
        _end(house)
    finally:
        sqlalchemy_event.remove(Engine, "commit", crash)
    house.pass_time(seconds=1000)

    assert seen >= 6
    assert _end(house) is ExitCode.CLEAN
    assert house.accepted() == {f"o-{number}": 1 for number in range(3)}
    assert set(house.states().values()) == {"pending"}


def test_the_hold_and_the_retry_never_both(house: PostgresHouse) -> None:
    """In a thousand races of the hold with the merchant's own retry exactly one of them gets the row, whoever is quicker."""
    house.add(order("race"))
    engine, table = open_orders(house.settings.orders.url, house.settings.orders)
    writer, wins = OrderWriter(engine, table), {"ours": 0, "theirs": 0}
    with ThreadPoolExecutor(2) as pool, house.cluster.connect(house.orders_database, autocommit=True) as theirs:
        for _ in range(RACES):
            ours = pool.submit(writer.place_holds, [HOLD], now="2026-11-23T06:30:00Z")
            taken = pool.submit(theirs.execute, THEIRS.replace("?", "%s").encode(), ["race"]).result().rowcount == 1
            assert ours.result() == {}
            row = theirs.execute("SELECT hold_reference, retry_state FROM orders").fetchone()
            assert row is not None
            assert (row["hold_reference"] is None) == taken
            assert (row["retry_state"] is not None) == taken
            wins["theirs" if taken else "ours"] += 1
            theirs.execute("UPDATE orders SET status='declined', hold_reference=NULL, retry_state=NULL")
    engine.dispose()

    assert sum(wins.values()) == RACES


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_who_waits_first_for_the_row_gets_it(house: PostgresHouse, first: str) -> None:
    """The hold and the retry wait for a locked row, one behind the other: the first gets it, the second leaves it alone."""
    house.add(order("race"))
    engine, table = open_orders(house.settings.orders.url, house.settings.orders)
    writer = OrderWriter(engine, table)
    database = house.orders_database
    with (
        ThreadPoolExecutor(2) as pool,
        house.cluster.connect(database) as gate,
        house.cluster.connect(database, autocommit=True) as theirs,
    ):
        for _ in range(QUEUED):
            gate.execute("SELECT 1 FROM orders WHERE order_id='race' FOR UPDATE")
            asked: dict[str, Callable[[], object]] = {
                "ours": lambda: writer.place_holds([HOLD], now="2026-11-23T06:30:00Z"),
                "theirs": lambda: theirs.execute(THEIRS.replace("?", "%s").encode(), ["race"]).rowcount,
            }
            waiting = {}
            for place, name in enumerate(sorted(asked, key=lambda each: each != first), start=1):
                waiting[name] = pool.submit(asked[name])
                _until_so_many_wait(house, place)
            gate.rollback()

            assert (waiting["ours"].result(timeout=60), waiting["theirs"].result(timeout=60)) == ({}, int(first == "theirs"))
            (row,) = house.sql("SELECT hold_reference, retry_state FROM orders")
            assert (row["hold_reference"], row["retry_state"]) == (
                (HOLD.hold_reference, None) if first == "ours" else (None, "in_flight")
            )
            house.sql("UPDATE orders SET status='declined', hold_reference=NULL, retry_state=NULL")
    engine.dispose()


def _until_so_many_wait(house: PostgresHouse, count: int) -> None:
    """Come back when so many sessions of the order system wait for a lock."""
    ends = time.monotonic() + 60
    waiting = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname=%s AND wait_event_type='Lock'"
    with house.cluster.connect(autocommit=True) as watch:
        while watch.execute(waiting, [house.orders_database]).fetchone() != {"n": count}:
            assert time.monotonic() < ends, f"{count} sessions never waited for the row"


def test_a_trigger_that_refuses_one_row_stops_no_other(house: PostgresHouse) -> None:
    """A row that the merchant's own trigger refuses is an item for a person; the night goes on for the rest."""
    house.add(order("good"), order("bad"))
    house.sql(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.order_id = 'bad' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$"
    )
    house.sql("CREATE TRIGGER no BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION no()")
    house.run()

    assert house.accepted() == {"good": 1}
    assert ("write_back_conflict", "order:bad") in house.items()


def test_the_columns_may_be_times_and_enumerations(house: PostgresHouse) -> None:
    """A merchant whose times are timestamps and whose status is an enumeration gets its holds all the same."""
    names = ", ".join(f"'{status.value}'" for status in RowStatus)
    house.sql(f"CREATE TYPE standing AS ENUM ({names})")
    house.sql("ALTER TABLE orders ALTER status TYPE standing USING status::standing")
    for column in ("updated_at", "hold_until", "charged_at"):
        house.sql(f"ALTER TABLE orders ALTER {column} TYPE timestamptz USING {column}::timestamptz")
    house.add(order())
    code = house.run().code

    assert (code, house.ledger("SELECT kind, explanation FROM item")) == (ExitCode.CLEAN, [])
    assert house.accepted() == {"000471": 1}
    assert house.row()["status"] == "pending"


def test_making_the_view_again_keeps_its_rights(house: PostgresHouse) -> None:
    """The retry job's right to read `retryable_orders` survives that the view is made again, and it shows the free rows."""
    house.add(order("free"), order("taken", retry_state="in_flight"), order("held", hold_reference="x"))
    engine, table = open_orders(house.settings.orders.url, house.settings.orders)
    writer = OrderWriter(engine, table)
    writer.create_view()
    house.sql(
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname='retry') THEN CREATE ROLE retry LOGIN; END IF; END $$"
    )
    house.sql("GRANT SELECT ON retryable_orders TO retry")
    writer.create_view()
    engine.dispose()

    found = house.cluster.sql(house.orders_database, "SELECT order_id FROM retryable_orders", role="retry")
    assert found == [{"order_id": "free"}]
