"""Reconciliation: the same orders in three books, and whoever lost or changed one is named with the command that settles it."""

import shutil
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from batch import comparing
from batch.provider_list import lay_down_list
from jobs.output import Options
from jobs.reconcile import reconcile_with
from schemas.states import OPEN
from tests.night.comparing import add_at_provider, change_at_provider, compare, differing, lose_at_provider
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, COMPLETED, ONHOLD, House, order
from tests.night.requests import completed, refund

IDS = ("000471", "000472", "000473", "000474")


def out(house: House, *, token: str = ONHOLD) -> None:
    """Four orders are at the provider, which works on them, and every row shows that."""
    house.add(*(order(each, payment_token=token, amount_minor=1000 + int(each[-1])) for each in IDS))
    assert house.run().code == 0
    house.pass_time(hours=2)
    assert house.run("poll").code in (0, 10)
    assert set(house.states().values()) == {"pending"} or token != ONHOLD


def test_books_that_agree_leave_nothing_behind(house: House) -> None:
    """Where all books agree the run is clean, changes nothing but its own record, and counts each order in each book."""
    out(house)
    before = {name: rows for name, rows in house.ledger_rows().items() if name not in ("comparison", "event")}
    report, compared = compare(house)
    assert (report.code, compared.orders, compared.equal, compared.differing) == (0, 4, 4, 0)
    assert {name: rows for name, rows in house.ledger_rows().items() if name not in ("comparison", "event")} == before
    counted = {(book.value, state): total.orders for (book, _, _, state), total in compared.totals.items()}
    assert counted == {("ledger", "pending"): 4, ("orders", "pending"): 4, ("provider", "onhold"): 4}
    assert {total.amount_minor for total in compared.totals.values()} == {4010}
    assert (compared.handed_over, compared.acknowledged, compared.answered, len(compared.files)) == (4, 4, 0, 1)
    assert compared.is_list_whole


def test_the_provider_lost_one(house: House) -> None:
    """An order that the provider accepted and shows no more stays as it is, and a person is told."""
    out(house)
    lose_at_provider(house, "000472")
    report, compared = compare(house)
    assert (report.code, compared.equal, compared.asked_singly) == (10, 3, 1)
    assert {each: match for each, (match, _) in differing(house).items()} == {"000472": "missing_at_provider"}
    assert house.items() == [("contradiction", "reconcile:000472")]
    assert (house.state("000472"), house.row("000472")["status"]) == ("pending", "pending")
    assert not house.retry_takes("000472")


def test_one_that_was_sent_just_now_is_not_missed_yet(house: House) -> None:
    """What the provider does not show within the ingest window is named, and told to nobody."""
    house.add(order())
    assert house.run().code == 0
    lose_at_provider(house, "000471")
    assert compare(house)[0].code == 0
    assert differing(house)["000471"][0] == "missing_at_provider"
    assert house.items() == []


@pytest.mark.parametrize(
    ("changed", "match", "kind"),
    [
        ({"amount_minor": 5}, "amount_differs", "amount_differs"),
        ({"currency": "EUR"}, "amount_differs", "amount_differs"),
        ({"status": "cancelled"}, "state_differs", "write_back_conflict"),
        ({"status": "completed"}, "state_differs", "contradiction"),
        ({"hold_reference": "theirs"}, "state_differs", "write_back_conflict"),
    ],
)
def test_the_merchant_changed_one(house: House, changed: dict[str, object], match: str, kind: str) -> None:
    """A row with another amount, currency, status or hold than ours is named; a pending order never counts as completed."""
    out(house)
    house.change("000473", **changed)
    report, _ = compare(house)
    assert report.code == 10
    assert {each: found for each, (found, _) in differing(house).items()} == {"000473": match}
    assert [found for found, _ in house.items()] == [kind]
    assert house.state("000473") == "pending"
    assert {name: house.row("000473")[name] for name in changed} == changed


