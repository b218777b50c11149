"""`reconciliation.csv`: what the day's comparisons found, made from the ledger alone, the same bytes whenever it is written."""

import sqlite3
from contextlib import closing
from fnmatch import fnmatch

import pytest

from batch.audit import AuditFolder
from batch.ledger_history import LedgerHistory
from batch.ledger_seals import LedgerSeals
from batch.verifying import Verification
from jobs.assembly import open_ledger_alone
from jobs.disk import MachineDisk
from tests.night.comparing import compare, lose_at_provider
from tests.night.house import DAY, House
from tests.night.requests import completed
from tests.night.test_reconcile import IDS, out
from tests.night.test_reconcile_settlement import settlement


def tampering(house: House) -> list[str]:
    """What `audit verify` finds."""
    disk = MachineDisk()
    with open_ledger_alone(house.settings, clock=house.clock) as ledger:
        found = Verification(
            seals=LedgerSeals(ledger.reading, ledger.mid),
            history=LedgerHistory(ledger.reading, ledger.mid),
            folder=AuditFolder(house.settings.data_dir / "audit", disk),
            disk=disk,
            settings=house.settings,
        ).verify()
    return [each.subject for each in found.tampering]


def test_a_difference_has_its_row_with_every_book(house: House) -> None:
    """Each book's word and cents stand in the row, the difference with its sign, and since when it stands."""
    out(house)
    house.change("000473", amount_minor=5)
    lose_at_provider(house, "000472")
    compare(house)
    lost, changed = house.audit("reconciliation")
    assert (lost["order_id"], lost["match"], lost["difference_minor"], lost["difference"]) == (
        "000472",
        "missing_at_provider",
        "-1002",
        "-10.02",
    )
    assert {name: changed[name] for name in ("match", "ledger_state", "provider_status", "orders_status")} == {
        "match": "amount_differs",
        "ledger_state": "pending",
        "provider_status": "ONHOLD",
        "orders_status": "pending",
    }
    minors = [changed[f"{book}_minor"] for book in ("ledger", "provider", "orders", "file", "difference")]
    assert minors == ["1003", "1003", "5", "1003", "-998"]
    assert (changed["first_seen_date"], changed["age_days"]) == (DAY, "0")
    assert changed["explanation"] == (
        "handed over as USD 10.03, its row shows USD 0.05; the provider collects USD 10.03: set the row to amount_minor 1003"
        " and currency 'USD', or note the item where yours is meant; then: mitbatch reconcile"
    )
    (line,) = [row for row in house.audit("summary") if row["line"] == "reconciliation_rows"]
    assert (line["orders"], line["amount_minor"]) == ("2", "2005")


def test_the_last_comparison_of_the_day_counts(house: House) -> None:
    """What was mended is gone from the file; a day without a comparison has a file without rows; all orders on demand."""
    out(house)
    assert house.audit("reconciliation") == []
    house.change("000473", amount_minor=5)
    compare(house)
    assert [row["order_id"] for row in house.audit("reconciliation")] == ["000473"]
    house.change("000473", amount_minor=1003)
    compare(house)
    assert house.audit("reconciliation") == []
    compare(house, everything=True)
    rows = house.audit("reconciliation")
    assert [(row["order_id"], row["match"], row["difference_minor"]) for row in rows] == [(each, "equal", "0") for each in IDS]
    (line,) = [row for row in house.audit("summary") if row["line"] == "reconciliation_rows"]
    assert line["orders"] == "0"


def test_what_was_seen_whole_is_not_hidden_by_half_a_look(house: House) -> None:
    """A later comparison without the provider's list does not take the place of one that had it."""
    out(house)
    lose_at_provider(house, "000472")
    compare(house)
    house.sandbox.faults.switch_on("service_unavailable", times=99)
    compare(house)
    assert [row["match"] for row in house.audit("reconciliation")] == ["missing_at_provider"]


def test_a_settlement_stays_beside_later_comparisons(house: House) -> None:
    """Its rows stand in the file of its day whatever is compared after it."""
    completed(house, "000471")
    compare(house, settlement=settlement(house, "000471,,capture,19.98,USD"))
    compare(house)
    (row,) = house.audit("reconciliation")
    assert (row["match"], row["ledger_minor"], row["file_minor"], row["difference_minor"]) == (
        "file_differs",
        "1999",
        "1998",
        "-1",
    )


