"""Channels change while orders are on their way: each goes as it was claimed, once (O-04), and modes never mix (O-06)."""

from collections import Counter
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from batch.departures import Departures
from schemas.errors import FileNotWritten, LedgerBehind
from tests.night.house import ONHOLD, House, order, paid

BY_FILE, BY_CALL = {"evaluate": "sftp", "transmit": "sftp"}, {"evaluate": "api", "transmit": "api"}


def channels_of(house: House) -> dict[str, str]:
    """By which channel the provider took each order."""
    return {str(row["order_id"]): str(row["channel"]) for row in house.sandbox.accepted("evaluate")}


def put_ledger(house: House, content: bytes) -> None:
    """Put another ledger in the place of the one that is there."""
    for ending in ("-wal", "-shm"):
        house.ledger_path.with_name(house.ledger_path.name + ending).unlink(missing_ok=True)
    house.ledger_path.write_bytes(content)


@pytest.mark.parametrize(("first", "then"), [(BY_FILE, BY_CALL), (BY_CALL, BY_FILE)])
def test_pending_orders_stay_where_they_are(house: House, first: dict[str, str], then: dict[str, str]) -> None:
    """What is pending by one channel is not sent by the other, and is settled by the same reads."""
    house.set(channels=first)
    house.add(order("a"))
    assert house.run().code == 0
    house.set(channels=then)
    house.add(order("b"))
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])
    assert channels_of(house) == {"a": house_word(first), "b": house_word(then)}
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert set(house.states().values()) == {"completed"}
    assert [row["channel"] for row in house.audit("submissions")] == [house_word(first), house_word(then)]


def house_word(channels: dict[str, str]) -> str:
    """What the journal and the audit call the channel of an order."""
    return channels["evaluate"]


def test_a_file_that_was_not_delivered_still_goes_as_a_file(house: House) -> None:
    """A file that waits for its server is delivered as one after evaluate was set to api, and new orders are called."""
    house.add(order("a"))
    house.sandbox.faults.switch_on("refuse_write", times=9)
    assert house.run().code == 20
    house.sandbox.faults.clear()
    house.set(channels=BY_CALL)
    house.add(order("b"))
    assert house.run().code == 0
    assert channels_of(house) == {"a": "sftp", "b": "api"}
    assert house.accepted() == Counter(["a", "b"])


def test_a_file_in_doubt_stays_in_doubt(house: House) -> None:
    """A file that may have arrived is asked about after the change, and its order is not called."""
    house.add(order("a"))
    house.sandbox.faults.switch_on("drop_after_rename")
    house.sandbox.faults.switch_on("refuse_connection", skip=1, times=9)
    house.run()
    house.set(channels=BY_CALL)
    house.sandbox.faults.clear()
    assert house.run().code == 0
    assert house.accepted() == Counter(["a"])
    assert channels_of(house) == {"a": "sftp"}


def test_a_half_called_group_goes_on_by_calls(house: House) -> None:
    """Of a group some were called, one is in doubt, the others wait: after the change to files they are called all the same."""
    house.set(channels=BY_CALL)
    house.add(*(order(each, payment_token=ONHOLD) for each in "abcdef"))
    house.sandbox.faults.switch_on("server_error_before", where="evaluate", skip=1)
    house.sandbox.faults.switch_on("forbidden", where="evaluate", skip=2, times=99)
    assert house.run().code == 11
    assert Counter(house.states().values()) == {"pending": 1, "in_doubt": 1, "held": 4}
    house.sandbox.faults.clear()
    house.set(channels=BY_FILE)
    house.add(order("g", payment_token=ONHOLD))
    assert house.run().code == 11
    assert Counter(house.states().values()) == {"pending": 6, "in_doubt": 1}
    assert max(house.accepted().values()) == 1
    assert Counter(channels_of(house).values()) == {"api": 5, "sftp": 1}


def test_copies_go_the_way_that_they_were_claimed_for(house: House) -> None:
    """A copy that could not be called is called after the change to files; each charge is copied once."""
    house.set(channels=BY_CALL)
    house.add(paid("p1"))
    house.sandbox.faults.switch_on("forbidden", where="transmit")
    assert house.run("transmit").code == 20
    house.set(channels=BY_FILE)
    house.add(paid("p2"))
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["p1", "p2"])
    assert [(row["order_id"], row["channel"], row["result"]) for row in house.audit("transmissions")] == [
        ("p1", "api", "success"),
        ("p2", "sftp", "success"),
    ]


def test_who_sends_by_calls_alone_needs_no_file_server(house: House) -> None:
    """Once nothing travels as a file, a night does not ask for the SFTP server, which may be gone."""
    house.set(channels=BY_CALL)
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("refuse_connection", times=99)
    assert house.run().code == 0
    assert house.run("poll").code == 0
    assert house.sandbox.faults.fired("refuse_connection") == 0


