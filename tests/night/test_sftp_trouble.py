"""What the night does when the provider's SFTP server fails: code, state and message, and each order at the provider once."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from jobs.running import RunReport
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, ONHOLD, House, order

FOREVER = 999


def two_orders(house: House) -> None:
    """Two declined charges that the provider keeps."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))


def blocked(house: House) -> bool:
    """Whether the merchant's own retry finds nothing to take."""
    return not house.retry_takes("a") and not house.retry_takes("b")


def messages(report: RunReport) -> str:
    """Every problem of a run."""
    return "\n".join(str(problem) for problem in report.findings.problems)


def ends_clean(house: House) -> None:
    """The server is well again, and one more night brings both orders there exactly once."""
    house.sandbox.faults.clear()
    report = house.run()
    assert (report.code, messages(report)) == (0, "")
    assert house.accepted() == Counter(["a", "b"])
    assert house.states() == {"a": "pending", "b": "pending"}
    assert house.items() == []
    assert blocked(house)
    assert [path.name for path in house.sandbox.inbound.iterdir()] == []


STOPPED: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "refuse_login": ({}, 20, "sending", "[MB-SFTP-LOGIN]"),
    "refuse_connection": ({}, 20, "sending", "[MB-SFTP-UNREACHABLE]"),
    "refuse_write": ({}, 20, "sending", "[MB-SFTP-REFUSED]"),
    "refuse_rename": ({}, 20, "part_verified", "[MB-SFTP-REFUSED]"),
    "drop_connection_halfway": ({}, 20, "sending", "[MB-SFTP-LOST]"),
    "drop_before_rename": ({}, 20, "part_verified", "[MB-SFTP-LOST]"),
    "drop_after_close": ({}, 20, "sending", "[MB-SFTP-LOST]"),
    "wrong_size": ({}, 20, "sending", "[MB-SFTP-REFUSED]"),
}


@pytest.mark.parametrize("fault", STOPPED)
def test_a_server_that_stays_ill_gets_nothing(house: House, fault: str) -> None:
    """Nothing is sent, the code and the message say so, both orders stay blocked, and the next night sends each once."""
    more, code, step, words = STOPPED[fault]
    two_orders(house)
    house.sandbox.faults.switch_on(fault, times=FOREVER, **more)
    report = house.run()
    assert (report.code, house.steps()) == (code, [step])
    assert words in messages(report)
    assert house.sandbox.faults.fired(fault) >= 1
    assert house.states() == {"a": "sending", "b": "sending"}
    assert house.accepted() == Counter()
    assert house.row("a")["status"] == "pending"
    assert blocked(house)
    ends_clean(house)


def test_refused_logins_are_not_repeated(house: House) -> None:
    """A login that is refused is tried once in a run, whatever there is to do: a lock-out helps nobody (N-17)."""
    two_orders(house)
    house.set(channels={"max_rows_per_file": 1})
    house.sandbox.faults.switch_on("refuse_login", times=FOREVER)
    assert house.run().code == 20
    assert house.sandbox.faults.fired("refuse_login") <= 3
    ends_clean(house)


def test_another_host_key_is_refused(house: House) -> None:
    """A server with another host key is shown nothing: exit 30, both keys in the message, orders blocked."""
    two_orders(house)
    house.sandbox.faults.switch_on("other_host_key", times=FOREVER)
    report = house.run()
    assert report.code == 30
    assert "[MB-SFTP-HOSTKEY]" in messages(report)
    assert messages(report).count("SHA256:") == 2
    assert "othing was sent" in messages(report)
    assert house.received() == []
    assert list(house.sandbox.inbound.iterdir()) == []
    assert blocked(house)
    ends_clean(house)


def test_a_host_key_that_changed_for_good_is_refused_every_night(house: House) -> None:
    """A new host key is refused until known_hosts is changed by hand, and then the ledger's own lock refuses it too."""
    two_orders(house)
    house.run()
    house.sandbox.change_host_key()
    house.add(order("c"))
    assert house.run().code == 30
    assert house.run().code == 30
    assert house.accepted() == Counter(["a", "b"])
    assert house.state("c") == "sending"


