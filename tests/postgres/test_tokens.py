"""Payment tokens are written on PostgreSQL too, with no more rights than that needs, into a column of any type."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from batch.token_writer import TokenWriter
from jobs.databases import open_orders
from schemas.errors import OrdersUnreachable
from tests.night.house import order
from tests.postgres.cluster import OWNER
from tests.postgres.house import PostgresHouse

OLD, NEW = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a001", "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7b001"


@contextmanager
def writer_of(house: PostgresHouse, role: str = OWNER) -> Iterator[TokenWriter]:
    """The writer, logged in as this role."""
    url = house.cluster.url(house.orders_database, role)
    engine, orders = open_orders(url, house.settings.orders, key="orders.admin_url")
    yield TokenWriter(engine, orders)
    engine.dispose()


@pytest.mark.parametrize("kind", ["text", "uuid"])
def test_a_token_is_a_compare_and_set(house: PostgresHouse, kind: str) -> None:
    """In a column of text or of uuid the token is written where the one that was seen still stands, and nowhere else."""
    house.sql(f"ALTER TABLE orders ALTER COLUMN payment_token TYPE {kind} USING payment_token::{kind}")
    house.add(order("a", payment_token=None), order("b", payment_token=OLD), order("c", payment_token=None, hold_reference="x"))

    with writer_of(house) as writer:
        assert writer.write_token("a", NEW, "3184", seen="").has_moved
        assert not writer.write_token("a", OLD, "3184", seen="").has_moved
        assert not writer.write_token("b", NEW, "3184", seen="").has_moved
        assert writer.write_token("b", NEW, "3184", seen=OLD).has_moved
        assert not writer.write_token("c", NEW, "3184", seen="").has_moved
    assert [str(house.row(each)["payment_token"]) for each in "abc"] == [NEW, NEW, "None"]


def test_it_needs_the_rights_on_two_columns(house: PostgresHouse) -> None:
    """A login that may read the table and update the two columns writes tokens; the pipeline's own login may not."""
    for role in ("write_tokens", "write_back"):
        with suppress(psycopg.errors.DuplicateObject):
            house.cluster.sql("postgres", f"CREATE ROLE {role} LOGIN")
        house.sql(f"GRANT SELECT ON orders TO {role}")
    house.sql("GRANT UPDATE (payment_token, card_last4) ON orders TO write_tokens")
    house.sql("GRANT UPDATE (status, hold_reference) ON orders TO write_back")
    house.add(order("a", payment_token=None))

    with writer_of(house, "write_back") as writer, pytest.raises(OrdersUnreachable) as refused:
        writer.write_token("a", NEW, "3184", seen="")
    assert "orders.admin_url" in str(refused.value)
    with writer_of(house, "write_tokens") as writer:
        assert writer.write_token("a", NEW, "3184", seen="").has_moved
    assert house.row("a")["card_last4"] == "3184"
