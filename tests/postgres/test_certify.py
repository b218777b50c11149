"""The marked orders of a certification in an order system on PostgreSQL: shared with the pipeline's login where that may be."""

from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest

from jobs.certify.command import round_folder
from jobs.certify.round import chosen, go_round
from jobs.surroundings import of_this_machine
from schemas.certification import Verdict
from tests.postgres.house import PostgresHouse


@pytest.mark.parametrize("kind", ["text", "uuid"])
def test_orders_lie_in_a_table_that_is_shared_and_dropped(house: PostgresHouse, kind: str) -> None:
    """The pipeline's login reads the scratch table and writes its own seven columns; the table has the merchant's types."""
    with suppress(psycopg.errors.DuplicateObject):
        house.cluster.sql("postgres", "CREATE ROLE certify_pipeline LOGIN")
    house.sql(f"ALTER TABLE orders ALTER COLUMN payment_token TYPE {kind} USING payment_token::{kind}")
    database = house.orders_database
    house.set(orders={"url": house.cluster.url(database, "certify_pipeline"), "admin_url": house.cluster.url(database)})
    house.sql("GRANT SELECT ON orders TO certify_pipeline")
    around = replace(of_this_machine(house.clock), page=None)
    folder = round_folder(house.settings, house.clock)
    found = go_round(house.settings, chosen(["mit.sftp", "refund"]), around, house.clock, folder)

    assert {each.item: each.seen for each in found.shown if each.verdict is not Verdict.PASSED} == {}
    assert "used through the pipeline's own login" in found.orders["managed"]
    assert [row["tablename"] for row in house.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")] == ["orders"]
