"""Copies of good charges: each once, ever, within 24 hours, whatever its origin."""

from collections import Counter

import pytest
from pytest_mock import MockerFixture

import jobs.night
from schemas.errors import ConfigurationError
from tests.night.house import House, order, paid


def some_paid(house: House) -> None:
    """Two charges whose copies are due."""
    house.add(paid("a"), paid("b"))


def results(house: House) -> dict[str, tuple[str, str]]:
    """What finance is told of each copy."""
    return {row["order_id"]: (row["result"], row["transmit_id"]) for row in house.audit("transmissions")}


def test_each_copy_goes_once_ever(house: House) -> None:
    """A second transmit sends nothing and changes nothing, the same day and the days after."""
    some_paid(house)
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["a", "b"])
    before = house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()
    assert house.run("transmit").code == 0
    assert (house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()) == before
    house.pass_time(hours=12)
    house.add(paid("c", charged_at="2026-11-23T18:00:00Z"))
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["a", "b", "c"])


def test_results_are_recorded(house: House) -> None:
    """The provider's id of each copy is in the ledger and in finance's file; no order's row is touched."""
    some_paid(house)
    rows = house.orders_path.read_bytes()
    house.run("transmit")
    taken = {str(row["order_id"]): str(row["transmit_id"]) for row in house.sandbox.accepted("transmit")}
    assert results(house) == {key: ("success", value) for key, value in taken.items()}
    assert house.orders_path.read_bytes() == rows


def test_only_charges_of_24_hours(house: House) -> None:
    """To the second: 24 hours old goes, a second older does not, and the future does not."""
    house.add(
        paid("just", charged_at="2026-11-22T06:30:00Z"),
        paid("late", charged_at="2026-11-22T06:29:59Z"),
        paid("now", charged_at="2026-11-23T06:30:00Z"),
        paid("ahead", charged_at="2026-11-23T06:30:01Z"),
    )
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["just", "now"])


def test_any_origin_and_no_switch_holds_copies_back(house: House) -> None:
    """Recurring, website and call-centre charges are all copied, with every switch off."""
    house.set(switches={"mit": False})
    house.add(*(paid(origin, origin=origin) for origin in ("recurring", "website", "call_center")))
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["recurring", "website", "call_center"])


def test_sites_and_rows_that_may_not_go(house: House) -> None:
    """A copy of an unknown or disabled site, or of a malformed row, stays here; the others go."""
    house.set_site("acme-eu", enabled=False)
    house.add(
        paid("a", payment_token=None),
        paid("unknown", site="acme-uk"),
        paid("disabled", site="acme-eu"),
        paid("malformed", amount_minor="19.99"),
        paid("code", response_code=None, response_code_source=None),
        order("declined"),
        order("done", status="completed", hold_reference="mitbatch:x"),
    )
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["a", "code"])


def test_a_copy_carries_no_token(house: House) -> None:
    """Neither the payment token nor anything that looks like a card number is in a copy, in the file or in the ledger."""
    some_paid(house)
    house.sandbox.faults.switch_on("refuse_rename", times=9)
    house.run("transmit")
    (part,) = house.sandbox.inbound.iterdir()
    token = str(paid()["payment_token"])
    assert token.encode() not in part.read_bytes()
    assert all(token not in row["record_json"] for row in house.ledger("SELECT record_json FROM transmission"))


@pytest.mark.parametrize("fault", ["refuse_login", "refuse_rename", "refuse_write", "drop_before_rename", "token_refused"])
def test_a_failed_transmit_is_finished_later(house: House, fault: str) -> None:
    """Whatever failed: exit 20, nothing sent; the next run sends each copy once, while its 24 hours last."""
    some_paid(house)
    house.sandbox.faults.switch_on(fault, times=99)
    assert house.run("transmit").code == 20
    assert house.accepted("transmit") == Counter()
    house.sandbox.faults.clear()
    house.pass_time(minutes=25)
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["a", "b"])


def test_a_lost_reply_sends_no_copy_twice(house: House) -> None:
    """The rename of a transmit file happened and nobody can look: in doubt, exit 11; later settled, each copy once."""
    some_paid(house)
    house.sandbox.faults.switch_on("drop_after_rename")
    house.sandbox.faults.switch_on("refuse_connection", times=99, skip=1)
    assert house.run("transmit").code == 11
    house.sandbox.faults.clear()
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["a", "b"])
    assert set(results(house)) == {"a", "b"}


def test_a_refused_copy_is_told_and_not_repeated(house: House) -> None:
    """A refused row opens an item and exits 10; no later run sends that copy again."""
    some_paid(house)
    house.sandbox.faults.switch_on("refuse_row", after=2)
    assert house.run("transmit").code == 10
    assert [kind for kind, _ in house.items()] == ["row_refused"]
    assert {key: result for key, (result, _) in results(house).items()} == {"a": "success", "b": "failed"}
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["a"])


def test_a_refused_file_of_copies_is_told(house: House) -> None:
    """A refused transmit file opens an item, exits 10, and marks each copy as failed."""
    some_paid(house)
    house.sandbox.faults.switch_on("refuse_file")
    assert house.run("transmit").code == 10
    assert {result for result, _ in results(house).values()} == {"failed"}
    assert [kind for kind, _ in house.items()] == ["file_refused"]


def test_unanswered_copies_are_told_after_the_window(house: House) -> None:
    """A transmit file without an acknowledgement is clean within the window; after it, a person is told once."""
    some_paid(house)
    house.sandbox.faults.switch_on("no_acknowledgement")
    assert house.run("transmit").code == 0
    house.pass_time(hours=2)
    assert house.run("poll").code in (10, 11)
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]
    assert house.accepted("transmit") == Counter(["a", "b"])


def test_copies_travel_in_files_of_limited_size(house: House) -> None:
    """Five copies at two rows a file make three files."""
    house.set(channels={"max_rows_per_file": 2})
    house.add(*(paid(each) for each in "abcde"))
    assert house.run("transmit").code == 0
    assert [row["row_count"] for row in house.ledger("SELECT row_count FROM batch ORDER BY rowid")] == [2, 2, 1]
    assert house.accepted("transmit") == Counter("abcde")


def test_copies_that_are_switched_off(house: House) -> None:
    """With channels.transmit = "off" the command says so and does nothing."""
    some_paid(house)
    house.set(channels={"transmit": "off"})
    report = house.run("transmit")
    assert report.code == 78
    assert isinstance(report.findings.problems[0], ConfigurationError)
    assert house.sandbox.journal() == []


def test_transmit_and_nightly_do_not_touch_each_other(house: House) -> None:
    """A night leaves copies alone, and a transmit leaves declines alone."""
    house.add(order("x"), paid("p"))
    house.run()
    assert (house.accepted(), house.accepted("transmit")) == (Counter(["x"]), Counter())
    states = house.states()
    house.run("transmit")
    assert (house.accepted(), house.accepted("transmit")) == (Counter(["x"]), Counter(["p"]))
    assert house.states() == states


def test_what_is_not_copied_is_counted_with_why(house: House, mocker: MockerFixture) -> None:
    """How many charges stayed for each reason, and the first three of each by name."""
    told = mocker.spy(jobs.night, "transmit")
    house.add(paid("good"), *(paid(f"bad-{number}", currency="?") for number in range(4)), paid("elsewhere", site="nowhere"))
    house.run("transmit")
    copies = told.spy_return
    assert (copies.claimed, copies.left_out) == (1, Counter(invalid_row=4, site_unknown=1))
    assert copies.examples == {"invalid_row": ["bad-0", "bad-1", "bad-2"], "site_unknown": ["elsewhere"]}
