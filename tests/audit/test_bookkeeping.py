"""Finance's folder, written from a real ledger: complete, balanced, and the same bytes whenever it is written."""

import csv
import hashlib
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from batch.book_entries import Total
from batch.bookkeeping import night_figures
from schemas.audit_columns import ROW_FILES, SUMMARY_COLUMNS
from tests.audit.conftest import ALONE, MakeBooks
from tests.audit.ledger_builder import CELLS, MID, LedgerBuilder
from tests.audit.reading_back import bytes_of, rows_of

MONDAY, TUESDAY, WEDNESDAY = "2026-11-23", "2026-11-24", "2026-11-25"
ENDS = ["completed", "declined", "expired", "cancelled"]


def fill_monday(ledger: LedgerBuilder) -> None:
    """A night: orders in two currencies go out, some are refused, withdrawn, in doubt, or never looked at."""
    ledger.day = MONDAY
    for name in ("0012", "=HYPERLINK(1)", *ENDS, "late", "no", "paid"):
        ledger.decide(name)
    ledger.decide("old", reason="too_old", amount_minor=700)
    ledger.decide("pan:1a2b3c4d", reason="pan_found", amount_minor=None, currency="", site="", cells={"origin": "recurring"})
    ledger.send("0012", "=HYPERLINK(1)", *ENDS, "late", "no")
    ledger.claim("paid")
    ledger.move("paid", "withdrawn", source="hold", reason="its status is 'paid'")
    ledger.send("doubt", batch_id="b00000000002", currency="EUR", amount=500)
    ledger.move("doubt", "in_doubt", source="send")
    ledger.accept("0012", "=HYPERLINK(1)", *ENDS, "late")
    ledger.move("no", "rejected", source="acknowledgement", error_code="E1", error_text="=bad\nrow", close_reason="refused")
    ledger.write_back("no", "not_recovered")


def fill_tuesday(ledger: LedgerBuilder) -> None:
    """The answers come in: one of every kind; a doubt is settled; a merchant changed a row."""
    ledger.day = TUESDAY
    ledger.step("b00000000001", "acknowledged")
    for state in ENDS:
        recovered = 1999 if state == "completed" else None
        ledger.move(state, state, provider_status=state.upper(), recovered_minor=recovered)
        ledger.write_back(state, "completed" if recovered else "not_recovered", "conflict" if state == "declined" else "yes")
    ledger.move("late", "expired")
    ledger.accept("doubt")
    ledger.claim("paid", batch_id="b00000000003")


def fill_wednesday(ledger: LedgerBuilder) -> None:
    """Contradictions: what had ended is open again, a recovery is doubted, and another is paid back."""
    ledger.day = WEDNESDAY
    ledger.move("late", "review", reason="completed after it had ended")
    ledger.move("completed", "review")
    ledger.move("0012", "completed", recovered_minor=1990)
    ledger.move("0012", "refunded")


def fill(ledger: LedgerBuilder) -> None:
    """Three days."""
    for fill_day in (fill_monday, fill_tuesday, fill_wednesday):
        fill_day(ledger)


def by_id(path: Path) -> dict[str, dict[str, str]]:
    """Rows by order id."""
    return {row["order_id"]: row for row in rows_of(path)}


def summary(folder: Path) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(currency, section, line) -> orders, amount_minor, of the only site."""
    rows = [row for row in rows_of(folder / "summary.csv") if row["site"]]
    return {(r["currency"], r["section"], r["line"]): (int(r["orders"]), int(r["amount_minor"] or 0)) for r in rows}


def test_writing_twice_changes_no_byte_and_no_file(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """The same ledger gives the same bytes, and files that would not change are not even touched."""
    fill(ledger)
    first = make_books().write(MONDAY)
    before, inodes = bytes_of(first.folder), {path.name: path.stat().st_ino for path in first.folder.iterdir()}
    second = make_books().write(MONDAY)
    assert second == first
    assert bytes_of(second.folder) == before
    assert {path.name: path.stat().st_ino for path in second.folder.iterdir()} == inodes
    assert set(before) == {*(f"{name}.csv" for name in (*ROW_FILES, "summary")), "README.txt", "manifest.json"}


def test_a_day_is_the_same_however_late_it_is_written(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Files written at the end of each day equal those rebuilt from nothing after all later days."""
    for day, fill_day in ((MONDAY, fill_monday), (TUESDAY, fill_tuesday), (WEDNESDAY, fill_wednesday)):
        fill_day(ledger)
        ledger.transmit(f"copy-{day}", f"t0000000{day[-2:]}00")
        make_books("then").write(day)
        ledger.step(f"t0000000{day[-2:]}00", "sending", "part_verified", "delivered")
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        make_books("then").write(day)
        later = make_books("later").write(day)
        assert bytes_of(later.folder) == bytes_of(later.folder.parents[1] / "then" / day)


