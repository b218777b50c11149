"""The schedule as processes: a missed night is caught up once, two schedulers run one, and a signal finishes the step."""

import json
import re
import signal
from collections import Counter
from datetime import date, timedelta

import pytest

from batch.pace import business_date
from jobs.output import Options
from jobs.schedule import run_schedule
from jobs.schedule_next import next_times
from schemas.errors import NightDone
from tests.night.house import House
from tests.night.test_commands import QUICK, fresh, until

OFTEN = {**QUICK, "MITBATCH_SCHEDULE__NIGHTLY": "0 0 * * *", "MITBATCH_SCHEDULE__POLL": "", "MITBATCH_SCHEDULE__TRANSMIT": ""}
OFTEN |= {"MITBATCH_SCHEDULE__RECONCILE": "", "MITBATCH_SCHEDULE__TIMEZONE": "UTC"}


def had_a_night_before(house: House) -> str:
    """A night of yesterday, so that today's is due. Returns today."""
    today = business_date(house.clock.now(), "UTC")
    yesterday = (date.fromisoformat(today) - timedelta(days=1)).isoformat()
    assert house.cli("nightly", "--date", yesterday, **OFTEN).returncode == 0
    return today


def nights(house: House, day: str) -> list[int | None]:
    """How the nights of a date ended."""
    return [row["exit_code"] for row in house.ledger("SELECT exit_code FROM run WHERE job='nightly' AND business_date=?", [day])]


def test_two_schedulers_catch_a_night_up_once(running_house: House) -> None:
    """Both start when today's night is overdue: one runs it, the other finds it done or at work; SIGTERM ends both with 143."""
    house = running_house
    today = had_a_night_before(house)
    house.add(fresh(house, "a"))
    both = [house.start("schedule", **OFTEN) for _ in range(2)]
    until(lambda: nights(house, today) not in ([], [None]))
    said = []
    for each in both:
        with each:
            if each.stdout is not None:
                until(lambda: True)
            each.send_signal(signal.SIGTERM)
            said.append(each.communicate(timeout=60))
    assert [each.returncode for each in both] == [143, 143]
    assert nights(house, today) == [nights(house, today)[0]]
    assert house.accepted() == Counter(["a"])
    assert any(re.search(rf"nightly --once --date {today} ended with exit", out) for out, _ in said)


def test_a_signal_finishes_the_step_of_the_job_that_is_at_work(running_house: House) -> None:
    """SIGTERM reaches the night, which stops at its next step with 143, and so does the schedule; nothing is lost by it."""
    house = running_house
    today = had_a_night_before(house)
    house.add(fresh(house, "a"))
    house.sandbox.faults.switch_on("stall", where="write")
    with house.start("schedule", MITBATCH_SFTP__DEADLINE_SECONDS="3", **OFTEN) as schedule:
        until(lambda: house.sandbox.faults.fired("stall") == 1)
        schedule.send_signal(signal.SIGTERM)
        out, err = schedule.communicate(timeout=60)
    assert schedule.returncode == 143, (out, err)
    assert nights(house, today) == [143]
    assert re.search(rf"nightly --once --date {today} ended with exit 143", out)
    house.sandbox.faults.clear()
    assert house.cli("nightly", "--once", **OFTEN).returncode == 0
    assert house.accepted() == Counter(["a"])


def test_once_does_nothing_when_the_night_is_done(running_house: House) -> None:
    """Exit 0 and one sentence; without --once the date is gone through again."""
    house = running_house
    assert house.cli("nightly", **OFTEN).returncode == 0
    again = house.cli("nightly", "--once", **OFTEN)
    assert (again.returncode, again.stdout) == (0, "")
    assert "is done" in again.stderr
    assert "[MB-NIGHT-DONE]" in again.stderr
    assert len(house.ledger("SELECT * FROM run")) == 1


def test_who_takes_the_lease_looks_once_more(house_done: House) -> None:
    """Two that both found it to do: the second is refused in the transaction that takes the lease, and leaves no run."""
    with pytest.raises(NightDone):
        house_done.run(once=True)
    assert [row["job"] for row in house_done.ledger("SELECT job FROM run")] == ["nightly"]


def test_a_late_night_is_told_once(house_late: House) -> None:
    """The item says which night was late and which were never run; the next night in time closes it."""
    report = house_late.run(once=True)
    assert report.code == 10
    ((kind, subject),) = house_late.items()
    assert (kind, subject) == ("run_missed", "night:2026-11-26")
    (item,) = house_late.ledger("SELECT explanation FROM item")
    assert "was due at 2026-11-26T06:30:00Z" in item["explanation"]
    assert "never run: 2026-11-24, 2026-11-25" in item["explanation"]
    house_late.pass_time(hours=17)
    assert house_late.run(once=True).code == 0
    assert house_late.items() == []


def test_the_next_times_are_shown(running_house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run shows three moments of each job, and by what they are reckoned; copies that are not sent have none."""
    house = running_house
    assert run_schedule(Options(house.config), dry_run=True) == 0
    by, zone = house.settings.schedule.nightly, house.settings.schedule.timezone
    assert re.search(rf"^DRY RUN  nightly +(\S+Z   ){{3}}by '{re.escape(by)}' in {zone}$", capsys.readouterr().out, re.MULTILINE)
    assert run_schedule(Options(house.config, json=True), dry_run=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(found["next"]) == ["nightly", "poll", "reconcile", "transmit"]
    assert all(len(moments) == 3 for moments in found["next"].values())
    house.set(channels={"transmit": "off"})
    assert "transmit" not in next_times(house.settings, house.clock.now())
