"""Whole nights whose files travel through OpenSSH while the provider's answers come from the sandbox."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from batch.build import file_name
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Run
from batch.pipeline import nightly
from batch.sftp import ProviderFolder
from jobs.assembly import assemble, load_profile
from jobs.night import run_with
from jobs.output import Options
from jobs.running import RunReport, run_job
from jobs.sample_orders import fill_orders, sample_files
from jobs.sandbox import Sandbox
from jobs.settings_file import load_settings
from jobs.surroundings import of_this_machine
from schemas.errors import ExitCode, SftpLost
from schemas.settings import Settings
from tests.openssh.bridge import START, Bridge, BridgingClock
from tests.openssh.server import OpenSshServer, write_key

BATCH_ID = "0123456789ab"


@dataclass
class House:
    """A merchant between OpenSSH and the sandbox."""

    folder: Path
    server: OpenSshServer
    sandbox: Sandbox
    clock: BridgingClock
    bridge: Bridge

    @property
    def settings(self) -> Settings:
        """The settings, loaded."""
        return load_settings(self.folder / "mitbatch.toml")

    def run(self, job: str) -> RunReport:
        """Run one job as cron would."""
        options = Options(config=self.folder / "mitbatch.toml", quiet=True)
        return run_with(self.settings, options, job, "", clock=self.clock)[0]

    def run_with_folder(self, wrap: Callable[[ProviderFolder], Any]) -> RunReport:
        """Run a night whose batch has a known id, and whose SFTP folder is wrapped into another."""

        def work(equipment: Equipment, run: Run, findings: Findings) -> None:
            nightly(equipment, run, findings)

        with assemble(self.settings, of_this_machine(self.clock)) as workshop:
            changed = replace(workshop.equipment, folder=wrap(workshop.equipment.folder), new_batch_id=lambda: BATCH_ID)
            return run_job(replace(workshop, equipment=changed), "nightly", "", work)

    def final_name(self) -> str:
        """The name that the file of a night with the known id gets."""
        return file_name(
            "evaluate",
            mid=self.sandbox.mid,
            business_date="2026-11-23",
            batch_id=BATCH_ID,
            extension="json",
            profile=load_profile(self.settings),
        )

    def accepted(self) -> Counter[str]:
        """How often the provider accepted each order."""
        return Counter(str(row["order_id"]) for row in self.sandbox.accepted("evaluate"))

    def states(self) -> Counter[str]:
        """How many orders are in each state."""
        with closing(sqlite3.connect(self.folder / "var" / "ledger.db")) as connection:
            return Counter(dict(connection.execute("SELECT state, count(*) FROM submission GROUP BY state").fetchall()))

    def held(self) -> set[str]:
        """The orders whose rows bear our hold."""
        with closing(sqlite3.connect(self.folder / "orders.db")) as connection:
            return {row[0] for row in connection.execute("SELECT order_id FROM orders WHERE hold_reference LIKE 'mitbatch:%'")}


@pytest.fixture
def house(server: OpenSshServer, tmp_path: Path) -> Iterator[House]:
    """A merchant whose settings point at OpenSSH for files and at the sandbox for the API."""
    clock = BridgingClock()
    with Sandbox(tmp_path / "provider", clock=clock) as sandbox:
        text = sandbox.settings_toml("var", "sqlite:///orders.db")
        for ours, theirs in (
            (f"port = {sandbox.sftp_port}", f"port = {server.port}"),
            (f'"{sandbox.sftp_username}"', f'"{server.user}"'),
            (str(sandbox.client_key_path), str(server.client_key)),
            (str(sandbox.known_hosts_path), str(server.known_hosts)),
        ):
            assert ours in text
            text = text.replace(ours, theirs)
        (tmp_path / "mitbatch.toml").write_text(text, encoding="utf-8")
        fill_orders(
            f"sqlite:///{tmp_path / 'orders.db'}", sample_files(), reference_is_now=START - timedelta(hours=3, minutes=30)
        )
        clock.bridge = Bridge(server, sandbox)
        yield House(tmp_path, server, sandbox, clock, clock.bridge)


def test_a_night_through_openssh(house: House) -> None:
    """Every chosen order reaches the provider exactly once over OpenSSH, is acknowledged, and completes in the order row."""
    first = house.run("nightly")

    assert first.code is ExitCode.NEEDS_PERSON
    assert len(first.findings.delivered) == 1
    assert len(house.accepted()) > 70
    assert set(house.accepted().values()) == {1}
    assert house.states()["pending"] == len(house.accepted())
    assert set(house.accepted()) <= house.held()
    assert list(house.server.inbound.iterdir()) == []

    house.sandbox.advance(timedelta(hours=2))
    house.run("poll")
    told = sum(order["status"] == "Completed" or order["code"] == 7 for order in house.sandbox.orders())
    assert house.states()["completed"] == told > 5


def test_a_second_night_sends_nothing(house: House) -> None:
    """A second night over OpenSSH delivers no file and changes no count at the provider."""
    house.run("nightly")
    before, carried = house.accepted(), list(house.bridge.carried)
    second = house.run("nightly")

    assert second.code is ExitCode.CLEAN
    assert second.findings.delivered == []
    assert (house.accepted(), house.bridge.carried) == (before, carried)


def test_copies_of_good_charges_through_openssh(house: House) -> None:
    """`transmit` sends each fresh good charge once over OpenSSH, however often it runs."""
    first = house.run("transmit")
    house.run("transmit")
    copies = Counter(str(row["order_id"]) for row in house.sandbox.accepted("transmit"))

    assert len(first.findings.delivered) == 1
    assert set(copies.values()) == {1}
    assert len(copies) > 5


class AnswerLost:
    """A server that renames, whose provider takes the file at once, and whose answer never arrives."""

    def __init__(self, folder: ProviderFolder, bridge: Bridge) -> None:
        self._folder = folder
        self._bridge = bridge

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the folder has
        return getattr(self._folder, name)

    def publish(self, part: str, name: str) -> None:
        """Rename, let the provider take the file, and say nothing."""
        self._folder.publish(part, name)
        self._bridge.carry()
        raise SftpLost("The connection was lost while: rename.")


def test_a_rename_whose_answer_is_lost_is_concluded_from_the_part(house: House) -> None:
    """When the rename's answer is lost and the provider has taken the file already, the vanished part proves the rename."""
    report = house.run_with_folder(lambda folder: AnswerLost(folder, house.bridge))

    assert report.findings.delivered == [house.final_name()]
    assert report.code is ExitCode.NEEDS_PERSON
    assert set(house.accepted().values()) == {1}
    assert house.states()["in_doubt"] == 0
    house.run("nightly")
    assert set(house.accepted().values()) == {1}
    assert house.bridge.carried == [house.final_name()]


