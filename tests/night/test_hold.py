"""The hold: who comes second stands back, results are written only where it stands, and everybody is told the same."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest

from batch.writeback import HoldWanted, OrderWriter
from jobs import cli
from jobs.clock import MovableClock
from jobs.databases import open_ledger
from jobs.holds import check_hold, show_view
from jobs.output import Options
from jobs.sandbox import Sandbox
from schemas.order import OPTIONAL_COLUMNS, READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, ONHOLD, START, House, order

TAKEN_MEANWHILE = {
    "the retry job takes it": ("UPDATE orders SET retry_state='in_flight'", "retry"),
    "it is paid": ("UPDATE orders SET status='paid'", "'paid'"),
    "it is cancelled": ("UPDATE orders SET status='cancelled'", "'cancelled'"),
    "its amount changes": ("UPDATE orders SET amount_minor=2999", "amount"),
    "its currency changes": ("UPDATE orders SET currency='EUR'", "currency"),
    "somebody else holds it": ("UPDATE orders SET hold_reference='another'", "somebody else"),
    "its row is deleted": ("DELETE FROM orders", "no longer"),
}


@pytest.fixture(scope="module")
def taken_meanwhile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One night in which the merchant takes rows, each in another way, after they were chosen and before they are held."""
    folder, clock = tmp_path_factory.mktemp("house"), MovableClock(START)
    with Sandbox(folder / "provider", clock=clock) as sandbox:
        house = House(folder, sandbox, clock)
        house.add(*(order(each, payment_token=ONHOLD) for each in ("a first", *TAKEN_MEANWHILE, "the last")))
        statements = "; ".join(f"{words} WHERE order_id='{name}'" for name, (words, _) in TAKEN_MEANWHILE.items())
        house.sql(
            "CREATE TRIGGER meanwhile AFTER UPDATE OF hold_reference ON orders "
            f"WHEN NEW.order_id='a first' AND NEW.hold_reference LIKE 'mitbatch:%' BEGIN {statements}; END"
        )
        assert house.run().code == 0
        yield house


@pytest.mark.parametrize("name", TAKEN_MEANWHILE)
def test_a_row_that_is_taken_before_the_hold_is_withdrawn(taken_meanwhile: House, name: str) -> None:
    """Between choice and hold the merchant takes a row: it is withdrawn with the reason, and its row is untouched."""
    house = taken_meanwhile
    assert house.state(name) == "withdrawn"
    (event,) = house.ledger(
        "SELECT reason FROM event WHERE subject=? AND to_state='withdrawn' AND kind='transition'", [f"order:{name}"]
    )
    assert TAKEN_MEANWHILE[name][1] in event["reason"]
    assert house.reasons()[name][0] == "withdrawn"
    left = house.sql("SELECT hold_reference, provider_order_id, updated_at FROM orders WHERE order_id=?", [name])
    assert len(left) == (0 if name == "its row is deleted" else 1)
    assert all("mitbatch" not in str(row) and row["updated_at"] is None for row in left)


def test_the_others_of_the_file_go_without_the_taken_ones(taken_meanwhile: House) -> None:
    """The file goes with the orders that are held, numbered from 1, and nobody needs to look."""
    assert taken_meanwhile.accepted() == Counter(["a first", "the last"])
    assert [row["sequence_number"] for row in taken_meanwhile.sandbox.accepted("evaluate")] == ["1", "2"]
    assert taken_meanwhile.items() == []


def test_when_every_row_is_taken_nothing_is_sent(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch whose every order was taken meanwhile is given up: no file, no token, clean."""
    house.add(order("a"), order("b"))
    place = OrderWriter.place_holds

    def retry_is_first(writer: OrderWriter, wanted: Sequence[HoldWanted], *, now: str) -> dict[str, str]:
        assert [house.retry_takes(each) for each in "ab"] == [True, True]
        return place(writer, wanted, now=now)

    monkeypatch.setattr(OrderWriter, "place_holds", retry_is_first)
    assert house.run().code == 0
    assert house.states() == {"a": "withdrawn", "b": "withdrawn"}
    assert house.steps() == ["empty"]
    assert house.sandbox.journal() == []
    assert [house.row(each)["hold_reference"] for each in "ab"] == [None, None]


def test_a_withdrawn_order_may_be_claimed_again(house: House) -> None:
    """What was withdrawn because the retry job had it goes the next night with a new key, if it is free and declined again."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.sql(
        "CREATE TRIGGER meanwhile AFTER UPDATE OF hold_reference ON orders WHEN NEW.order_id='a' "
        "BEGIN UPDATE orders SET retry_state='in_flight' WHERE order_id='b'; END"
    )
    house.run()
    house.sql("DROP TRIGGER meanwhile")
    assert house.run().code == 0
    assert house.reasons()["b"][1] == "in_house_retry"
    house.change("b", retry_state=None)
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])
    attempts = house.ledger("SELECT attempt, state FROM submission WHERE order_id='b' ORDER BY attempt")
    assert [(row["attempt"], row["state"]) for row in attempts] == [(1, "withdrawn"), (2, "pending")]