def test_the_merchant_deleted_one(house: House) -> None:
    """A row that is gone is named."""
    out(house)
    house.sql("DELETE FROM orders WHERE order_id='000473'")
    assert compare(house)[0].code == 10
    assert differing(house)["000473"][0] == "missing_in_orders"


def test_we_missed_one(house: House) -> None:
    """An order that the provider has and the ledger does not know is named, and so is a hold of ours without a claim."""
    out(house)
    add_at_provider(house, "000471", order_id="stranger", order_session_key="9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", amount=777)
    report, compared = compare(house)
    assert (report.code, compared.equal) == (10, 4)
    assert {each: match for each, (match, _) in differing(house).items()} == {"stranger": "missing_in_ledger"}
    assert house.items() == [("contradiction", "reconcile-unknown:orders")]
    ((item_id,),) = [tuple(row.values()) for row in house.ledger("SELECT item_id FROM item WHERE closed_at IS NULL")]
    assert item_id
    assert compare(house)[0].code == 0, "what a person was told of is not told again while it stands"


def test_we_missed_an_end(house: House) -> None:
    """An order that ended since it was last asked about is due for its read, which alone ends it; nobody is called for that."""
    house.add(order())
    assert house.run().code == 0
    house.pass_time(hours=2)
    report, _ = compare(house)
    assert report.code == 0
    match, words = differing(house)["000471"]
    assert match == "state_differs"
    assert words.endswith("the next poll reads it, and goes to completed: mitbatch poll")
    assert (house.state(), house.row()["status"], house.items()) == ("pending", "pending", [])
    assert house.run("poll").code == 0
    assert house.state() == "completed"
    compare(house)
    assert differing(house) == {}


def test_what_stays_different_for_a_day_needs_a_person(house: House) -> None:
    """A difference that the next poll should have settled, and that still stands the day after, is told once."""
    house.add(order())
    house.run()
    house.pass_time(hours=2)
    assert compare(house)[0].code == 0
    house.pass_time(days=1)
    report, _ = compare(house)
    assert (report.code, house.items()) == (10, [("contradiction", "reconcile:000471")])
    (row,) = house.ledger("SELECT first_seen_date FROM comparison_row ORDER BY rowid DESC LIMIT 1")
    assert row["first_seen_date"] == "2026-11-23"
    house.run("poll")
    compare(house)
    assert house.items() == [], "the books agree again"


def test_a_house_charge_on_a_held_order_is_seen_once(house: House) -> None:
    """Drift: the merchant's own retry at a held order opens a case, stands in the order's chain, and is counted at once."""
    out(house)
    house.change("000474", retry_state="in_flight")
    report, compared = compare(house)
    assert (report.code, compared.house_charges, compared.differing) == (10, 1, 1)
    assert house.items() == [("double_charge", "charge:000474")]
    (event,) = house.ledger("SELECT * FROM event WHERE kind='house_charge'")
    assert (event["subject"], event["from_state"], event["to_state"]) == ("order:000474", "pending", "pending")
    report, compared = compare(house)
    assert (report.code, compared.house_charges) == (0, 1)
    assert len(house.ledger("SELECT * FROM event WHERE kind='house_charge'")) == 1


def test_a_held_row_that_shows_paid_is_drift(house: House) -> None:
    """Paid in-house while the provider works on it: the customer may be charged twice."""
    out(house)
    house.change("000474", status="paid")
    report, compared = compare(house)
    assert (report.code, compared.house_charges) == (10, 1)
    assert ("double_charge", "charge:000474") in house.items()
    assert house.row("000474")["status"] == "paid"


def test_a_charge_after_the_release_is_nobodys_business(house: House) -> None:
    """What the provider gave up is the merchant's own again, whatever is done with it."""
    house.add(order(payment_token=CANCELLED))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.state() == "declined"
    assert house.retry_takes()
    report, compared = compare(house)
    assert (report.code, compared.house_charges, compared.differing) == (0, 0, 0)
    house.change("000471", status="paid", amount_minor=5)
    assert compare(house)[0].code == 0


