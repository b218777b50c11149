"""A ledger that was restored from an older copy, or made anew, is told by the marks of what left, and refused."""

import sqlite3
from contextlib import closing

import pytest
from pytest_mock import MockerFixture

from schemas.errors import ExitCode, LedgerBehind
from tests.night.house import House, order


def _backup(house: House) -> None:
    with closing(sqlite3.connect(house.ledger_path)) as ledger:
        house.ledger_path.with_name("backup.db").write_bytes(ledger.serialize())


def _restore(house: House) -> None:
    for ending in ("-wal", "-shm"):
        house.ledger_path.with_name(house.ledger_path.name + ending).unlink(missing_ok=True)
    house.ledger_path.write_bytes(house.ledger_path.with_name("backup.db").read_bytes())


def _fail_before_the_part(house: House) -> None:
    house.add(order("a"), order("b"))
    house.sandbox.faults.switch_on("refuse_write", times=9)
    assert house.run().code == ExitCode.NOTHING_SENT
    assert house.steps() == ["sending"]
    house.sandbox.faults.switch_off("refuse_write")


@pytest.mark.parametrize("job", ["nightly", "rerun", "poll", "transmit"])
def test_a_restored_copy_sends_nothing_and_touches_nothing(house: House, job: str) -> None:
    """The copy says `sending`, the file has left since: every job refuses before it changes anything on either side."""
    _fail_before_the_part(house)
    _backup(house)
    assert house.run().code == ExitCode.CLEAN
    _restore(house)
    orders, rows = house.orders_path.read_bytes(), house.ledger_rows()

    with pytest.raises(LedgerBehind) as refused:
        house.run(job)

    assert refused.value.exit_code == ExitCode.REFUSED
    assert house.accepted() == {"a": 1, "b": 1}
    assert (house.orders_path.read_bytes(), house.ledger_rows()) == (orders, rows)


def test_a_copy_from_before_the_file_was_claimed_is_refused(house: House) -> None:
    """A file that the copy does not know at all has left."""
    house.run()
    _backup(house)
    house.add(order("a"))
    house.run()
    _restore(house)

    with pytest.raises(LedgerBehind):
        house.run()


def test_an_empty_ledger_in_the_place_of_a_used_one_is_refused(house: House) -> None:
    """Whoever points to a new ledger beside the old marks is told so."""
    house.add(order("a"))
    house.run()
    house.ledger_path.unlink()

    with pytest.raises(LedgerBehind):
        house.run()


def test_the_newest_copy_goes_on(house: House) -> None:
    """A copy that knows everything that left is as good as the ledger itself."""
    house.add(order("a"))
    house.run()
    _backup(house)
    house.pass_time(hours=2)
    house.run("poll")
    _restore(house)

    assert house.run("poll").code == ExitCode.CLEAN
    assert house.states() == {"a": "completed"}
    assert house.accepted() == {"a": 1}


def test_a_mark_that_cannot_be_written_sends_nothing(house: House) -> None:
    """Without its mark no file is renamed; the next night marks it, and sends it once."""
    house.add(order("a"))
    house.settings.data_dir.mkdir(mode=0o700, exist_ok=True)
    (house.settings.data_dir / "sent").write_bytes(b"no folder")

    assert house.run().code == ExitCode.NOTHING_SENT
    assert (house.steps(), house.received()) == (["part_verified"], [])

    (house.settings.data_dir / "sent").unlink()
    assert house.run().code == ExitCode.CLEAN
    assert house.accepted() == {"a": 1}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_dying_at_the_mark_is_gone_on_from(house: House, mocker: MockerFixture, moment: str) -> None:
    """Killed right before or right after the mark, the next run sends the file once, and takes its own ledger for true."""
    house.add(order("a"))
    publish = "batch.departures.Departures.mark" if moment == "before" else "batch.sftp.SftpFolder.publish"
    dying = mocker.patch(publish, side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        house.run()
    mocker.stop(dying)
    house.pass_time(hours=1)
    house.clock.sleep(house.settings.lease.seconds)

    assert house.steps() == ["part_verified"]
    assert house.run("rerun").code == ExitCode.CLEAN
    assert house.accepted() == {"a": 1}