HEALED: dict[str, tuple[str, dict[str, Any]]] = {
    "taken at once": ("take_file_at_once", {}),
    "dropped at the first byte": ("drop_connection_halfway", {"after": 0}),
    "dropped after one byte": ("drop_connection_halfway", {"after": 1}),
    "dropped half-way": ("drop_connection_halfway", {}),
    "dropped after 1,000 bytes": ("drop_connection_halfway", {"after": 1000}),
    "dropped before the rename": ("drop_before_rename", {}),
    "dropped after the rename": ("drop_after_rename", {}),
    "dropped after the close": ("drop_after_close", {}),
    "no size": ("size_missing", {"times": FOREVER}),
    "a wrong size once": ("wrong_size", {}),
    "an appending server": ("append_instead_of_truncate", {"times": FOREVER}),
    "a stall at the open": ("stall", {"where": "open"}),
    "a stall at the write": ("stall", {"where": "write"}),
    "no reply to a close": ("stall_after", {"where": "close"}),
    "a stall at the size": ("stall", {"where": "stat"}),
    "a stall at the rename": ("stall", {"where": "rename"}),
    "no reply to a write": ("stall_after", {"where": "write"}),
    "no reply to the rename": ("stall_after", {"where": "rename"}),
}


@pytest.mark.parametrize("name", HEALED)
def test_a_fault_that_passes_is_settled_in_the_same_night(house: House, name: str) -> None:
    """One fault on the way is settled within the run: clean, and both orders at the provider once."""
    fault, more = HEALED[name]
    two_orders(house)
    house.set(sftp={"deadline_seconds": 1.5})
    house.sandbox.faults.switch_on(fault, **more)
    report = house.run()
    assert house.sandbox.faults.fired(fault) >= 1
    assert (report.code, messages(report), house.steps()) == (0, "", ["acknowledged"])
    assert house.accepted() == Counter(["a", "b"])
    assert house.states() == {"a": "pending", "b": "pending"}
    assert [path.name for path in house.sandbox.inbound.iterdir()] == []
    assert blocked(house)


@pytest.mark.parametrize("where", ["open", "write", "stat", "rename", None])
def test_a_server_that_stalls_for_ever_meets_our_deadline(house: House, where: str | None) -> None:
    """A server that never answers is given up after the deadline: exit 20, nothing sent, and the next night sends once."""
    two_orders(house)
    house.set(sftp={"deadline_seconds": 1})
    house.sandbox.faults.switch_on("stall", times=FOREVER, where=where)
    report = house.run()
    assert "[MB-SFTP-LOST]" in messages(report)
    assert report.code == 20
    assert set(house.states().values()) == {"sending"}
    assert house.accepted() == Counter()
    assert blocked(house)
    ends_clean(house)


@pytest.mark.parametrize("fault", ["append_instead_of_truncate", ""])
def test_a_left_over_part_is_written_anew(house: House, fault: str) -> None:
    """Half a part of an earlier run never ends up inside the new one, even on a server that appends (N-13)."""
    two_orders(house)
    house.sandbox.faults.switch_on("drop_connection_halfway", times=FOREVER)
    assert house.run().code == 20
    (left,) = house.sandbox.inbound.iterdir()
    assert left.name.endswith(".part")
    house.sandbox.faults.clear()
    left.write_bytes(b"x" * 100_000)
    if fault:
        house.sandbox.faults.switch_on(fault, times=FOREVER)
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])
    ends_clean(house)


@pytest.mark.parametrize("minutes", [1, 20])
@pytest.mark.parametrize("fault", ["append_instead_of_truncate", ""])
def test_a_part_with_an_old_token_is_rewritten(house: House, minutes: int, fault: str) -> None:
    """A part that was never renamed goes out in the next run with a token that is still good, whatever the time between."""
    two_orders(house)
    house.sandbox.faults.switch_on("refuse_rename", times=FOREVER)
    assert house.run().code == 20
    assert house.steps() == ["part_verified"]
    name = house.ledger("SELECT file_name FROM batch")
    house.sandbox.faults.clear()
    house.pass_time(minutes=minutes)
    if fault:
        house.sandbox.faults.switch_on(fault, times=FOREVER)
    for _ in range(2):
        if house.run().code == 0:
            break
    assert house.accepted() == Counter(["a", "b"])
    assert [row["event"] for row in house.sandbox.journal() if row["event"] == "file_refused"] == []
    assert house.ledger("SELECT file_name FROM batch") == name
    ends_clean(house)


def test_a_part_that_vanished_is_not_sent_again(house: House) -> None:
    """A verified part that somebody removed counts as renamed (5.5): no second file, in doubt after the window, held."""
    two_orders(house)
    house.sandbox.faults.switch_on("refuse_rename", times=FOREVER)
    house.run()
    house.sandbox.faults.clear()
    (part,) = house.sandbox.inbound.iterdir()
    part.unlink()
    assert house.run().code == 0
    assert house.steps() == ["delivered"]
    house.pass_time(hours=2)
    report = house.run("poll")
    assert report.code == 11
    assert house.states() == {"a": "in_doubt", "b": "in_doubt"}
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]
    house.pass_time(days=1)
    assert house.run().code == 11
    assert house.received() == []
    assert blocked(house)


