"""`review.csv`: what waited for a person, as the ledger had it at the end of the day, whenever the file is written."""

import json
from pathlib import Path

import pytest

from batch.provider_words import WITHHELD
from schemas.audit_columns import ROW_FILES
from tests.audit.conftest import MakeBooks
from tests.audit.ledger_builder import LedgerBuilder
from tests.audit.reading_back import bytes_of, rows_of

MONDAY, TUESDAY, WEDNESDAY = "2026-11-23", "2026-11-24", "2026-11-25"
COLUMNS = (
    "business_date mid site order_id currency amount_minor amount review_id kind opened_at due_date age_days ledger_says"
    " provider_says orders_say at_risk_minor at_risk proposed_action command closed_at closed_by resolution resolution_reason"
    " row_check"
)


def fill(ledger: LedgerBuilder) -> None:
    """Monday: two orders at the provider, one contradiction, one file set aside. Tuesday: the contradiction is decided."""
    ledger.day = MONDAY
    ledger.send("a", "b", currency="JPY", amount=500)
    ledger.accept("a", "b")
    ledger.write_back("a", "pending")
    ledger.move("a", "review")
    ledger.item("i-order", "contradiction", "order:a", "two final answers: COMPLETED and DECLINED")
    ledger.item("i-qfile", "quarantine", "file:acks.csv", "set aside: row 1 is no row with these columns")
    ledger.day = TUESDAY
    ledger.move("a", "completed", recovered_minor=500)
    ledger.write_back("a", "completed")
    ledger.close_item("i-order", "provider-is-right", "ann@desk", "they called")


def review(books: MakeBooks, day: str) -> dict[str, dict[str, str]]:
    """The rows of one day by item."""
    return {row["review_id"]: row for row in rows_of(books().write(day).folder / "review.csv")}


def test_the_columns() -> None:
    """They are the public ones, in their order."""
    assert ROW_FILES["review"] == tuple(COLUMNS.split())