def test_the_hold_is_there_before_the_first_byte(house: House) -> None:
    """While nothing has left yet the row already bears our hold, status pending and the expiry."""
    house.sandbox.faults.switch_on("refuse_connection", times=99)
    house.add(order())
    house.run()
    row = house.row()
    assert row["status"] == "pending"
    assert row["hold_reference"].startswith("mitbatch:")
    assert row["hold_until"] == "2026-12-14T06:30:00Z"
    assert not house.retry_takes()
    untouched = order() | {name: row[name] for name in WRITTEN_COLUMNS}
    assert {name: row[name] for name in untouched} == untouched


def test_only_our_columns_are_ever_written(house: House) -> None:
    """From claim to outcome no column of the merchant's changes, and no row that is not ours is touched."""
    house.add(order("a"), order("b", payment_token=CANCELLED), order("other", origin="website"), order("p", status="paid"))
    names = (*READ_COLUMNS, *OPTIONAL_COLUMNS, RETRY_COLUMN)
    before = house.sql(f"SELECT {', '.join(names)} FROM orders ORDER BY order_id")
    others = [house.row("other"), house.row("p")]
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.sql(f"SELECT {', '.join(names)} FROM orders ORDER BY order_id") == before
    assert [house.row("other"), house.row("p")] == others
    assert (house.row("a")["status"], house.row("b")["status"]) == ("completed", "not_recovered")


def test_other_column_names_are_mapped(make_house: MakeHouse) -> None:
    """A merchant whose columns all have other names gets the same night: read, held, written back."""
    names = (*READ_COLUMNS, *OPTIONAL_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN)
    house = make_house(columns={name: f"their_{name}" for name in names})
    house.add(order("a"), order("b", payment_token=CANCELLED), order("c", retry_state="in_flight"), order("d", opted_out="true"))
    assert house.run().code == 0
    assert house.reasons()["c"] == ("skipped", "in_house_retry")
    assert house.reasons()["d"] == ("skipped", "opted_out")
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert (house.row("a")["status"], house.row("b")["status"]) == ("completed", "not_recovered")
    keys = {each["order_id"]: each["order_session_key"] for each in house.sandbox.orders()}
    assert house.row("a")["provider_order_id"] == keys["a"]
    assert house.row("b")["hold_reference"] is None


STATUSES = (
    "declined",
    "not_recovered",
    "paid",
    "pending",
    "completed",
    "review",
    "refunded",
    "partially_refunded",
    "chargeback",
    "fraud-check",
    "Declined",
    "",
    None,
)
HOLDS = (None, "mitbatch:x", "somebody", "")
RETRIES = (None, "in_flight", "done", "")


def _every_combination(house: House, statuses: Sequence[str | None]) -> None:
    found = {f"{n:03}": each for n, each in enumerate(product(statuses, HOLDS, RETRIES))}
    house.add(*(order(key, status=s, hold_reference=h, retry_state=r) for key, (s, h, r) in found.items()))


@pytest.mark.parametrize("mapped", [False, True])
def test_view_check_and_statement_agree(make_house: MakeHouse, capsys: pytest.CaptureFixture[str], mapped: bool) -> None:
    """For every combination of status, hold and retry state: the view, `holds check` and the retry's own statement agree."""
    columns = {"status": "their_status", "hold_reference": "order", "retry_state": "their_retry"} if mapped else {}
    house = make_house(columns=columns)
    _every_combination(house, STATUSES[:3] if mapped else STATUSES)
    open_ledger(house.settings.ledger.url).dispose()
    options = Options(config=house.config, json=True)
    assert show_view(options, create=True) == 0
    assert show_view(options, create=True) == 0
    capsys.readouterr()
    in_view = {row["order_id"] for row in house.sql("SELECT order_id FROM retryable_orders")}
    status, hold, retry = (f'"{columns.get(name, name)}"' for name in ("status", "hold_reference", "retry_state"))
    where = f"{status} IN ('declined','not_recovered') AND {hold} IS NULL AND {retry} IS NULL"
    taken = {row["order_id"] for row in house.sql(f"UPDATE orders SET address_line2='x' WHERE {where} RETURNING order_id")}
    codes, said = {}, {}
    for row in house.sql("SELECT order_id FROM orders"):
        codes[row["order_id"]] = check_hold(options, row["order_id"])
        said[row["order_id"]] = json.loads(capsys.readouterr().out)
    assert in_view == taken == {key for key, code in codes.items() if code == 0}
    assert {key for key, answer in said.items() if answer["may_charge"] is True} == in_view
    assert set(codes.values()) == {0, 30}
    assert {key for key, answer in said.items() if answer["order_id"] != key} == set()
    assert len(in_view) == 2


