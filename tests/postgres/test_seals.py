"""On PostgreSQL: a night's rows are what their events, files and runs say, and one that was edited is named."""

import pytest

from batch.ledger_seals import LedgerSeals
from jobs.databases import open_ledger
from tests.night.comparing import compare
from tests.night.house import COMPLETED, EXPIRED, order, paid
from tests.night.requests import refund
from tests.postgres.house import PostgresHouse


def changed(house: PostgresHouse) -> list[str]:
    """The rows that another record belies."""
    engine = open_ledger(house.settings.ledger.url)
    with LedgerSeals(engine.connect, house.settings.provider.mid).reading() as reader:
        found = [each.subject for each in (*reader.changed_rows(), *reader.rows_off_their_chains())]
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        ("UPDATE submission SET provider_order_id = 'x' WHERE order_id = 'a' RETURNING order_id", "order:a"),
        ("UPDATE batch SET delivered_at = NULL WHERE kind = 'evaluate' RETURNING batch_id", "batch:"),
        ("UPDATE operation SET asked_by = 'somebody' RETURNING operation_id", "operation:"),
        ("UPDATE run SET fencing_token = fencing_token + 1 WHERE job = 'poll' RETURNING run_id", "run"),
        ("UPDATE transmission SET business_date = '2026-01-01' RETURNING order_id", "copy:"),
    ],
)
def test_a_row_that_another_record_belies_is_named(statement: str, subject: str, house: PostgresHouse) -> None:
    """Nights, a copy of a good charge, a refund and a comparison leave nothing to be named; an edit is."""
    house.add(order("a", payment_token=COMPLETED), order("late", payment_token=EXPIRED), paid())
    house.run()
    house.run("transmit")
    house.pass_time(hours=2)
    house.run("poll")
    refund(house, "5.00", "a")
    compare(house)
    assert changed(house) == []
    assert house.ledger(statement)
    assert any(each.startswith(subject) for each in changed(house))