def test_refunds_are_reflected(make_house: MakeHouse) -> None:
    """A refund of ours is equal in all books; where the row or the provider shows another sum, that is named."""
    house = make_house(shows_refunds=True)
    completed(house, "000471", "000472")
    assert refund(house, "5.00")[0] == 0
    assert refund(house, "5.00", "000472")[0] == 0
    report, compared = compare(house)
    assert (report.code, compared.asked_singly, differing(house)) == (0, 2, {})
    house.change("000471", refunded_minor=499)
    change_at_provider(house, "000472", refunds=(700,))
    compare(house)
    found = differing(house)
    assert found["000471"][0] == "amount_differs"
    assert "its row shows USD 4.99" in found["000471"][1]
    row = house.ledger("SELECT difference_minor FROM comparison_row WHERE order_id='000471'")[-1]
    assert row["difference_minor"] == 1
    assert found["000472"][0] == "amount_differs"
    assert "the provider gave back USD 7.00 of it, the ledger knows of USD 5.00" in found["000472"][1]


def test_a_refund_in_the_portal_is_reflected(house: House) -> None:
    """What somebody gave back in the provider's portal makes the order due, and the next poll has it in ledger and row."""
    house.add(order(payment_token=COMPLETED.replace("a001", "a00b")))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.state() == "completed"
    house.pass_time(days=5)
    compare(house)
    match, words = differing(house)["000471"]
    assert (match, words.startswith("the provider says Returned; the next poll reads it")) == ("state_differs", True)
    house.run("poll")
    assert (house.state(), house.row()["refunded_minor"]) == ("refunded", 1999)
    assert compare(house)[1].differing == 0


def test_two_orders_for_one_id_are_told(house: House) -> None:
    """An order that the provider has twice was sent twice: nothing is graver."""
    out(house)
    add_at_provider(house, "000471", order_session_key="9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d")
    report, _ = compare(house)
    assert report.code == 10
    assert "twice" in differing(house)["000471"][1]


def test_with_all_every_active_order_is_written(house: House) -> None:
    """`--all` writes equal orders as well."""
    out(house)
    compare(house, everything=True)
    assert {match for match, _ in differing(house).values()} == {"equal"}
    assert set(differing(house)) == set(IDS)


def test_without_the_provider_the_others_are_compared(house: House) -> None:
    """An API that is away leaves ledger and rows to be compared; the run says that nothing was sent and may be repeated."""
    out(house)
    house.change("000473", amount_minor=5)
    house.sandbox.faults.switch_on("service_unavailable", times=99)
    report, compared = compare(house)
    assert not compared.is_list_had
    assert report.code == 10
    assert set(differing(house)) == {"000473"}
    report, compared = compare(house)
    assert report.code == 20
    assert any(problem.code == "MB-API-UNREACHABLE" for problem in report.findings.problems)


def test_an_account_that_may_not_read_orders_compares_the_rest(make_house: MakeHouse) -> None:
    """Where orders cannot be read (`outcomes.ask`), the provider is not asked at all."""
    house = make_house()
    house.set(outcomes={"ask": "outcome"})
    out(house)
    report, compared = compare(house)
    assert (report.code, compared.is_list_had, compared.equal) == (0, False, 4)


def test_pages_that_lie_cost_reads_and_prove_nothing(make_house: MakeHouse) -> None:
    """A list that ends too early leaves nothing missing: what it does not show is asked about alone."""
    house = make_house()
    out(house)
    house.sandbox.faults.switch_on("page_skips", times=9)
    report, compared = compare(house)
    assert (report.code, compared.equal, differing(house)) == (0, 4, {})


def test_states_stay_as_they_are(house: House) -> None:
    """Whatever is found, no order moves: only a read of its own ends one."""
    out(house, token=COMPLETED)
    house.change("000471", status="completed")
    house.change("000472", retry_state="in_flight")
    lose_at_provider(house, "000473")
    states = house.states()
    for _ in range(3):
        compare(house)
    assert house.states() == states
    assert all(
        row["from_state"] == row["to_state"]
        for row in house.ledger("SELECT * FROM event WHERE source='reconcile'")
        if row["from_state"]
    )
    assert {*states.values()} <= {*OPEN, "completed"}


