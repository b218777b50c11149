"""The marked orders of a certification in an order system on PostgreSQL: shared with the pipeline's login where that may be."""

import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest

from jobs.certify.command import round_folder
from jobs.certify.round import chosen, go_round
from jobs.certify.scratch_orders import drop_scratch
from jobs.certify.unfinished import sweep
from jobs.databases import default_engine
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


def test_the_table_of_a_killed_round_is_dropped_by_the_next_one(house: PostgresHouse) -> None:
    """SIGKILL in the midst of a round: its table with payment tokens is there, until the next round."""
    url = house.cluster.url(house.orders_database)
    house.set(orders={"url": url, "admin_url": url})
    house.config.write_text(house.config.read_text().replace("sqlite:///orders.db", url))
    words = [sys.executable, "-m", "tests.certify.killed", "tokenized", "--config", str(house.config), "certify", "mit.api"]
    ended = subprocess.run(words, capture_output=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename DESC"
    orders, left = (row["tablename"] for row in house.sql(tables))
    tokens = house.sql(f"SELECT payment_token FROM {left} WHERE payment_token IS NOT NULL")

    found = sweep(house.settings.data_dir / "certification", drop_scratch(house.settings.orders, default_engine))
    assert (len(tokens), orders, left.startswith("mitbatch_cert_")) == (1, "orders", True)
    assert (len(found.removed), found.left) == (1, [])
    assert [row["tablename"] for row in house.sql(tables)] == ["orders"]
