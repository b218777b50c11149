"""S31 on PostgreSQL: a ledger that `pg_dump` copied beside a run, and what may be done with one restored from it."""

from typing import Any

import psycopg
import pytest

from batch.delivery import Delivery
from schemas.errors import LedgerBehind
from tests.house.source import ROOT
from tests.night.house import ONHOLD, order
from tests.postgres.house import PostgresHouse


def restore(house: PostgresHouse) -> None:
    """Let the settings name a new database that has what the last copy holds."""
    house.ledger_database = house.cluster.restored(house.cluster.folder / "ledger.dump")
    house.set(ledger={"url": house.cluster.url(house.ledger_database)})


def back_up(house: PostgresHouse) -> None:
    """Make the copy that the runbook tells to make."""
    assert "pg_dump -Fc -f " in (ROOT / "schemas" / "RUNBOOK.md").read_text(encoding="utf-8")
    house.cluster.dump(house.ledger_database, house.cluster.folder / "ledger.dump")


def test_a_copy_beside_a_run_is_known_to_be_older(house: PostgresHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy has what was committed when it was made, the run goes on, and a ledger from before a send is refused."""
    house.run()
    house.add(order("a", payment_token=ONHOLD))
    step, copies = Delivery._intend, list[str]()

    def backed_up(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the step takes and gives
        result = step(*arguments, **more)
        if not copies:
            copies.append("made")
            back_up(house)
        return result

    monkeypatch.setattr(Delivery, "_intend", backed_up)
    assert house.run().code == 0
    restore(house)
    assert house.ledger("SELECT order_id, state FROM submission") == [{"order_id": "a", "state": "sending"}]
    with pytest.raises(LedgerBehind):
        house.run()
    assert house.accepted() == {"a": 1}


def test_the_newest_copy_goes_on_where_the_ledger_was(house: PostgresHouse) -> None:
    """Restored, it has every row, still refuses to forget what happened, sends nothing twice, and its books close."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    rows = house.ledger_rows()
    back_up(house)
    restore(house)
    assert house.ledger_rows() == rows
    with pytest.raises(psycopg.DatabaseError):
        house.ledger("DELETE FROM event")

    house.add(order("b", payment_token=ONHOLD))
    report = house.run()
    assert (report.code, house.accepted()) == (0, {"a": 1, "b": 1})
    assert report.figures.balances["USD"].balanced