@pytest.mark.parametrize("named", ["4111111111111111", "=cmd|' /C calc'!A0", "x" * 300, "\u202egnp.exe", ""])
def test_whatever_the_list_calls_a_stranger_it_is_kept_harmless(house: House, named: str) -> None:
    """Hostile ids in the provider's list stop nothing, and no card number and no formula gets into finance's file."""
    out(house)
    add_at_provider(house, "000471", order_id=named, order_session_key="9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d")
    report, compared = compare(house)
    assert (report.code, compared.equal) == (10, 4)
    (row,) = house.audit("reconciliation")
    assert row["match"] == "missing_in_ledger"
    written = house.audit_bytes()["reconciliation.csv"].decode("utf-8-sig")
    assert "4111111111111111" not in written
    assert '"=' not in written
    assert compare(house)[1].strangers == 1


def test_a_nightly_that_waits_gets_its_turn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison stops at its next step for a nightly that waits, with 21, and leaves nothing half-finished that counts."""
    out(house)
    house.change("000473", amount_minor=5)

    def wanted(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - what it is given
        found = lay_down_list(*given, **more)
        with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
            connection.execute("UPDATE lease SET wanted_by = 'a nightly'")
        return found

    monkeypatch.setattr(comparing, "lay_down_list", wanted)
    report, compared = reconcile_with(house.settings, Options(config=house.config, quiet=True), clock=house.clock)
    assert (report.code, compared) == (21, None)
    assert house.ledger("SELECT * FROM comparison") == []
    assert len(house.ledger("SELECT * FROM listed_order")) == 4
    monkeypatch.undo()
    assert compare(house)[1].differing == 1
    assert house.ledger("SELECT * FROM listed_order") == []


def test_a_ledger_that_knows_nothing_is_told_of_all_that_is_out(house: House) -> None:
    """A new and empty ledger, and no marks of what left, where orders are at the provider: every one of them is named."""
    out(house)
    house.ledger_path.unlink()
    shutil.rmtree(house.settings.data_dir / "sent")
    report, compared = compare(house)
    assert (report.code, compared.orders, compared.strangers) == (10, 0, 4)
    rows = house.audit("reconciliation")
    assert [(row["order_id"], row["match"], row["orders_status"]) for row in rows] == [
        (each, "missing_in_ledger", "pending") for each in IDS
    ]
    lose_at_provider(house, "000471")
    assert compare(house)[1].strangers == 4, "its row bears a hold of ours that this ledger did not place"


def test_what_a_person_noted_stays_noted_without_the_provider(make_house: MakeHouse) -> None:
    """Where no list is ever had, a difference that was noted is not told again either."""
    house = make_house()
    house.set(outcomes={"ask": "off"})
    house.add(order(payment_token=ONHOLD))
    house.run()
    house.change("000471", amount_minor=5)
    assert compare(house)[0].code == 10
    noted = house.cli("review", "resolve", "reconcile:000471", "--as", "noted", "--reason", "known", "--yes")
    assert noted.returncode == 0, noted.stderr
    house.pass_time(days=1)
    report, compared = compare(house)
    assert (report.new_items, compared.differing, house.items()) == (0, 1, [])


def test_what_a_dead_comparison_left_behind_is_cleared(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one that broke off before its end count for nothing, and the next takes them away."""
    out(house)
    house.change("000473", amount_minor=5)
    monkeypatch.setattr(comparing, "compare_strangers", lambda *_given, **_more: 1 // 0)
    report, compared = reconcile_with(house.settings, Options(config=house.config, quiet=True), clock=house.clock)
    assert (report.code, compared) == (70, None)
    assert len(house.ledger("SELECT * FROM comparison_row")) == 1
    assert house.audit("reconciliation") == []
    monkeypatch.undo()
    compare(house)
    assert len(house.ledger("SELECT * FROM comparison_row")) == 1
    assert len(house.audit("reconciliation")) == 1