def test_a_ledger_from_before_the_calls_is_refused(house: House) -> None:
    """A copy of the ledger from before a set of calls is refused, and nothing is called twice (P-18)."""
    house.set(channels=BY_CALL)
    house.add(*(order(each, payment_token=ONHOLD) for each in "abc"))
    house.sandbox.faults.switch_on("forbidden", where="evaluate", skip=1, times=99)
    house.run()
    older = house.ledger_path.read_bytes()
    house.sandbox.faults.clear()
    assert house.run().code == 0
    assert house.accepted() == Counter("abc")
    put_ledger(house, older)
    with pytest.raises(LedgerBehind):
        house.run()
    assert house.accepted() == Counter("abc")


@pytest.mark.parametrize("has_hash", [True, False])
def test_a_ledger_that_took_back_what_its_copy_called_is_refused(house: House, has_hash: bool) -> None:
    """Of two ledgers that were one, the copy called what this one withdrew: it lifts no hold, by any version's mark (O-07)."""
    house.set(channels=BY_CALL)
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("token_refused", times=99)
    house.run()
    held = house.ledger_path.read_bytes()
    assert house.states() == {"a": "held"}
    house.sandbox.faults.clear()
    house.set(switches={"mit": False})
    house.run()
    took_back = house.ledger_path.read_bytes()
    assert house.states() == {"a": "withdrawn"}
    put_ledger(house, held)
    house.set(switches={"mit": True})
    house.run()
    assert house.accepted() == Counter("a")
    put_ledger(house, took_back)
    if not has_hash:
        (mark,) = marks(house)
        mark.rename(without_hash(mark))

    with pytest.raises(LedgerBehind):
        house.run("poll")
    assert house.row("a")["hold_reference"]


def marks(house: House) -> list[Path]:
    """The marks of calls that may have left."""
    return sorted((house.settings.data_dir / "sent").glob("calls_*"))


def without_hash(mark: Path) -> Path:
    """A mark of calls as the version named it that did not note hashes."""
    return mark.with_name(mark.name.rpartition("_")[0])


def test_a_mark_without_a_hash_is_good_for_the_ledger_that_left_it(house: House, mocker: MockerFixture) -> None:
    """A group that the version before has begun to call is gone on with where it stopped, and each order is called once (I12)."""
    mocker.patch("batch.api_delivery.SET", 1)
    house.set(channels=BY_CALL)
    house.add(order("a"), order("b"), order("c"))
    house.sandbox.faults.switch_on("unauthorized_once", where="evaluate", skip=1, times=999)
    house.run()
    assert house.accepted() == Counter("a")
    for mark in marks(house):
        mark.rename(without_hash(mark))
    house.sandbox.faults.clear()
    house.run()
    assert house.accepted() == Counter("abc")
    assert [mark.name.count("_") for mark in marks(house)] == [2, 3]
    house.pass_time(hours=2)
    assert house.run("poll").code == 0


def test_every_mark_of_a_group_counts(house: House) -> None:
    """Where two ledgers that were one marked an intent of the same number, neither goes on (O-07)."""
    house.set(channels=BY_CALL)
    house.add(order("a"))
    house.run()
    (mark,) = marks(house)
    without_hash(mark).with_name(f"{without_hash(mark).name}_{'0' * 64}").touch()
    with pytest.raises(LedgerBehind):
        house.run("poll")


def test_a_ledger_whose_copy_called_by_an_intent_of_the_same_number_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two ledgers that were one, this one intended a call and took it back; the copy intended its own and called (O-07)."""
    house.set(channels=BY_CALL)
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("token_refused", times=99)
    house.run()
    held = house.ledger_path.read_bytes()
    house.sandbox.faults.clear()
    with monkeypatch.context() as full_disk:
        full_disk.setattr(Departures, "mark_calls", _no_space)
        house.run()
    took_back = house.ledger_path.read_bytes()
    assert house.states() == {"a": "held"}
    assert house.accepted() == Counter()
    put_ledger(house, held)
    house.run()
    assert house.accepted() == Counter("a")
    put_ledger(house, took_back)

    with pytest.raises(LedgerBehind):
        house.run()
    assert house.accepted() == Counter("a")
    assert house.row("a")["hold_reference"]


def _no_space(*_: object, **__: object) -> None:
    raise FileNotWritten("No space left on device.")


def test_a_changed_mode_is_refused_until_all_is_settled(house: House) -> None:
    """While orders of managed mode are open, a night in sync mode ends with 30 and sends nothing; poll settles them (O-06)."""
    house.set(channels=BY_CALL)
    house.add(order("a"))
    assert house.run().code == 0
    house.set(provider={"mit_mode": "sync"})
    house.add(order("b"))
    report = house.run()
    assert report.code == 30
    assert [problem.code for problem in report.findings.problems] == ["MB-MODE-CHANGED"]
    assert "1 order claimed in managed mode is not settled" in str(report.findings.problems[0])
    assert house.states() == {"a": "pending"}
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "completed"}
    assert house.run().code != 30