def test_a_difference_ages(house: House) -> None:
    """The date since which it stands is kept from comparison to comparison."""
    out(house)
    house.change("000473", amount_minor=5)
    compare(house)
    house.pass_time(days=2)
    compare(house)
    (row,) = house.audit("reconciliation", "2026-11-25")
    assert (row["first_seen_date"], row["age_days"]) == (DAY, "2")
    house.change("000473", amount_minor=1003)
    compare(house)
    house.change("000473", amount_minor=6)
    compare(house)
    (row,) = house.audit("reconciliation", "2026-11-25")
    assert row["first_seen_date"] == "2026-11-25"


def test_what_a_person_was_told_stands_in_review_and_in_the_orders_story(house: House) -> None:
    """The item names its order in finance's file, and a decision closes it; it does not come back while the difference stands."""
    out(house)
    house.change("000473", amount_minor=5)
    compare(house)
    (row,) = house.audit("review")
    assert (row["order_id"], row["kind"], row["amount_minor"], row["at_risk_minor"]) == (
        "000473",
        "amount_differs",
        "1003",
        "998",
    )
    assert row["ledger_says"].startswith("pending: the books differ: handed over as USD 10.03, its row shows USD 0.05; ")
    assert (row["provider_says"], row["orders_say"]) == ("ONHOLD", "pending")
    told = house.cli("explain", "000473").stdout
    assert "amount_differs" in told
    noted = house.cli("review", "resolve", "reconcile:000473", "--as", "noted", "--reason", "our own discount", "--yes")
    assert noted.returncode == 0, noted.stderr
    assert compare(house)[0].code == 0
    assert house.items() == []
    assert house.audit("reconciliation")[0]["order_id"] == "000473"


def test_the_file_is_made_again_byte_for_byte(house: House) -> None:
    """Written again later, or verified, it is the same."""
    out(house)
    house.change("000473", amount_minor=5)
    compare(house)
    assert tampering(house) == []
    before = house.audit_bytes()["reconciliation.csv"]
    house.change("000473", amount_minor=1003)
    house.pass_time(days=1)
    compare(house)
    house.run("audit", DAY)
    assert house.audit_bytes()["reconciliation.csv"] == before
    assert tampering(house) == []


@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        ("UPDATE comparison_row SET difference_minor = 0", "comparison:"),
        ("UPDATE comparison_row SET explanation = ''", "comparison:"),
        ("DELETE FROM comparison_row", "comparison:"),
        ("UPDATE comparison SET is_whole = 0", "comparison:"),
        ("UPDATE comparison SET step = 'undone'", "comparison:"),
        ("DELETE FROM comparison", "comparison:"),
    ],
)
def test_what_a_comparison_found_cannot_be_changed_unseen(house: House, statement: str, subject: str) -> None:
    """Every edit of the rows, or of the comparison, is named (I19)."""
    out(house)
    house.change("000473", amount_minor=5)
    compare(house)
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute(statement)
    assert any(found.startswith(subject) for found in tampering(house))


@pytest.mark.parametrize("spoilt", ["{", "[]", "", "7", '{"rows_digest":[1]}', "NaN"])
@pytest.mark.parametrize("chain", ["comparison:%", "order:000473", "batch:%"])
def test_an_event_whose_detail_is_no_json_is_named(house: House, chain: str, spoilt: str) -> None:
    """Whatever somebody wrote in its place, the chain is what is broken, and the rest is looked at all the same (I19)."""
    out(house)
    house.change("000473", amount_minor=5)
    compare(house)
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute("DROP TRIGGER event_no_update")
        edited = connection.execute("UPDATE event SET detail = ? WHERE subject LIKE ? AND seq = 1", (spoilt, chain))
        assert edited.rowcount == 1
    assert any(fnmatch(found, chain.replace("%", "*")) for found in tampering(house))


def test_a_row_of_a_comparison_that_no_writer_could_have_written_is_named(house: House) -> None:
    """Bytes where a text was."""
    out(house)
    house.change("000473", amount_minor=5)
    compare(house)
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute("UPDATE comparison_row SET explanation = CAST(explanation AS BLOB)")
    assert any(found.startswith("comparison:") for found in tampering(house))
