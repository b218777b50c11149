"""The least rights that a night needs on PostgreSQL, and that no more are given."""

from contextlib import suppress

import psycopg
import pytest

from batch.ledger.lease import LESSER_JOBS
from jobs.databases import open_ledger
from schemas.errors import ExitCode
from schemas.order import WRITTEN_COLUMNS
from tests.night.house import order
from tests.postgres.house import PostgresHouse

OF_THE_ORDERS = (
    "DELETE FROM orders",
    "TRUNCATE orders",
    "INSERT INTO orders (order_id) VALUES ('x')",
    "UPDATE orders SET amount_minor = 1",
    "UPDATE orders SET order_id = 'x'",
    "UPDATE orders SET payment_token = 'x'",
    "UPDATE orders SET retry_state = NULL",
    "ALTER TABLE orders ADD COLUMN x text",
    "DROP TABLE orders",
    "CREATE TABLE x (y text)",
    "SELECT * FROM other",
    "UPDATE other SET x = 'x'",
)
OF_THE_LEDGER = (
    "UPDATE event SET reason = 'x'",
    "DELETE FROM event",
    "TRUNCATE event",
    "UPDATE evidence SET subject = 'x'",
    "DELETE FROM evidence",
    "TRUNCATE evidence",
    "ALTER TABLE event DISABLE TRIGGER ALL",
    "DROP TRIGGER event_no_change ON event",
    "DROP TABLE event",
    "DELETE FROM submission",
    "DELETE FROM identity",
    "SET session_replication_role = replica",
)


@pytest.fixture
def least(house: PostgresHouse) -> PostgresHouse:
    """A house whose two roles have just the rights that a night needs."""
    for role in ("write_back", "ledger_role"):
        with suppress(psycopg.errors.DuplicateObject):
            house.cluster.sql("postgres", f"CREATE ROLE {role} LOGIN")
    house.sql("CREATE TABLE other (x text)")
    house.sql("GRANT SELECT ON orders TO write_back")
    house.sql(f"GRANT UPDATE ({', '.join(WRITTEN_COLUMNS)}) ON orders TO write_back")
    open_ledger(house.settings.ledger.url).dispose()
    house.ledger("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO ledger_role")
    house.ledger("GRANT UPDATE ON lease, run, batch, submission, transmission, remote_file, item TO ledger_role")
    house.ledger("GRANT DELETE ON decision TO ledger_role")
    house.set(
        orders={"url": house.cluster.url(house.orders_database, "write_back")},
        ledger={"url": house.cluster.url(house.ledger_database, "ledger_role")},
    )
    return house


def test_a_night_works_with_the_least_rights(least: PostgresHouse) -> None:
    """Nightly, poll and transmit need no more than these rights."""
    least.add(order())
    codes = [least.run().code]
    least.pass_time(days=1)
    codes += [least.run("poll", everything=True).code, least.run("transmit").code]

    assert codes == [ExitCode.CLEAN] * 3
    assert least.row()["status"] == "completed"
    assert "poll" in LESSER_JOBS


def test_everything_else_is_refused(least: PostgresHouse) -> None:
    """The role that writes back changes only its columns, and the ledger's role cannot touch what happened."""
    databases = [(least.orders_database, "write_back", OF_THE_ORDERS), (least.ledger_database, "ledger_role", OF_THE_LEDGER)]
    for database, role, statements in databases:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                least.cluster.sql(database, statement, role=role)
    assert len(OF_THE_ORDERS) + len(OF_THE_LEDGER) >= 20
