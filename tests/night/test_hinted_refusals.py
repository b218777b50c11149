"""News of an order that was refused here, where nobody may search for it: it waits, and a person says when it may go again."""

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from schemas.errors import ExitCode, UsageRefused
from tests.night.house import DAY, House, order
from tests.night.test_corrections import REFUSED, corrected, first_batch, mended
from tests.night.test_review import decide, the_item
from tests.webhooks.keeping import keep
from tests.webhooks.signing import payload

WAYS: dict[str, dict[str, Any]] = {"outcome": {"ask": "outcome"}, "off": {"ask": "off", "trust_files": True}}


def refused(house: House, way: str) -> House:
    """The provider has refused one order, its row was mended, and there is news of it by our own id."""
    house.set(outcomes={**WAYS[way], "acknowledgement_wait_seconds": 4})
    house.add(order("a", payment_token=REFUSED))
    house.run()
    assert house.state("a") == "rejected"
    decide(house, the_item(house), "noted")
    news(house)
    mended(house, "a")
    return house


def news(house: House) -> None:
    """A webhook names the order by our id."""
    keep(house, payload("order.completed", ExternalOrderId="a", OrderId=None))


@pytest.mark.parametrize("way", WAYS)
def test_a_person_is_told_and_lets_it_go_on(house: House, way: str) -> None:
    """The news opens an item, once; while it stands the order is not claimed, and once it is noted it goes, once (I1, I2)."""
    refused(house, way)
    assert house.run("poll").code == ExitCode.NEEDS_PERSON
    assert house.items() == [("quarantine", "hint:a")]
    (item,) = house.ledger("SELECT explanation FROM item WHERE closed_at IS NULL")
    assert "once although it is rejected here" in item["explanation"]
    for _ in range(2):
        assert house.run().code == ExitCode.CLEAN
    assert (house.state("a"), house.reasons()["a"]) == ("rejected", ("skipped", "already_active"))
    assert house.accepted() == Counter()
    assert decide(house, the_item(house), "noted", dry_run=True) == ExitCode.CLEAN
    assert decide(house, the_item(house), "noted") == ExitCode.CLEAN
    house.run()
    assert (house.accepted(), house.items(), house.state("a")) == (Counter(["a"]), [], "pending")
    house.run()
    assert house.accepted() == Counter(["a"])


def test_more_news_is_another_item(house: House) -> None:
    """Who looked before the second piece of news came decides about nothing that is open any more."""
    refused(house, "outcome")
    house.run("poll")
    first = the_item(house)
    news(house)
    assert house.run("poll").code == ExitCode.NEEDS_PERSON
    assert the_item(house) != first
    with pytest.raises(UsageRefused, match="no open item"):
        decide(house, first, "noted")
    house.run()
    assert house.accepted() == Counter()
    assert [row["subject"] for row in house.ledger("SELECT subject FROM item WHERE closed_at IS NULL")] == ["hint:a"]


def test_where_orders_may_be_searched_for_a_search_answers(house: House) -> None:
    """Once outcomes.ask is orders the provider is asked: it does not have the order, the item closes, and it may go."""
    refused(house, "outcome")
    house.run("poll")
    house.set(outcomes={"ask": "orders"})
    assert house.run("poll").code == ExitCode.CLEAN
    assert house.items() == []
    house.run()
    assert house.accepted() == Counter(["a"])


def test_the_orders_story_shows_it(house: House) -> None:
    """`mitbatch explain` and finance's review show what stands open about the order."""
    refused(house, "outcome")
    house.run("poll")
    shown = house.cli("explain", "a").stdout
    assert "hint:a" in shown or "named it once" in shown
    assert house.audit("submissions", DAY)


def test_noting_it_late_stops_no_read(house: House) -> None:
    """The provider has the order after all and a person has said so: noting the older item leaves it to be read (I13)."""
    refused(house, "outcome")
    house.run("poll")
    item = the_item(house)
    corrected(house, first_batch(house), "a")
    house.run("poll")
    assert house.state("a") == "review"
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute("UPDATE item SET closed_at = NULL WHERE item_id = ?", [item])
        connection.execute("UPDATE submission SET state = 'pending', next_read_at = claimed_at WHERE order_id = 'a'")
    decide(house, item, "noted")
    assert house.ledger("SELECT next_read_at IS NOT NULL AS due FROM submission WHERE order_id = 'a'") == [{"due": 1}]