def test_a_rename_whose_end_nobody_can_tell_is_in_doubt(house: House) -> None:
    """The rename happened, the reply is lost and nobody can look: exit 11, in doubt, blocked; then the answer settles it."""
    two_orders(house)
    house.sandbox.faults.switch_on("drop_after_rename")
    house.sandbox.faults.switch_on("refuse_connection", times=FOREVER, skip=1)
    house.sandbox.faults.switch_on("server_error_before", times=FOREVER, where="orders")
    report = house.run()
    assert report.code == 11
    assert house.states() == {"a": "in_doubt", "b": "in_doubt"}
    assert house.steps() == ["in_doubt"]
    assert blocked(house)
    ends_clean(house)


def test_a_rename_in_doubt_that_never_happened_is_done_again(house: House) -> None:
    """Nobody could look whether the rename happened; the part is still there, so it did not: the same file goes out."""
    two_orders(house)
    house.sandbox.faults.switch_on("drop_before_rename")
    house.sandbox.faults.switch_on("refuse_connection", times=FOREVER, skip=1)
    assert house.run().code == 11
    assert house.accepted() == Counter()
    house.sandbox.faults.clear()
    house.pass_time(minutes=30)
    ends_clean(house)


def test_orders_in_doubt_are_found_by_asking(house: House) -> None:
    """A batch in doubt is settled by the provider's listing, orders and file, while SFTP stays out of reach."""
    two_orders(house)
    house.sandbox.faults.switch_on("drop_after_rename")
    house.sandbox.faults.switch_on("refuse_connection", times=FOREVER, skip=1)
    house.run()
    assert house.states() == {"a": "pending", "b": "pending"}
    assert house.steps() == ["acknowledged"]
    ends_clean(house)


def test_one_file_in_trouble_stops_no_other(house: House) -> None:
    """Of two files one is refused its rename: the other goes, the run says 10, and the next night sends the rest once."""
    two_orders(house)
    house.set(channels={"max_rows_per_file": 1})
    house.sandbox.faults.switch_on("refuse_rename")
    report = house.run()
    assert report.code == 10
    assert sum(house.accepted().values()) == 1
    assert sorted(house.states().values()) == ["pending", "sending"]
    ends_clean(house)


def test_a_taken_final_name_is_never_overwritten(house: House) -> None:
    """A file of ours' name with other bytes stands in the way: nothing is overwritten, the batch is in doubt (N-14)."""
    two_orders(house)
    house.sandbox.faults.switch_on("refuse_rename", times=FOREVER)
    house.run()
    house.sandbox.faults.clear()
    (name,) = [row["file_name"] for row in house.ledger("SELECT file_name FROM batch")]
    (house.sandbox.inbound / name).write_bytes(b"somebody else's")
    report = house.run()
    assert report.code == 11
    assert house.steps() == ["in_doubt"]
    assert (house.sandbox.inbound / name).read_bytes() == b"somebody else's"
    (house.sandbox.inbound / name).unlink()
    house.pass_time(minutes=20)
    ends_clean(house)


def test_a_listing_that_is_refused_loses_nothing(house: House) -> None:
    """The files go out, the answers cannot be listed: a person is told, and the next poll reads them."""
    two_orders(house)
    house.sandbox.faults.switch_on("refuse_list", times=FOREVER)
    report = house.run()
    assert report.code == 10
    assert house.steps() == ["delivered"]
    assert house.accepted() == Counter(["a", "b"])
    assert "[MB-SFTP-REFUSED]" in messages(report)
    house.sandbox.faults.clear()
    assert house.run("poll").code == 0
    ends_clean(house)


def test_a_second_listing_that_is_refused_is_20(house: House) -> None:
    """A night that had nothing to send and could not list says that nothing was sent."""
    two_orders(house)
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.run()
    house.sandbox.faults.switch_on("refuse_list", times=FOREVER)
    assert house.run().code == 20


def test_expiry_and_bytes_are_the_same_at_every_attempt(make_house: MakeHouse) -> None:
    """Whatever failed before, the rows, their order, the name and the expiry are those of the claim."""
    house = make_house(removal="never")
    two_orders(house)
    house.sandbox.faults.switch_on("refuse_write", times=FOREVER)
    house.run()
    fixed = "SELECT file_name, rows_digest, expires_at FROM batch"
    claimed = house.ledger(fixed)
    house.sandbox.faults.clear()
    house.change("a", last_name="Changed", payment_token=CANCELLED)
    house.clock.advance(timedelta(hours=5))
    assert house.run().code == 0
    assert house.ledger(fixed) == claimed
    assert {row["order_id"]: row["amount"] for row in house.sandbox.accepted("evaluate")} == {"a": 1999, "b": 1999}
