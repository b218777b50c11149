"""Copies that were left over: none leaves after its 24 hours, none while copies are switched off; the others go once."""

from collections import Counter
from collections.abc import Callable

import pytest
from pytest_mock import MockerFixture

import jobs.night
from schemas.errors import DecisionRefused, ExitCode
from tests.night.house import House, order, paid
from tests.night.test_review import decide

CALLS, FILES = {"evaluate": "api", "transmit": "api"}, {"evaluate": "sftp", "transmit": "sftp"}
OLD, YOUNG = "2026-11-22T08:00:00Z", "2026-11-23T06:00:00Z"
"""One charge is nearly a day old when its copy is claimed, the other half an hour."""


def results(house: House) -> dict[str, str]:
    """What the ledger says of each copy."""
    return {row["order_id"]: row["result"] for row in house.ledger("SELECT order_id, result FROM transmission")}


def by_calls(house: House) -> None:
    """The provider refuses every call: both copies are claimed, and none was sent."""
    house.set(channels=CALLS)
    house.sandbox.faults.switch_on("forbidden", where="transmit", times=999)


def by_a_part(house: House) -> None:
    """No part can be written: both copies are claimed for a file, and none was sent."""
    house.set(channels=FILES)
    house.sandbox.faults.switch_on("refuse_write", times=999)


@pytest.fixture(params=[by_calls, by_a_part])
def left_over(request: pytest.FixtureRequest, house: House) -> House:
    """Two copies that were claimed and could not leave; now they could."""
    stop: Callable[[House], None] = request.param
    stop(house)
    house.add(paid("old", charged_at=OLD), paid("young", charged_at=YOUNG))
    assert house.run("transmit").code == ExitCode.NOTHING_SENT
    house.sandbox.faults.clear()
    return house


@pytest.mark.parametrize("job", ["transmit", "nightly"])
def test_only_what_is_young_enough_leaves(left_over: House, job: str) -> None:
    """Two hours later one charge is older than 24 hours: its copy is taken out for good, the other goes, once."""
    left_over.pass_time(hours=2)
    assert left_over.run(job).code == ExitCode.CLEAN
    assert left_over.accepted("transmit") == Counter(["young"])
    assert results(left_over) == {"old": "too_old", "young": "success"}
    (told,) = [row for row in left_over.audit("transmissions") if row["order_id"] == "old"]
    assert (told["result"], told["delivered_at"], told["late"]) == ("too_old", "", "")
    assert "more than 24 hours ago" in told["error_text"]
    left_over.run("transmit")
    assert left_over.accepted("transmit") == Counter(["young"])
    assert left_over.steps() == ["acknowledged"]


def test_what_has_grown_too_old_is_named(left_over: House, mocker: MockerFixture) -> None:
    """The run that takes it out says so, once; the next has nothing to tell."""
    told = mocker.spy(jobs.night, "transmit")
    left_over.pass_time(hours=2)
    left_over.run("transmit")
    assert (told.spy_return.left_out, told.spy_return.examples) == (Counter(too_old=1), {"too_old": ["old"]})
    left_over.run("transmit")
    assert told.spy_return.left_out == Counter()


def test_to_the_second(left_over: House) -> None:
    """24 hours after its charge a copy still goes."""
    left_over.pass_time(hours=1, minutes=30)
    left_over.run("transmit")
    assert left_over.accepted("transmit") == Counter(["old", "young"])


@pytest.mark.parametrize("job", ["transmit", "nightly"])
def test_what_is_too_old_as_a_whole_is_over(left_over: House, job: str) -> None:
    """Two days later nothing of it leaves, and it is not looked at again."""
    left_over.pass_time(days=2)
    assert left_over.run(job).code == ExitCode.CLEAN
    assert left_over.accepted("transmit") == Counter()
    assert left_over.steps()[0] in ("empty", "acknowledged")
    assert results(left_over) == {"old": "too_old", "young": "too_old"}
    assert left_over.sandbox.inbound.exists()
    assert list(left_over.sandbox.inbound.iterdir()) == []


def test_what_is_switched_off_does_not_leave(left_over: House) -> None:
    """channels.transmit = off: a night sends none of them, and is clean; switched on again, those in time go, once."""
    channels = left_over.settings.channels.transmit
    left_over.set(channels={"transmit": "off"})
    left_over.add(order("a"))
    for _ in range(2):
        assert left_over.run().code == ExitCode.CLEAN
    assert (left_over.accepted("transmit"), left_over.accepted()) == (Counter(), Counter(["a"]))
    assert left_over.items() == []
    left_over.set(channels={"transmit": channels})
    assert left_over.run().code == ExitCode.CLEAN
    assert left_over.accepted("transmit") == Counter(["old", "young"])


def test_what_is_switched_off_ends_with_its_time(left_over: House) -> None:
    """Switched off for two days: it is over without having been sent."""
    left_over.set(channels={"transmit": "off"})
    left_over.pass_time(days=2)
    assert left_over.run().code == ExitCode.CLEAN
    assert left_over.accepted("transmit") == Counter()
    assert left_over.steps()[0] in ("empty", "acknowledged")


@pytest.mark.parametrize("arrived", [True, False])
def test_a_file_in_doubt_that_is_switched_off_is_only_looked_for(house: House, arrived: bool) -> None:
    """A part that is gone has left before; one that is there is not renamed, and not in doubt any more (I12)."""
    house.add(paid("young", charged_at=YOUNG))
    house.sandbox.faults.switch_on("drop_after_rename" if arrived else "drop_before_rename")
    house.sandbox.faults.switch_on("refuse_connection", times=99, skip=1)
    assert house.run("transmit").code == ExitCode.IN_DOUBT
    house.sandbox.faults.clear()
    house.set(channels={"transmit": "off"})
    assert house.run().code == ExitCode.CLEAN
    assert house.accepted("transmit") == Counter(["young"] if arrived else [])
    assert house.steps() == ["acknowledged" if arrived else "part_verified"]
    house.set(channels={"transmit": "sftp"})
    house.run()
    assert house.accepted("transmit") == Counter(["young"])


def test_no_person_sends_what_is_switched_off(house: House) -> None:
    """Copies in doubt are not called once more while copies are off."""
    house.set(channels=CALLS)
    house.add(paid("young", charged_at=YOUNG))
    house.sandbox.faults.switch_on("server_error_before", where="transmit")
    house.run("transmit")
    (group,) = house.ledger("SELECT batch_id FROM batch")
    text = house.config.read_text(encoding="utf-8").replace("[channels]", '[channels]\ntransmit = "off"')
    text = text if "[channels]" in text else text + '\n[channels]\ntransmit = "off"\n'
    house.config.write_text(text, encoding="utf-8")
    with pytest.raises(DecisionRefused, match="switched off"):
        decide(house, f"batch:{group['batch_id']}", "repeat-call")