def test_what_was_written_at_the_time_was_already_final(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Monday's bytes, written on Monday, are what Monday's bytes are on Wednesday."""
    fill_monday(ledger)
    monday = bytes_of(make_books().write(MONDAY).folder)
    fill_tuesday(ledger)
    fill_wednesday(ledger)
    assert bytes_of(make_books().write(MONDAY).folder) == monday


@pytest.mark.parametrize("day", [MONDAY, TUESDAY, WEDNESDAY])
def test_the_equation_closes_with_every_kind_of_end(ledger: LedgerBuilder, make_books: MakeBooks, day: str) -> None:
    """Per currency, sign times orders and sign times amount of the held section add up to nought, and states to closing."""
    fill(ledger)
    report = make_books().write(day)
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows_of(report.folder / "summary.csv"):
        if row["section"] == "held":
            sums[row["currency"], "orders"] += int(row["sign"]) * int(row["orders"])
            sums[row["currency"], "amount"] += int(row["sign"]) * int(row["amount_minor"])
        else:
            assert row["sign"] == ""
    assert report.balanced
    assert set(sums.values()) == {0}
    lines = summary(report.folder)
    for currency in ("USD", "EUR"):
        of_states = [found for key, found in lines.items() if key[:2] == (currency, "closing_by_state")]
        assert tuple(map(sum, zip(*of_states, strict=True))) == lines[currency, "held", "closing"]


def test_one_day_closes_where_the_next_opens(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Closing of a day is opening of the next, and open rows of holds.csv are the closing line."""
    fill(ledger)
    monday, tuesday, wednesday = (
        make_books().write_from(ALONE, MONDAY),
        make_books().write(TUESDAY),
        make_books().write(WEDNESDAY),
    )
    reports = [monday[0], tuesday, wednesday]
    for report, after in pairwise(reports):
        assert {c: b.closing for c, b in report.balances.items()} == {c: b.opening for c, b in after.balances.items()}
    for report in reports:
        still_open = Counter(row["currency"] for row in rows_of(report.folder / "holds.csv") if not row["closed_at"])
        assert still_open == Counter({c: b.closing.orders for c, b in report.balances.items()})


def test_the_balance_of_monday_in_figures(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Each currency has its own equation, counted from the events."""
    fill(ledger)
    balances = make_books().write(MONDAY).balances
    assert sorted(balances) == ["EUR", "USD"]
    usd, eur = balances["USD"], balances["EUR"]
    assert (usd.opening, usd.claimed, usd.released, usd.completed) == (Total(), Total(9, 9 * 1999), Total(2, 2 * 1999), Total())
    assert (eur.claimed, eur.closing) == (Total(1, 500), Total(1, 500))


def test_a_state_changed_behind_the_events_breaks_the_balance(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """A row that was set to another state without an event makes the report say that the books do not balance."""
    fill(ledger)
    for order_id, truth, lie in (("=HYPERLINK(1)", "pending", "completed"), ("expired", "expired", "pending")):
        ledger.tamper_with_state(order_id, lie)
        assert not make_books().write(WEDNESDAY).balanced
        ledger.tamper_with_state(order_id, truth)
        assert make_books().write(WEDNESDAY).balanced


def test_declines_say_why(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Selected, skipped and withdrawn orders stand in the bytes' order, each with its reason and what the row showed."""
    fill(ledger)
    folder = make_books().write(MONDAY).folder
    declines = by_id(folder / "declines.csv")
    assert list(declines) == ["pan:1a2b3c4d", "0012", "=HYPERLINK(1)", *sorted([*ENDS, "late", "no", "old", "paid"])]
    assert (declines["0012"]["decision"], declines["0012"]["batch_id"]) == ("selected", "b00000000001")
    assert declines["0012"]["charged_date"] == "2026-11-22"
    assert {name: declines["0012"][name] for name in CELLS} == CELLS
    assert (declines["old"]["decision"], declines["old"]["reason"], declines["old"]["batch_id"]) == ("skipped", "too_old", "")
    assert [declines["paid"][name] for name in ("decision", "reason", "reason_text")] == [
        "withdrawn",
        "withdrawn",
        "its status is 'paid'",
    ]
    assert [declines["pan:1a2b3c4d"][name] for name in ("currency", "amount_minor", "amount", "customer_id")] == [""] * 4
    lines = summary(folder)
    assert lines["USD", "intake", "candidates"] == (10, 9 * 1999 + 700)
    assert [lines["USD", "intake", line][0] for line in ("selected", "too_old", "withdrawn")] == [8, 1, 1]


def test_a_withdrawal_is_the_day_s_on_which_it_was_booked(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """An order that was taken back a day after its claim was still selected on the day of the claim."""
    ledger.decide("1")
    ledger.claim("1")
    ledger.day = TUESDAY
    ledger.move("1", "withdrawn", source="send", close_reason="switched_off", reason="the switch is off")
    assert by_id(make_books().write(MONDAY).folder / "declines.csv")["1"]["decision"] == "selected"
    tuesday = make_books().write(TUESDAY).folder
    assert rows_of(tuesday / "declines.csv") == []
    assert by_id(tuesday / "holds.csv")["1"]["close_reason"] == "switched_off"


def test_submissions_show_what_the_day_knew(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Delivery, acknowledgement, state and the provider's words are those of the end of that day."""
    fill(ledger)
    found = by_id(make_books().write(MONDAY).folder / "submissions.csv")
    sent = found["completed"]
    assert [sent[name] for name in ("state", "acknowledgement", "provider_order_id")] == [
        "pending",
        "submitted",
        "guid-completed",
    ]
    assert sent["claimed_at"] < sent["delivered_at"] < sent["acknowledged_at"]
    assert (found["no"]["acknowledgement"], found["no"]["error_text"], found["no"]["state"]) == (
        "rejected",
        "=bad\nrow",
        "rejected",
    )
    assert (found["doubt"]["acknowledgement"], found["doubt"]["state"], found["doubt"]["amount"]) == ("none", "in_doubt", "5.00")
    assert (found["paid"]["delivered_at"], found["paid"]["attempt"]) == ("", "1")
    tuesday = by_id(make_books().write(TUESDAY).folder / "submissions.csv")
    assert {order_id: row["attempt"] for order_id, row in tuesday.items()} == {"paid": "2"}


def test_a_number_is_the_one_that_the_last_event_gave(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Rows that moved up when another was withdrawn show their new number only from the day on which it was given."""
    ledger.claim("1", number=2)
    ledger.move("1", "held", source="hold")
    ledger.day = TUESDAY
    ledger.move("1", "sending", source="send", sequence_number=1)
    numbers = [by_id(make_books().write(day).folder / "submissions.csv") for day in (MONDAY, TUESDAY)]
    assert numbers[0]["1"]["sequence_number"] == "2"


@pytest.mark.parametrize(
    ("charged_at", "charged_date"),
    [("2026-11-23T03:00:00Z", "2026-11-22"), ("2026-11-23T05:00:00Z", "2026-11-23"), ("2026-11-23T05:00:00", ""), ("soon", "")],
)
def test_charged_date_is_the_merchant_s(ledger: LedgerBuilder, make_books: MakeBooks, charged_at: str, charged_date: str) -> None:
    """A charge belongs to the calendar date in the merchant's time zone; a text that is no UTC time belongs to none."""
    ledger.decide("1", reason="invalid_row", cells={**CELLS, "charged_at": charged_at})
    row = by_id(make_books().write(MONDAY).folder / "declines.csv")["1"]
    assert (row["charged_at"], row["charged_date"]) == (charged_at, charged_date)


def test_the_summary_beside_the_equation(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Cohort, conflicts and reviews are counted on their day; a cohort is final when none of it is open."""
    fill(ledger)
    ledger.send("at-once", batch_id="b00000000004", currency="CAD", amount=300)
    ledger.accept("at-once")
    ledger.move("at-once", "completed")
    monday, tuesday, wednesday = (summary(make_books().write(day).folder) for day in (MONDAY, TUESDAY, WEDNESDAY))
    assert monday["USD", "cohort", "handed_over"] == monday["USD", "cohort", "still_open"] == (7, 7 * 1999)
    assert (monday["USD", "cohort", "final"], wednesday["CAD", "cohort", "final"]) == ((0, 0), (1, 0))
    assert wednesday["CAD", "cohort", "recovered_to_date"] == (1, 300)
    assert tuesday["USD", "differences", "write_back_conflicts"] == (1, 1999)
    assert wednesday["USD", "differences", "write_back_conflicts"] == (0, 0)
    assert wednesday["USD", "differences", "review_open"] == (2, 2 * 1999)
    assert [monday["USD", "handover", line][0] for line in ("sent", "acknowledged", "rejected", "files")] == [8, 7, 1, 1]


def test_what_was_delivered_later_is_not_yet_delivered(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """A file that was delivered on the next day counts as sent on that day, and not before."""
    ledger.claim("1")
    ledger.move("1", "held", "sending", source="send")
    ledger.day = TUESDAY
    ledger.step("b00000000001", "sending", "part_verified", "delivered")
    monday, tuesday = make_books().write(MONDAY).folder, make_books().write(TUESDAY).folder
    assert by_id(monday / "submissions.csv")["1"]["delivered_at"] == ""
    assert [summary(folder)["USD", "handover", "sent"][0] for folder in (monday, tuesday)] == [0, 1]
    assert [summary(folder)["USD", "handover", "files"][0] for folder in (monday, tuesday)] == [0, 1]


def test_outcomes_are_what_was_learnt_that_day(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Each change that the provider or a person made is a row, with the cohort, the money and the write-back."""
    fill(ledger)
    tuesday = by_id(make_books().write(TUESDAY).folder / "outcomes.csv")
    assert sorted(tuesday) == sorted([*ENDS, "late", "doubt"])
    columns = (
        "state_from",
        "state_to",
        "provider_status",
        "handed_over_date",
        "days_to_outcome",
        "recovered_minor",
        "written_back",
    )
    assert [tuesday["completed"][name] for name in columns] == ["pending", "completed", "COMPLETED", MONDAY, "1", "1999", "yes"]
    assert [tuesday["declined"][name] for name in columns[-3:]] == ["1", "0", "conflict"]
    assert [tuesday["doubt"][name] for name in columns[3:]] == [TUESDAY, "", "", "no"]
    assert [tuesday["completed"][name] for name in ("response_code", "decline_group")] == ["05", "do_not_honor"]
    monday = by_id(make_books().write(MONDAY).folder / "outcomes.csv")
    assert "paid" not in monday
    assert monday["no"]["source"] == "acknowledgement"


def test_money_out_is_negative_in_every_place(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Recoveries that went to review are taken back; file, summary and manifest give the same signed sum."""
    fill(ledger)
    folder = make_books().write(WEDNESDAY).folder
    outcomes = rows_of(folder / "outcomes.csv")
    assert [row["recovered_minor"] for row in outcomes if row["order_id"] == "completed"] == ["-1999"]
    lines = summary(folder)
    money = {line: lines["USD", "money", line][1] for line in ("recovered", "refunded", "net")}
    assert money == {"recovered": 1990 - 1999, "refunded": -1990, "net": -1999}
    manifest = json.loads((folder / "manifest.json").read_text())
    (file,) = [file for file in manifest["files"] if file["name"] == "outcomes.csv"]
    assert file["signed"] == {"recovered_minor": {"USD": -9}}
    assert b",-1999,-19.99," in (folder / "outcomes.csv").read_bytes()


def test_holds_say_what_the_merchant_s_retry_may_do(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Open orders block, recovered ones block for ever, and a release counts once the row was seen to."""
    fill(ledger)
    holds = by_id(make_books().write(TUESDAY).folder / "holds.csv")
    retry = {name: row["in_house_retry"] for name, row in holds.items()}
    assert retry == {
        "0012": "blocked", "=HYPERLINK(1)": "blocked", "doubt": "blocked", "paid": "blocked",
        "completed": "never", "declined": "free", "expired": "free", "cancelled": "free", "late": "blocked",
    }  # fmt: skip
    assert [holds["expired"][name] for name in ("days_held", "closed_by", "order_status")] == ["1", "poll", "not_recovered"]
    assert by_id(make_books().write(MONDAY).folder / "holds.csv")["paid"]["in_house_retry"] == "free"


def test_a_merchant_who_keeps_holds_is_told_so(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """With writeback.on_not_recovered = keep an order that was not recovered stays blocked."""
    fill(ledger)
    kept = by_id(make_books("kept", writeback={"on_not_recovered": "keep"}).write(TUESDAY).folder / "holds.csv")
    assert (kept["expired"]["in_house_retry"], kept["completed"]["in_house_retry"]) == ("blocked", "never")


def test_transmissions_late_and_answered(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Begun hours count, more than 24 is late, and the result shows from the day of the acknowledgement on."""
    ledger.transmit("on-time", "t00000000001", charged_at="2026-11-22T07:00:10Z")
    ledger.transmit("late", "t00000000001", charged_at="2026-11-22T06:59:59Z")
    ledger.transmit("waiting", "t00000000002")
    ledger.step("t00000000001", "sending", "part_verified", "delivered")
    ledger.day = TUESDAY
    ledger.step("t00000000001", "acknowledged")
    ledger.step("t00000000002", "sending", "part_verified", "delivered")
    ledger.answer_transmission("late", result="success", transmit_id="t-1")
    monday = by_id(make_books().write(MONDAY).folder / "transmissions.csv")
    columns = ("hours_after_charge", "late", "result", "transmit_id")
    assert [monday["late"][name] for name in columns] == ["25", "true", "", ""]
    assert [monday["on-time"][name] for name in columns[:2]] == ["24", "false"]
    assert [monday["waiting"][name] for name in ("delivered_at", *columns)] == [""] * 5
    ledger.transmit("same-day", "t00000000003")
    ledger.step("t00000000003", "sending", "part_verified", "delivered", "acknowledged")
    ledger.answer_transmission("same-day", result="failed", error_text="no such site")
    tuesday = by_id(make_books().write(TUESDAY).folder / "transmissions.csv")
    assert [tuesday["same-day"][name] for name in ("result", "error_text")] == ["failed", "no such site"]


def test_a_long_file_comes_in_parts(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Parts have a header each, hold the rows in order, and vanish when they are no longer needed."""
    for number in range(7):
        ledger.decide(f"{number:03d}")
    folder = make_books(part_rows=3).write(MONDAY).folder
    (folder / ".declines.0009.csv.new").write_bytes(b"left by a crash")
    parts = [folder / f"declines.{part:04d}.csv" for part in (1, 2, 3)]
    assert [len(rows_of(part)) for part in parts] == [3, 3, 1]
    assert not (folder / "declines.csv").exists()
    in_parts = [row for part in parts for row in rows_of(part)]
    report = make_books().write(MONDAY)
    assert rows_of(folder / "declines.csv") == in_parts
    assert [path for path in folder.iterdir() if "declines." in path.name] == [folder / "declines.csv"]
    assert report.files["declines.csv"] == 7


def test_the_manifest_seals_the_folder(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """It has each file's hash, rows and sums per currency, the day in UTC, and the hash of the manifest before."""
    fill(ledger)
    monday, tuesday = make_books().write(MONDAY), make_books().write(TUESDAY)
    manifest = json.loads((tuesday.folder / "manifest.json").read_text())
    for file in manifest["files"]:
        content = (tuesday.folder / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        if file["name"].endswith(".csv"):
            assert file["rows"] == len(rows_of(tuesday.folder / file["name"])) == tuesday.files[file["name"]]
    files = {file["name"]: file for file in manifest["files"]}
    assert files["holds.csv"]["amount_minor"] == {"EUR": 500, "USD": 8 * 1999}
    assert files["holds.csv"]["guarded_cells"] == 1
    assert files["summary.csv"]["amount_minor"] == {}
    assert manifest["interval"] == {"start_inclusive": "2026-11-24T05:00:00Z", "end_exclusive": "2026-11-25T05:00:00Z"}
    assert manifest["timezone"] == "America/New_York"
    assert manifest["previous_manifest_sha256"] == hashlib.sha256((monday.folder / "manifest.json").read_bytes()).hexdigest()
    assert json.loads((monday.folder / "manifest.json").read_text())["previous_manifest_sha256"] == ""
    assert manifest["chain_digest"] == tuesday.head != monday.head
    assert manifest["as_of"].startswith(TUESDAY)


def test_a_day_of_23_hours_is_one_day(make_books: MakeBooks) -> None:
    """On the day on which clocks go forward the interval is an hour shorter."""
    manifest = json.loads((make_books().write("2026-03-08").folder / "manifest.json").read_text())
    assert manifest["interval"] == {"start_inclusive": "2026-03-08T05:00:00Z", "end_exclusive": "2026-03-09T04:00:00Z"}


def test_a_changed_day_rewrites_the_days_after_it(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """When something is booked on an earlier date, its files and those of every later date with files follow."""
    fill_monday(ledger)
    books = make_books()
    books.write(MONDAY)
    assert books.write(WEDNESDAY).balances["USD"].opening.orders == 7
    ledger.day = MONDAY
    ledger.claim("another")
    reports = books.write_from(ALONE, MONDAY)
    assert [report.business_date for report in reports] == [MONDAY, WEDNESDAY]
    assert reports[1].balances["USD"].opening.orders == 8
    manifest = json.loads((reports[1].folder / "manifest.json").read_text())
    assert manifest["previous_manifest_sha256"] == hashlib.sha256((reports[0].folder / "manifest.json").read_bytes()).hexdigest()


def test_every_day_that_was_cut_off_is_written(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Of two days whose runs left no files both are written, the earlier one first, with the day of the run itself."""
    fill(ledger)
    reports = make_books().write_from(ALONE, WEDNESDAY, TUESDAY, MONDAY)
    assert [report.business_date for report in reports] == [MONDAY, TUESDAY, WEDNESDAY]
    assert [report.balances["USD"].closing for report in reports[:2]] == [
        report.balances["USD"].opening for report in reports[1:]
    ]


def test_a_night_without_orders_has_empty_files(make_books: MakeBooks) -> None:
    """Every file is there with its header, nothing is out of balance, and as_of is unknown."""
    report = make_books().write(MONDAY)
    assert report.balanced
    assert set(report.files.values()) == {0}
    assert json.loads((report.folder / "manifest.json").read_text())["as_of"] == ""
    with (report.folder / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        assert tuple(next(csv.reader(file))) == SUMMARY_COLUMNS


def test_the_bytes_suit_a_spreadsheet(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """Every CSV begins with one byte order mark, ends lines with LF, and follows the merchant's delimiter and decimal mark."""
    fill(ledger)
    folder = make_books("german", audit={"delimiter": ";", "decimal": ","}).write(MONDAY).folder
    for path in folder.glob("*.csv"):
        content = path.read_bytes()
        assert content.startswith(b'\xef\xbb\xbf"business_date";"mid";')
        assert content.count(b"\xef\xbb\xbf") == 1
        assert b"\r" not in content
        assert content.endswith(b"\n")
    assert b'"USD";1999;19,99;' in (folder / "submissions.csv").read_bytes()
    assert 'delimiter ";", decimal mark ","' in (folder / "README.txt").read_text()


def test_a_failed_write_leaves_the_old_files(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """When writing breaks off, yesterday's files are as they were and nothing half-written is left."""
    fill(ledger)
    folder = make_books().write(MONDAY).folder
    before = bytes_of(folder)
    ledger.day = MONDAY
    ledger.decide("broken", cells={}, reason="too_old")
    ledger.transmit("broken", "t00000000001", charged_at="not a time")
    ledger.step("t00000000001", "sending", "part_verified", "delivered")
    with pytest.raises(ValueError, match="not a time"):
        make_books().write(MONDAY)
    assert bytes_of(folder) == before


def test_the_night_s_figures(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """What the terminal prints comes from the same books: candidates, reasons, deliveries, answers and balance."""
    fill(ledger)
    with ledger.connect() as connection:
        monday, tuesday = night_figures(connection, MID, MONDAY), night_figures(connection, MID, TUESDAY)
    assert make_books().write(MONDAY).figures == monday
    assert monday.candidates["USD"] == Total(10, 9 * 1999 + 700)
    assert {reason: sum(t.orders for t in per.values()) for reason, per in monday.not_sent.items()} == {
        "too_old": 1, "withdrawn": 1, "pan_found": 1,
    }  # fmt: skip
    assert (monday.claimed["USD"].orders, monday.held["USD"].orders, monday.sent["USD"].orders) == (9, 8, 8)
    assert (monday.delivered_files, monday.in_doubt["EUR"], monday.in_doubt_files) == (2, Total(1, 500), 1)
    assert (monday.acknowledged_pending["USD"].orders, monday.acknowledged_rejected["USD"].orders) == (7, 1)
    assert {state: per["USD"].orders for state, per in tuesday.answers.items()} == {
        "completed": 1, "declined": 1, "expired": 2, "cancelled": 1,
    }  # fmt: skip
    assert tuesday.recovered == {"USD": Total(1, 1999)}
    assert (tuesday.written_back, tuesday.answered) == (4, 5)
    assert monday.balanced
    assert monday.balances["USD"].closing == tuesday.balances["USD"].opening
    assert set(monday.balances) == {"USD", "EUR"}
