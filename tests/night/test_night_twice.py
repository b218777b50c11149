"""A night run twice: the second sends nothing, changes nothing, and writes the same files for finance."""

import json
from collections import Counter

import pytest

from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, DAY, ONHOLD, REFUSED, House, order, paid


def test_the_second_night_sends_and_changes_nothing(house: House) -> None:
    """A second nightly leaves ledger, orders table and audit files as they are, byte for byte."""
    house.add(
        order("a"),
        order("b", payment_token=CANCELLED, currency="EUR", site="acme-eu"),
        order("c", payment_token=ONHOLD),
        order("old", charged_at="2026-11-20T03:00:00Z"),
        order("web", origin="website"),
        order("\u00e9", attempts_30d=15),
        paid(),
    )
    first = house.run()
    before = house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()
    second = house.run()
    assert (first.code, second.code) == (0, 0)
    assert (house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()) == before
    assert house.accepted() == Counter(["a", "b", "c"])
    assert second.findings.delivered == []


def test_a_poll_with_nothing_due_changes_nothing(house: House) -> None:
    """A poll before anything is due leaves ledger, orders table and audit files as they are."""
    house.add(order("a"), order("b"))
    house.run()
    before = house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()
    house.pass_time(seconds=60)
    assert house.run("poll").code == 0
    assert (house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()) == before


def test_the_second_night_after_refusals_changes_nothing(house: House) -> None:
    """Refused rows and card numbers redden the first night only; the second changes no byte."""
    house.add(order("a"), order("b", payment_token=REFUSED), order("c", last_name="4111 1111 1111 1111"))
    first = house.run()
    before = house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()
    second = house.run()
    assert (first.code, second.code) == (10, 0)
    assert (house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()) == before


def test_the_second_night_after_the_outcomes_changes_nothing(house: House) -> None:
    """Once every order has ended, a night of the same date changes no byte."""
    house.add(order("a"), order("b", payment_token=CANCELLED))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.states() == {"a": "completed", "b": "declined"}
    before = house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()
    assert house.run().code == 0
    assert (house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()) == before


def test_2001_orders_make_two_files(house: House) -> None:
    """Of 2,001 orders 2,000 travel in the first file and one in the second, each once."""
    house.add(*(order(f"{number:05}") for number in range(2001)))
    assert house.run().code == 0
    sizes = [row["row_count"] for row in house.ledger("SELECT row_count FROM batch ORDER BY rowid")]
    assert sizes == [2000, 1]
    assert len(house.received()) == 2
    assert house.accepted() == Counter(f"{number:05}" for number in range(2001))
    positions = [(row["file"], row["sequence_number"]) for row in house.sandbox.accepted("evaluate")]
    assert len(set(positions)) == 2001
    assert Counter(house.states().values()) == {"pending": 2001}


def test_no_orders_make_no_file(house: House) -> None:
    """A night without candidates sends nothing, asks for no token, and is clean."""
    report = house.run()
    assert report.code == 0
    assert [row["event"] for row in house.sandbox.journal()] == []
    assert house.audit("declines") == []


def test_no_file_where_nobody_may_go(house: House) -> None:
    """A night in which every candidate is refused sends nothing and is clean."""
    house.add(order("a", payment_token=None), order("b", origin="website"))
    assert house.run().code == 0
    assert house.received() == []
    assert house.reasons() == {"a": ("skipped", "missing_token"), "b": ("skipped", "switched_off")}


@pytest.mark.parametrize(("evaluate_format", "transmit_format"), [("json", "csv"), ("csv", "json")])
def test_both_formats_arrive(house: House, evaluate_format: str, transmit_format: str) -> None:
    """Declines and copies arrive in either format, with amount, currency and idempotency key as the ledger has them."""
    house.set(channels={"evaluate_format": evaluate_format, "transmit_format": transmit_format})
    house.add(order("000471", amount_minor=1, address_line2='a "quoted",\r\nline'), order("7"), paid("p"))
    assert house.run().code == 0
    assert house.run("transmit").code == 0
    (claimed,) = house.ledger("SELECT idempotency_key FROM submission WHERE order_id='000471'")
    taken = {row["order_id"]: row for row in house.sandbox.accepted("evaluate")}
    assert (taken["000471"]["amount"], taken["000471"]["currency"]) == (1, "USD")
    assert taken["000471"]["idempotency_key"] == claimed["idempotency_key"]
    assert sorted(name.rpartition(".")[2] for name in house.received()) == sorted([evaluate_format, transmit_format])
    assert house.states() == {"000471": "pending", "7": "pending"}
    assert house.accepted("transmit") == Counter(["p"])


def test_what_finance_gets(house: House) -> None:
    """Every file of the audit is there, the manifest names each, and the books of the day close."""
    house.add(order("a"), order("b", payment_token=REFUSED), order("c", charged_at="2026-11-20T03:00:00Z"))
    report = house.run()
    written = house.audit_bytes()
    names = {"declines", "submissions", "outcomes", "holds", "transmissions", "refunds", "review", "reconciliation", "summary"}
    assert {f"{name}.csv" for name in names} | {"README.txt", "manifest.json"} == set(written)
    manifest = json.loads(written["manifest.json"])
    assert manifest["as_of"] == max(row["at"] for row in house.ledger("SELECT at FROM event"))
    lines = [row for row in house.audit("summary") if (row["section"], row["currency"]) == ("held", "USD")]
    held = {row["line"]: int(row["orders"]) for row in lines}
    assert (held["opening"], held["claimed"], held["rejected"], held["closing"]) == (0, 2, 1, 1)
    assert report.audit is not None
    assert report.audit.balanced
    assert [row["state"] for row in house.audit("submissions")] == ["pending", "rejected"]
    assert {row["business_date"] for row in house.audit("declines")} == {DAY}


def test_a_night_resumes_nothing_of_another_date_twice(make_house: MakeHouse) -> None:
    """The night after sends only what is new; the first night's orders stay where they are."""
    house = make_house()
    house.add(order("a"))
    house.run()
    house.pass_time(days=1)
    house.add(order("b", charged_at="2026-11-24T03:00:00Z"))
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])
    assert set(house.reasons("2026-11-24")) == {"b"}