def test_the_printed_view_is_the_created_one(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """`holds view` prints SQL that anybody may run, and touches nothing."""
    house.add(order("a"), order("b", status="paid"))
    before = house.orders_path.read_bytes()
    assert show_view(Options(config=house.config), create=False) == 0
    assert house.orders_path.read_bytes() == before
    house.sql(capsys.readouterr().out.strip().rstrip(";"))
    assert [row["order_id"] for row in house.sql("SELECT order_id FROM retryable_orders")] == ["a"]


def test_an_unknown_order_may_be_charged(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """An id in neither place may be charged, with the reason unknown_order."""
    assert check_hold(Options(config=house.config, json=True), "nobody") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["may_charge"], answer["reason"], answer["state"]) == (True, "unknown_order", "")


def test_check_says_the_truth_along_the_way(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """`holds check` forbids while the provider has an order and after its recovery, and allows after a release."""
    options = Options(config=house.config, json=True)
    house.add(order("a"), order("b", payment_token=CANCELLED))
    assert [check_hold(options, each) for each in "ab"] == [0, 0]
    house.run()
    capsys.readouterr()
    assert [check_hold(options, each) for each in "ab"] == [30, 30]
    answer = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (answer["state"], answer["reason"], answer["until"]) == ("pending", "held", "2026-12-14T06:30:00Z")
    house.pass_time(hours=2)
    house.run("poll")
    assert [check_hold(options, each) for each in "ab"] == [30, 0]
    capsys.readouterr()
    house.sql("DELETE FROM orders WHERE order_id='a'")
    assert check_hold(options, "a") == 30


@pytest.mark.parametrize("change", [{"status": "paid"}, {"status": "cancelled"}, {"status": "paid", "hold_reference": None}])
def test_a_completion_over_the_merchants_change_is_a_double_charge(house: House, change: dict[str, object]) -> None:
    """The merchant was paid elsewhere and the provider had recovered too: the cancel comes too late, review, double_charge."""
    house.add(order())
    house.run()
    house.change("000471", **change)
    house.pass_time(hours=2)
    report = house.run("poll")
    assert report.code == 10
    assert house.state() == "review"
    assert ("double_charge", "order:000471") in house.items()
    assert house.row()["status"] == change["status"]
    assert not house.retry_takes()
    (outcome,) = [row for row in house.audit("outcomes") if row["state_to"] == "review"]
    assert (outcome["provider_status"], outcome["written_back"]) == ("COMPLETED", "conflict")
    assert [row["step"] for row in house.ledger("SELECT step FROM operation")] == ["refused"]
    left = house.row()
    assert house.run("poll").code == 0
    assert house.row() == left


def test_a_release_over_the_merchants_change_is_a_conflict(house: House) -> None:
    """The provider gave up on an order that the merchant marked paid: nothing overwritten, an item, exit 10."""
    house.add(order(payment_token=CANCELLED))
    house.run()
    house.change("000471", status="paid")
    before = house.row()
    house.pass_time(hours=2)
    report = house.run("poll")
    assert report.code == 10
    assert house.state() == "declined"
    assert house.items() == [("write_back_conflict", "order:000471")]
    assert house.row()["status"] == "paid"
    assert house.row()["hold_reference"] == before["hold_reference"]
    assert house.run("poll").code == 0


def test_a_row_that_vanished_is_a_conflict(house: House) -> None:
    """The row of an order at the provider was deleted: nothing is made up, a person is told."""
    house.add(order())
    house.run()
    house.sql("DELETE FROM orders")
    house.pass_time(hours=2)
    assert house.run("poll").code == 10
    assert house.state() == "review"
    assert house.sql("SELECT * FROM orders") == []


def test_a_pending_order_set_back_to_declined_is_not_sent_again(house: House) -> None:
    """Rows that the merchant sets back to declined while the provider has them: not sent again, blocked, a person is told."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.run()
    house.change("a", status="declined")
    house.change("b", status="declined", hold_reference=None, hold_until=None)
    assert house.run().code == 10
    assert house.reasons()["a"] == ("skipped", "already_active")
    assert house.items() == [("write_back_conflict", "order:a"), ("write_back_conflict", "order:b")]
    assert not house.retry_takes("a")
    assert not house.retry_takes("b")
    assert house.accepted() == Counter(["a", "b"])


def test_an_ended_order_set_back_to_declined_is_not_sent_again(house: House) -> None:
    """An order id is handed over once, ever: after any answer it is already_submitted."""
    house.add(order("a"), order("b", payment_token=CANCELLED))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    house.change("a", status="declined", hold_reference=None)
    house.change("b", status="declined")
    assert house.run().code == 0
    assert house.reasons() == {"a": ("skipped", "already_submitted"), "b": ("skipped", "already_submitted")}
    assert house.accepted() == Counter(["a", "b"])


def test_released_rows_are_the_retrys_again(house: House) -> None:
    """After the provider gave up the row is not_recovered without a hold, and the retry job takes it."""
    house.add(order(payment_token=CANCELLED))
    house.run()
    assert not house.retry_takes()
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    row = house.row()
    assert (row["status"], row["hold_reference"], row["hold_until"]) == ("not_recovered", None, None)
    assert row["provider_status"] == "CANCELLED"
    assert house.retry_takes()
    assert not house.retry_takes()


def test_keep_keeps_the_hold(house: House) -> None:
    """With on_not_recovered = "keep" the row says not_recovered and stays blocked."""
    house.set(writeback={"on_not_recovered": "keep"})
    house.add(order(payment_token=CANCELLED))
    house.run()
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert (house.state(), house.row()["status"]) == ("declined", "not_recovered")
    assert house.row()["hold_reference"].startswith("mitbatch:")
    assert not house.retry_takes()


def test_a_held_row_that_was_taken_back_before_sending_is_free(house: House) -> None:
    """Paid between hold and sending: never sent, and the row stays as the merchant left it."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.sql(
        "CREATE TRIGGER meanwhile AFTER UPDATE OF hold_reference ON orders WHEN NEW.order_id='b' "
        "BEGIN UPDATE orders SET status='paid', hold_reference=NULL WHERE order_id='a'; END"
    )
    assert house.run().code == 0
    assert house.states() == {"a": "withdrawn", "b": "pending"}
    assert (house.row("a")["status"], house.row("a")["hold_reference"]) == ("paid", None)
    assert house.accepted() == Counter(["b"])


def test_an_order_system_that_cannot_be_written_sends_nothing(house: House) -> None:
    """When the order system takes no holds at all nothing is sent: exit 20, and the next night does it."""
    house.add(order("a", payment_token=ONHOLD))
    house.sql("ALTER TABLE orders RENAME TO hidden")
    house.sql("CREATE VIEW orders AS SELECT * FROM hidden")
    report = house.run()
    assert report.code == 20
    assert "MB-ORDERS-UNREACHABLE" in str(report.findings.problems[0])
    assert house.accepted() == Counter()
    house.sql("DROP VIEW orders")
    house.sql("ALTER TABLE hidden RENAME TO orders")
    assert house.row("a")["hold_reference"] is None
    assert house.run().code == 0
    assert house.accepted() == Counter(["a"])


def test_a_row_that_takes_no_hold_stops_no_other(house: House) -> None:
    """A constraint of the merchant's refuses the hold on one row: that order is withdrawn with an item, the others go."""
    house.add(*(order(each, payment_token=ONHOLD) for each in "abc"))
    house.sql("CREATE TRIGGER no BEFORE UPDATE ON orders WHEN NEW.order_id='b' BEGIN SELECT RAISE(ABORT, 'closed'); END")
    report = house.run()
    assert house.accepted() == Counter(["a", "c"])
    assert house.states() == {"a": "pending", "b": "withdrawn", "c": "pending"}
    assert (report.code, house.items()) == (10, [("write_back_conflict", "order:b")])


def test_results_that_could_not_be_written_come_later(house: House) -> None:
    """Write-back that fails is made up for by the next run; the ledger keeps what it learnt."""
    house.add(order())
    house.run()
    house.pass_time(hours=2)
    house.sql("CREATE TRIGGER no BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'read only'); END")
    report = house.run("poll")
    assert report.code in (10, 20)
    assert house.state() == "completed"
    assert house.row()["status"] == "pending"
    house.sql("DROP TRIGGER no")
    assert house.run("poll").code == 0
    assert house.row()["status"] == "completed"


def test_the_view_cannot_be_made_without_a_database(tmp_path: Path, house: House) -> None:
    """A missing order database is a sentence and exit 78, never a new empty database."""
    house.orders_path.rename(tmp_path / "elsewhere.db")
    assert cli.run(["--config", str(house.config), "holds", "view", "--create"]) == 78
    assert not house.orders_path.exists()
