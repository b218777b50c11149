"""Two runs at once: one works, the other stands back, gives way, or takes over from the dead."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.disk import MachineDisk, SyncedFile
from jobs.surroundings import of_this_machine
from schemas.errors import AnotherRunActive, LeaseLost
from tests.night.house import ONHOLD, House, order
from tests.night.test_commands import QUICK, fresh, until


def test_a_second_nightly_exits_21(running_house: House) -> None:
    """While one nightly works, another nightly, rerun, poll or transmit exits 21, says who is at work, and does nothing."""
    house = running_house
    house.add(fresh(house, "a"), fresh(house, "b"))
    house.sandbox.faults.switch_on("stall", where="write")
    with house.start("nightly", MITBATCH_SFTP__DEADLINE_SECONDS="60", **QUICK) as first:
        until(lambda: house.sandbox.faults.fired("stall") == 1)
        before = house.ledger_rows()
        second = house.cli("nightly", **QUICK)
        for job in ("rerun", "poll", "transmit"):
            with pytest.raises(AnotherRunActive):
                house.run(job)
        assert house.ledger_rows() == before
        assert first.poll() is None
        first.kill()
    assert second.returncode == 21
    assert second.stdout == ""
    assert "[MB-LEASE-HELD]" in second.stderr
    assert f"process {first.pid}" in second.stderr
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])


def test_two_nightlies_at_once_send_once(running_house: House) -> None:
    """Two nightlies started together: one works, the other exits 21 or comes later and finds nothing; each order goes once."""
    house = running_house
    house.add(*(fresh(house, f"{number}") for number in range(20)))
    runs = [house.start("nightly", **QUICK) for _ in range(2)]
    ended = []
    for run in runs:
        with run:
            ended.append((run.communicate(timeout=60), run.returncode))
    assert {code for _, code in ended} <= {0, 21}, ended
    assert 0 in {code for _, code in ended}
    assert house.accepted() == Counter(f"{number}" for number in range(20))
    assert set(house.states().values()) == {"pending"}


def test_a_poll_gives_way_to_a_nightly(running_house: House) -> None:
    """A nightly waits for a running poll, which stops at its next step with 21; the nightly does its work."""
    house = running_house
    house.add(fresh(house, "a"))
    assert house.run().code == 0
    house.add(fresh(house, "b"))
    house.sandbox.faults.switch_on("stall", where="list")
    with house.start("poll", "--all", MITBATCH_SFTP__DEADLINE_SECONDS="2", **QUICK) as poll:
        until(lambda: house.sandbox.faults.fired("stall") == 1)
        report = house.run()
        _, err = poll.communicate(timeout=30)
    assert report.code == 0
    assert poll.returncode == 21, err
    assert house.accepted() == Counter(["a", "b"])


def test_a_killed_run_is_taken_over_at_once(running_house: House) -> None:
    """The lease of a process of this machine that was killed is taken over at once, and the night is completed."""
    house = running_house
    house.add(fresh(house, "a"), fresh(house, "b"))
    house.sandbox.faults.switch_on("stall", where="rename")
    with house.start("nightly", **QUICK) as first:
        until(lambda: house.sandbox.faults.fired("stall") == 1)
        first.kill()
    assert first.returncode == -9
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])
    assert house.states() == {"a": "pending", "b": "pending"}


def _elsewhere(house: House, job: str) -> None:
    lasts = (house.clock.now() + timedelta(seconds=900)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute(
            "UPDATE lease SET run_id='0123456789abcdef', job=?, host='elsewhere', pid=99999999, pid_started='', expires_at=?",
            [job, lasts],
        )


def test_a_lease_of_another_host_runs_out(house: House) -> None:
    """A run of another machine keeps its lease for lease.seconds without a sign of life, and not longer."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    _elsewhere(house, "nightly")
    house.add(order("b", payment_token=ONHOLD))
    house.clock.advance(timedelta(seconds=890))
    with pytest.raises(AnotherRunActive, match="elsewhere"):
        house.run()
    house.clock.advance(timedelta(seconds=12))
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])


def test_waiting_for_a_poll_elsewhere_has_an_end(house: House) -> None:
    """A nightly waits lease.wait_seconds for a poll of another machine that never stops, then exits 21."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    _elsewhere(house, "poll")
    began = house.clock.now()
    with pytest.raises(AnotherRunActive):
        house.run()
    assert timedelta(seconds=599) <= house.clock.now() - began <= timedelta(seconds=602)
    with pytest.raises(AnotherRunActive):
        house.run("transmit")


def test_a_poll_elsewhere_that_died_does_not_stop_the_night(house: House) -> None:
    """A poll of another machine whose lease runs out while the nightly waits makes room for it."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    _elsewhere(house, "poll")
    house.add(order("b", payment_token=ONHOLD))
    house.clock.advance(timedelta(seconds=500))
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])


class _Halting(MachineDisk):
    """A disk on which a run stands still once: before it makes, or before it renames, the draft of this name."""

    def __init__(self, what: str, meanwhile: Callable[[], object]) -> None:
        self._what, self._meanwhile = what, meanwhile

    def create(self, path: Path, mode: int) -> SyncedFile:
        """Begin a draft."""
        self._halt(f"create {path.name}")
        return super().create(path, mode)

    def replace(self, old: Path, new: Path) -> None:
        """Give a draft its name."""
        self._halt(f"replace {new.name}")
        super().replace(old, new)

    def _halt(self, here: str) -> None:
        if self._what and here.startswith(self._what):
            self._what = ""
            self._meanwhile()


@pytest.mark.parametrize(
    ("where", "job"),
    [
        ("create .submissions", "poll"),
        ("create .manifest", "poll"),
        ("replace declines", "poll"),
        ("replace holds", "nightly"),
        ("replace manifest", "nightly"),
    ],
)
def test_an_overtaken_run_puts_no_older_books_over_newer_ones(house: House, where: str, job: str) -> None:
    """Wherever in finance's files a run stands still for longer than its lease: what its successor wrote is what stays."""
    house.add(fresh(house, "a"))
    left = dict[str, bytes]()

    def overtaken() -> None:
        house.pass_time(seconds=house.settings.lease.seconds + 100)
        house.add(fresh(house, "b"))
        assert house.run(job).audit is not None
        left.update(house.audit_bytes())

    around = replace(of_this_machine(house.clock), disk=_Halting(where, overtaken))
    report = house.run(surroundings=around)
    assert left
    assert house.audit_bytes() == left
    assert any(isinstance(problem, LeaseLost) for problem in report.findings.problems)
    house.run("poll")
    assert {row["order_id"] for row in house.audit("submissions")} == set(house.states())