def test_an_open_item_shows_all_three_sides(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """What the ledger, the provider and the order row said that day, the money in the order's currency, what may be decided."""
    fill(ledger)
    row = review(make_books, MONDAY)["i-order"]
    assert [row[name] for name in ("order_id", "site", "currency", "amount_minor", "amount", "at_risk_minor", "at_risk")] == [
        "a", "acme-us", "JPY", "500", "500", "500", "500",
    ]  # fmt: skip
    assert (row["ledger_says"], row["provider_says"], row["orders_say"]) == (
        "review",
        "two final answers: COMPLETED and DECLINED",
        "pending",
    )
    assert row["proposed_action"] == "provider-is-right | support-confirmed-no-rescue"
    assert row["command"] == 'mitbatch review resolve i-order --as DECISION --reason "..." --dry-run'
    assert [row[name] for name in ("closed_at", "closed_by", "resolution", "resolution_reason")] == [""] * 4
    assert (row["age_days"], row["due_date"]) == ("0", "2026-11-26")


def test_a_closed_item_says_who_and_why_and_is_gone_the_day_after(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """On the day of the decision it has its row with the resolution and nothing to do; on the next day it has none."""
    fill(ledger)
    row = review(make_books, TUESDAY)["i-order"]
    assert row["closed_at"].startswith(TUESDAY)
    assert (row["closed_by"], row["resolution"], row["resolution_reason"]) == ("ann@desk", "provider-is-right", "they called")
    assert (row["age_days"], row["proposed_action"], row["command"]) == ("1", "", "")
    assert (row["ledger_says"], row["orders_say"]) == ("completed", "completed")
    assert set(review(make_books, WEDNESDAY)) == {"i-qfile"}


def test_an_item_of_a_file_has_no_order_and_its_reason(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Its order and its amounts are empty; the file and the reason stand under what the provider says; it comes first."""
    fill(ledger)
    rows = review(make_books, WEDNESDAY)
    row = rows["i-qfile"]
    assert {row[name] for name in ("site", "order_id", "currency", "amount_minor", "amount", "at_risk_minor", "at_risk")} == {""}
    assert row["provider_says"] == "file:acks.csv: set aside: row 1 is no row with these columns"
    assert (row["ledger_says"], row["orders_say"], row["age_days"]) == ("", "", "2")
    assert row["command"].startswith("mitbatch review resolve i-qfile --as noted ")
    assert list(review(make_books, MONDAY)) == ["i-qfile", "i-order"]


def test_a_day_that_is_written_again_has_the_same_bytes(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """What was decided, learnt, claimed or opened later changes nothing of an earlier day's file."""
    fill(ledger)
    ledger.day = MONDAY
    before = bytes_of(make_books().write(MONDAY).folder)
    tuesday = bytes_of(make_books().write(TUESDAY).folder)
    ledger.day = WEDNESDAY
    ledger.move("a", "refunded")
    ledger.write_back("a", "refunded")
    ledger.close_item("i-qfile", "noted", "ann@desk", "mended")
    ledger.item("i-new", "quarantine", "file:acks.csv", "set aside again")
    assert bytes_of(make_books().write(MONDAY).folder) == before
    assert bytes_of(make_books().write(TUESDAY).folder) == tuesday
    assert set(review(make_books, WEDNESDAY)) == {"i-qfile", "i-new"}


def test_a_day_ends_at_the_merchant_s_midnight(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """An item that a run closed after midnight is open on the day before, and closed on the day after."""
    ledger.day = MONDAY
    ledger.item("late", "quarantine", "file:x", "set aside")
    ledger.day = TUESDAY
    ledger.close_item("late", "could be read")
    zone = {"schedule": {"timezone": "Asia/Tokyo"}}  # 07:00:02 UTC on Tuesday is Tuesday there as well
    for root, sections in (("utc", {}), ("tokyo", zone)):
        books = make_books(root, **sections)
        (monday,), (tuesday,) = (rows_of(books.write(day).folder / "review.csv") for day in (MONDAY, TUESDAY))
        assert (monday["closed_at"], monday["resolution"], monday["age_days"]) == ("", "", "0")
        assert (tuesday["resolution"], tuesday["age_days"], tuesday["closed_by"]) == ("could be read", "1", "")


@pytest.mark.parametrize(
    ("closed_date", "open_on_monday", "ages"),
    [(MONDAY, False, ["0"]), (TUESDAY, True, ["0", "1"]), (None, True, ["0", "1"])],
    ids=["booked on Monday", "booked on Tuesday", "of an older version"],
)
def test_the_run_s_date_counts_and_not_the_clock(
    ledger: LedgerBuilder, make_books: MakeBooks, closed_date: str | None, open_on_monday: bool, ages: list[str]
) -> None:
    """What Monday's run closes after midnight is closed on Monday; where no date is booked the time decides."""
    ledger.day = MONDAY
    ledger.item("late", "quarantine", "file:x", "set aside")
    ledger.close_item("late", "could be read")
    ledger.date_end_of_item("late", f"{TUESDAY}T08:10:00Z", closed_date)
    rows = [row for day in (MONDAY, TUESDAY) for row in rows_of(make_books().write(day).folder / "review.csv")]
    assert bool(rows[0]["closed_at"]) is not open_on_monday
    assert [row["age_days"] for row in rows] == ages


def test_hostile_words_are_guarded_cut_and_withheld(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """A formula gets its apostrophe, a line feed its escape, a card number is never shown, and a long text is cut."""
    ledger.day = MONDAY
    ledger.send("=1+1")
    ledger.item("i-1", "unknown_status", "order:=1+1", "=HYPERLINK(1)\nnew")
    ledger.item("i-2", "quarantine", "file:x", "row 4111 1111 1111 1111 is odd")
    ledger.item("i-3", "quarantine", "file:y", "z" * 5000)
    report = make_books().write(MONDAY)
    content = (report.folder / "review.csv").read_bytes()
    rows = {row["review_id"]: row for row in rows_of(report.folder / "review.csv")}
    assert b'"\'=HYPERLINK(1)\\nnew"' in content
    assert b'"\'=1+1"' in content
    assert b"4111 1111" not in content
    assert rows["i-2"]["provider_says"] == WITHHELD
    assert len(rows["i-3"]["provider_says"]) == 1000
    assert rows["i-1"]["order_id"] == "=1+1"


def test_what_stood_in_the_order_system_is_told_under_its_own_name(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """A card number in a row, a row that the merchant changed: the reason stands under orders_say; what is unknown is empty."""
    ledger.day = MONDAY
    ledger.decide("pan:1a2b", reason="pan_found", amount_minor=None, currency="", site="", cells={"origin": "recurring"})
    ledger.item("i-pan", "pan_found", "order:pan:1a2b", "a card number stands in a field")
    ledger.send("kept")
    ledger.accept("kept")
    ledger.item("i-kept", "write_back_conflict", "order:kept", "the merchant changed the row")
    rows = review(make_books, MONDAY)
    assert (rows["i-pan"]["order_id"], rows["i-pan"]["amount"], rows["i-pan"]["at_risk"]) == ("pan:1a2b", "", "")
    assert (rows["i-pan"]["orders_say"], rows["i-pan"]["provider_says"]) == ("a card number stands in a field", "")
    assert (rows["i-kept"]["orders_say"], rows["i-kept"]["provider_says"]) == ("the merchant changed the row", "SUBMITTED")


def test_what_only_the_ledger_knows_is_told_under_its_own_name(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """A comparison, a night that was missed or odd, a file that waits: nothing of it is the provider's word or the row's."""
    ledger.day = MONDAY
    ledger.send("a")
    ledger.accept("a")
    ledger.write_back("a", "pending")
    ledger.item("i-books", "amount_differs", "reconcile:a", "the books differ")
    ledger.item("i-charge", "double_charge", "charge:a", "your own retry is at it")
    ledger.item("i-none", "contradiction", "reconcile-unknown:orders", "1 order is unknown")
    ledger.item("i-run", "run_missed", "run:nightly", "a night was missed")
    ledger.item("i-file", "switched_off", "batch:b00000000001", "it waits")
    says = {
        item: (row["ledger_says"], row["provider_says"], row["orders_say"]) for item, row in review(make_books, MONDAY).items()
    }
    assert says == {
        "i-books": ("pending: the books differ", "SUBMITTED", "pending"),
        "i-charge": ("pending: your own retry is at it", "SUBMITTED", "pending"),
        "i-none": ("reconcile-unknown:orders: 1 order is unknown", "", ""),
        "i-run": ("run:nightly: a night was missed", "", ""),
        "i-file": ("delivered: batch:b00000000001: it waits", "", ""),
    }


def test_items_of_a_file_and_of_overdue_orders_know_their_state(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """A file's step and an order's state stand under ledger_says; what is overdue or hinted at is about its order."""
    ledger.day = MONDAY
    ledger.send("a")
    ledger.item("i-batch", "missing_acknowledgement", "batch:b00000000001", "no answer came")
    ledger.item("i-over", "unknown_status", "overdue:a", "no end is known")
    rows = review(make_books, MONDAY)
    assert (rows["i-batch"]["ledger_says"], rows["i-batch"]["order_id"]) == ("delivered", "")
    assert rows["i-batch"]["proposed_action"].startswith("uploaded-by-hand | ")
    assert (rows["i-over"]["ledger_says"], rows["i-over"]["order_id"]) == ("sending", "a")


def test_a_request_risks_what_it_asks_for(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """An item about a refund names its order with the order's amount; at risk is the refund's, and the state is the refund's."""
    ledger.day = MONDAY
    ledger.send("a")
    ledger.accept("a")
    ledger.move("a", "completed", recovered_minor=1999)
    ledger.request("op-1", "a", 300)
    ledger.item("i-1", "action_in_doubt", "operation:op-1", "no clear answer")
    row = review(make_books, MONDAY)["i-1"]
    assert (row["order_id"], row["amount_minor"], row["at_risk"], row["ledger_says"]) == ("a", "1999", "3.00", "in_doubt")
    assert row["proposed_action"] == "support-confirmed-it-happened | support-confirmed-it-did-not"


def test_an_order_that_was_never_claimed_shows_what_the_gate_saw(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Its site, currency and amount are those of its last verdict by that day; of an order without one only the id is known."""
    for day, amount in ((MONDAY, 1999), (TUESDAY, 2100)):
        ledger.day = day
        ledger.decide("judged", reason="pan_found", amount_minor=amount)
        ledger.item(f"i-{day}", "pan_found", f"order:{'judged' if day == MONDAY else 'stranger'}", "a card number")
    rows = review(make_books, TUESDAY)
    assert [(row["order_id"], row["site"], row["amount"]) for row in rows.values()] == [
        ("stranger", "", ""), ("judged", "acme-us", "21.00"),
    ]  # fmt: skip
    assert review(make_books, MONDAY)[f"i-{MONDAY}"]["amount"] == "19.99"


def test_a_later_claim_and_a_late_booking_change_no_earlier_day(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """A claim of Tuesday with another amount is unknown on Monday, and so is what was booked on Monday after Tuesday began."""
    ledger.day = MONDAY
    ledger.send("a", amount=500)
    ledger.move("a", "rejected", source="acknowledgement")
    ledger.item("i-1", "row_refused", "order:a", "refused")
    before = review(make_books, MONDAY)["i-1"]
    ledger.day = TUESDAY
    ledger.claim("a", batch_id="b00000000002", amount=700)
    ledger.day = MONDAY
    ledger.move("a", "held", source="hold")
    assert review(make_books, MONDAY)["i-1"] == before
    assert (before["ledger_says"], before["amount"]) == ("rejected", "5.00")
    later = review(make_books, TUESDAY)["i-1"]
    assert later["amount"] == "7.00"


def test_the_manifest_lists_it(ledger: LedgerBuilder, make_books: MakeBooks, tmp_path: Path) -> None:
    """With its rows and the amounts per currency; nothing of it is money that moved."""
    fill(ledger)
    report = make_books().write(MONDAY)
    files = {file["name"]: file for file in json.loads((tmp_path / "audit" / MONDAY / "manifest.json").read_text())["files"]}
    assert (files["review.csv"]["rows"], files["review.csv"]["amount_minor"], files["review.csv"]["signed"]) == (
        2,
        {"JPY": 500},
        {},
    )
    assert report.files["review.csv"] == 2
    assert "review.csv" in (report.folder / "README.txt").read_text()