def test_a_foreign_file_under_our_name_is_doubt_and_is_not_replaced(house: House) -> None:
    """OpenSSH refuses the rename onto another's file: that file stays, our orders are in doubt and held, exit 11."""
    (house.server.inbound / house.final_name()).write_bytes(b"another's")
    house.clock.bridge = None
    report = house.run_with_folder(lambda folder: folder)

    assert report.code is ExitCode.IN_DOUBT
    assert (house.server.inbound / house.final_name()).read_bytes() == b"another's"
    assert (house.server.inbound / f"{house.final_name()}.part").exists()
    assert house.states()["in_doubt"] > 70
    assert len(house.held()) >= house.states()["in_doubt"]

    (house.server.inbound / house.final_name()).unlink()
    house.clock.bridge = house.bridge
    house.run("nightly")
    assert set(house.accepted().values()) == {1}
    assert house.states()["in_doubt"] == 0
    assert house.states()["pending"] == len(house.accepted())


class CopiesInstead:
    """A server that makes a copy under the final name, keeps the part, and then refuses the rename."""

    def __init__(self, folder: ProviderFolder, server: OpenSshServer) -> None:
        self._folder = folder
        self._server = server

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the folder has
        return getattr(self._folder, name)

    def publish(self, part: str, name: str) -> None:
        """Copy, then ask OpenSSH for a rename that it must refuse."""
        (self._server.inbound / name).write_bytes((self._server.inbound / part).read_bytes())
        self._folder.publish(part, name)


def test_our_own_bytes_under_the_final_name_count_as_delivered(house: House) -> None:
    """When the rename is refused because our own bytes stand under the final name, the file has left and is not sent again."""
    report = house.run_with_folder(lambda folder: CopiesInstead(folder, house.server))

    assert report.findings.delivered == [house.final_name()]
    assert set(house.accepted().values()) == {1}
    house.run("nightly")
    assert set(house.accepted().values()) == {1}


def test_another_host_key_stops_the_night_before_anything_leaves(house: House) -> None:
    """A host key that is not the one on file ends the night with 30: nothing is uploaded, and the orders stay held."""
    wrong = house.folder / "wrong_hosts"
    wrong.write_text(f"[127.0.0.1]:{house.server.port} {write_key(house.folder / 'wrong_key')}\n", encoding="ascii")
    config = house.folder / "mitbatch.toml"
    config.write_text(config.read_text().replace(str(house.server.known_hosts), str(wrong)))
    report = house.run("nightly")

    assert report.code is ExitCode.REFUSED
    assert house.accepted() == Counter()
    assert list(house.server.inbound.iterdir()) == []
    assert report.findings.delivered == []
    assert len(house.held()) > 70


def test_a_refused_login_leaves_everything_held_for_the_next_night(house: House) -> None:
    """A key that the server refuses sends nothing and ends with 20; once it is accepted the same orders go, each once."""
    authorized = house.server.folder / "authorized_keys"
    key = authorized.read_text()
    authorized.write_text("")
    try:
        first, second = house.run("nightly"), house.run("nightly")
    finally:
        authorized.write_text(key)

    assert [problem.code for problem in first.findings.problems] == ["MB-SFTP-LOGIN"]
    assert first.code is ExitCode.NEEDS_PERSON, "card numbers were found that night"
    assert second.code is ExitCode.NOTHING_SENT
    assert len(house.held()) > 70
    assert house.accepted() == Counter()
    house.run("nightly")
    assert len(house.accepted()) > 70
    assert set(house.accepted().values()) == {1}
