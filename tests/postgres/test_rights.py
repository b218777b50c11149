"""The least rights that a night needs on PostgreSQL, and that no more are given."""

import time
from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest

from batch.ledger.identity import Identity, locked_identity
from batch.ledger.lease import LESSER_JOBS
from batch.ledger.relocking import relock
from batch.ledger.switches import SwitchRun, SwitchWanted, turn
from batch.switching import SENDING
from jobs.assembly import open_ledger_alone
from jobs.databases import open_ledger
from jobs.doctor.database_checks import look_at_databases
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Group
from jobs.doctor.ledger_checks import look_at_ledger_group
from jobs.ledger_run import ledger_run
from jobs.surroundings import of_this_machine
from schemas.errors import ExitCode
from schemas.ledger_rights import ledger_grants, orders_grants
from schemas.order import RowStatus
from tests.house.source import ROOT
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


def grants_in_the_document() -> tuple[list[str], list[str]]:
    """The statements of schemas/OPERATION.md for the two logins."""
    text = (ROOT / "schemas" / "OPERATION.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("GRANT ")]
    return [line for line in lines if "mitbatch_orders" in line], [line for line in lines if "mitbatch_ledger" in line]


@pytest.fixture
def least(house: PostgresHouse) -> PostgresHouse:
    """A house whose two roles have just the rights that a night needs."""
    for role in ("write_back", "ledger_role"):
        with suppress(psycopg.errors.DuplicateObject):
            house.cluster.sql("postgres", f"CREATE ROLE {role} LOGIN")
    house.sql("CREATE TABLE other (x text)")
    open_ledger(house.settings.ledger.url).dispose()
    of_the_orders, of_the_ledger = grants_in_the_document()
    for statement in of_the_orders:
        house.sql(statement.replace("mitbatch_orders", "write_back"))
    for statement in of_the_ledger:
        house.ledger(statement.replace("mitbatch_ledger", "ledger_role"))
    house.set(
        orders={"url": house.cluster.url(house.orders_database, "write_back"), "admin_url": ""},
        ledger={"url": house.cluster.url(house.ledger_database, "ledger_role")},
    )
    return house


def test_a_night_works_with_the_least_rights(least: PostgresHouse) -> None:
    """Nightly, poll, transmit and reconcile need no more than these rights, and neither does stopping by hand."""
    least.add(order())
    codes = [least.run().code]
    least.pass_time(days=1)
    codes += [least.run("poll", everything=True).code, *(least.run(job).code for job in ("transmit", "reconcile"))]
    stopped = SwitchRun("r1", "switch", "2026-11-24")
    with open_ledger_alone(least.settings, clock=least.clock) as ledger:
        assert turn(ledger, stopped, SwitchWanted(SENDING, on=False, reason="a test", by="somebody"))

    assert codes == [ExitCode.CLEAN] * 4
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


def test_the_document_has_the_statements_of_the_program() -> None:
    """The document's grants are those that the doctor looks for, for both logins."""
    assert grants_in_the_document() == (orders_grants("mitbatch_orders"), ledger_grants("mitbatch_ledger"))


def test_a_lock_can_be_changed_with_the_least_rights(least: PostgresHouse) -> None:
    """The ledger's login may lock it to another host key, and remove webhooks that were applied, as runs do; and no more."""
    least.run()
    with open_ledger_alone(least.settings, clock=least.clock) as ledger:
        known, _ = locked_identity(ledger) or (Identity("", "", "", ""), "")
        wanted = replace(known, host_key="SHA256:y")
        with ledger_run(ledger, least.settings, of_this_machine(least.clock), "lock") as run, ledger.writing(run) as writing:
            relock(writing, known, wanted, reason="a test", person="somebody")
        assert locked_identity(ledger) == (wanted, _)
    statements = (
        "UPDATE identity SET host_key = 'SHA256:x'",
        "DELETE FROM webhook WHERE 1 = 0",
        "UPDATE operation SET step = step",
        "UPDATE evidence SET content = ''",
    )
    for statement in statements:
        least.cluster.sql(least.ledger_database, statement, role="ledger_role")
    for statement in (
        "UPDATE identity SET scrub_key = 'x'",
        "UPDATE identity SET mid = 'x'",
        "UPDATE evidence SET subject = 'x'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            least.cluster.sql(least.ledger_database, statement, role="ledger_role")


def doctor(house: PostgresHouse, *groups: Group) -> dict[str, tuple[str, str]]:
    """What the doctor finds: by look, the mark and the cause."""
    looks = {Group.DATABASE: look_at_databases, Group.LEDGER: look_at_ledger_group}
    round_ = Examination(house.config, house.settings, of_this_machine(house.clock))
    found = [finding for group in groups or (Group.DATABASE,) for finding in looks[group](round_)]
    return {each.look: (each.mark.value, each.problem.what if each.problem else "") for each in found}


def test_the_doctor_finds_the_least_rights_fit(least: PostgresHouse) -> None:
    """With the document's rights nothing is missing and nothing is too much, and the ledger is durable and guarded."""
    least.run()
    found = doctor(least, Group.DATABASE, Group.LEDGER)

    assert {look: said for look, said in found.items() if said[0] not in {"ok", "skip"}} == {}
    assert {"orders rights", "orders limits", "ledger rights", "ledger limits", "durability", "append-only"} <= set(found)


REVIEWLESS = ", ".join(f"'{status}'" for status in RowStatus if status is not RowStatus.REVIEW)
OF_THE_ORDERS_LOGIN = (
    ("REVOKE UPDATE (hold_until) ON orders FROM write_back", "orders rights", "fail", "UPDATE on hold_until"),
    ("GRANT DELETE ON orders TO write_back", "orders limits", "warn", "may DELETE orders"),
    ("GRANT INSERT ON orders TO write_back", "orders limits", "warn", "may INSERT orders"),
    ("GRANT TRUNCATE ON orders TO write_back", "orders limits", "warn", "may TRUNCATE orders"),
    ("GRANT TRIGGER ON orders TO write_back", "orders limits", "warn", "may TRIGGER orders"),
    ("GRANT UPDATE (amount_minor) ON orders TO write_back", "orders limits", "warn", "may UPDATE amount_minor"),
    ("GRANT SELECT ON other TO write_back", "orders limits", "warn", "may use public.other"),
    ("GRANT UPDATE ON other TO write_back", "orders limits", "warn", "may use public.other"),
    ("GRANT CREATE ON SCHEMA public TO write_back", "orders limits", "warn", "may create tables"),
    ("REVOKE SELECT ON orders FROM write_back", "orders rights", "fail", "SELECT on order_id, site"),
)
OF_THE_LEDGER_LOGIN = (
    ("REVOKE INSERT ON evidence FROM ledger_role", "ledger rights", "fail", "INSERT on evidence"),
    ("REVOKE UPDATE ON lease FROM ledger_role", "ledger rights", "fail", "UPDATE on lease"),
    ("REVOKE DELETE ON webhook FROM ledger_role", "ledger rights", "fail", "DELETE on webhook"),
    ("REVOKE UPDATE (host_key) ON identity FROM ledger_role", "ledger rights", "fail", "host_key"),
    ("REVOKE UPDATE (content) ON evidence FROM ledger_role", "ledger rights", "fail", "UPDATE (content) on evidence"),
    ("GRANT UPDATE ON event TO ledger_role", "ledger limits", "warn", "may UPDATE event"),
    ("GRANT DELETE ON evidence TO ledger_role", "ledger limits", "warn", "may DELETE evidence"),
    ("GRANT TRUNCATE ON submission TO ledger_role", "ledger limits", "warn", "may TRUNCATE submission"),
    ("ALTER TABLE event OWNER TO ledger_role", "ledger limits", "warn", "owns event"),
)


def undoing(statement: str) -> str:
    """What takes a statement about rights back."""
    if statement.startswith("ALTER TABLE event OWNER"):
        return "ALTER TABLE event OWNER TO postgres"
    if statement.startswith("GRANT"):
        return statement.replace("GRANT", "REVOKE", 1).replace(" TO ", " FROM ")
    return statement.replace("REVOKE", "GRANT", 1).replace(" FROM ", " TO ")


def test_each_right_too_few_or_too_many_is_one_line(least: PostgresHouse) -> None:
    """A right of the order system's login that is missing fails, one too many warns, and nothing else is said."""
    for statement, look, mark, cause in OF_THE_ORDERS_LOGIN:
        least.sql(statement)
        found = doctor(least)
        least.sql(undoing(statement))

        assert {name: said[0] for name, said in found.items() if said[0] not in {"ok", "skip"}} == {look: mark}, statement
        assert cause in found[look][1]


def test_each_wrong_right_in_the_ledger_is_one_line(least: PostgresHouse) -> None:
    """A right of the ledger's login that is missing fails, one too many warns, and nothing else is said."""
    for statement, look, mark, cause in OF_THE_LEDGER_LOGIN:
        least.ledger(statement)
        found = doctor(least, Group.DATABASE, Group.LEDGER)
        least.ledger(undoing(statement))

        assert {name: said[0] for name, said in found.items() if said[0] not in {"ok", "skip"}} == {look: mark}, statement
        assert cause in found[look][1]


def test_what_the_tables_themselves_lack_is_one_line(least: PostgresHouse) -> None:
    """An enumeration without one of our statuses, an orders table that we own, and a guard that is off are one line each."""
    least.sql(f"CREATE TYPE s AS ENUM ({REVIEWLESS})")
    least.sql("ALTER TABLE orders ALTER status TYPE s USING status::s")
    found = doctor(least)
    assert {name for name, said in found.items() if said[0] == "fail"} == {"orders rights"}
    assert "the status review" in found["orders rights"][1]
    least.sql("ALTER TYPE s ADD VALUE 'review'")
    least.sql("ALTER TABLE orders OWNER TO write_back")
    least.ledger("ALTER TABLE event DISABLE TRIGGER event_no_change")
    found = doctor(least, Group.DATABASE, Group.LEDGER)
    assert {name: said[0] for name, said in found.items() if said[0] not in {"ok", "skip"}} == {
        "orders limits": "warn",
        "append-only": "fail",
    }
    assert "owns orders" in found["orders limits"][1]


def test_a_superuser_is_a_warning(house: PostgresHouse) -> None:
    """A house whose logins are the server's owner works, and is warned of both."""
    open_ledger(house.settings.ledger.url).dispose()
    house.set(orders={"admin_url": ""})
    found = doctor(house)

    assert {name: said for name, said in found.items() if said[0] == "warn"} == {
        "orders limits": ("warn", "postgres is a superuser."),
        "ledger limits": ("warn", "postgres is a superuser."),
    }


def test_a_server_that_does_not_sync_fails(least: PostgresHouse) -> None:
    """A ledger on a PostgreSQL that does not write what it commits fails."""
    least.cluster.sql("postgres", "ALTER SYSTEM SET full_page_writes = off")
    least.cluster.sql("postgres", "SELECT pg_reload_conf()")
    try:
        ends = time.monotonic() + 30
        while least.ledger("SHOW full_page_writes")[0]["full_page_writes"] != "off":
            assert time.monotonic() < ends
        found = doctor(least, Group.LEDGER)
    finally:
        least.cluster.sql("postgres", "ALTER SYSTEM RESET full_page_writes")
        least.cluster.sql("postgres", "SELECT pg_reload_conf()")

    assert found["durability"] == ("fail", "The ledger's PostgreSQL has full_page_writes off.")


def test_a_server_that_is_away_is_one_line(least: PostgresHouse) -> None:
    """A ledger whose server does not answer, and an order system likewise, fail with what the driver says."""
    away = "postgresql+psycopg://nobody@/none?host=/nowhere"
    least.set(orders={"url": away}, ledger={"url": away})
    found = doctor(least, Group.DATABASE, Group.LEDGER)

    assert {name for name, said in found.items() if said[0] == "fail"} == {"orders", "ledger"}
