"""Rule 6: under cron a step that takes long says that it is still at work, so that a hang differs from waiting."""

import ast
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256

import pytest

from batch.sftp import SftpFolder
from batch.sftp_connection import SftpConnections
from jobs.night import run_with
from jobs.output import Options
from jobs.sandbox.sftp_session import MerchantSession
from jobs.sftp_access import sftp_access
from jobs.watching import Heartbeat
from tests.house.source import Module, modules, planted
from tests.night.house import House, order


def said(house: House, capsys: pytest.CaptureFixture[str], *, wait: float) -> list[str]:
    """What a nightly says under cron while no file is acknowledged for so many seconds of its own clock."""
    house.set(outcomes={"acknowledgement_wait_seconds": wait})
    house.sandbox.faults.switch_on("no_acknowledgement", times=99)
    house.add(order())
    house.run("poll")
    capsys.readouterr()
    run_with(house.settings, Options(house.config), "nightly", "", clock=house.clock)
    return [line for line in capsys.readouterr().err.splitlines() if "at work" in line]


def test_who_waits_for_acknowledgements_beats_too(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is done while an answer is waited for, and all the same a line comes after a minute and every five minutes."""
    assert said(house, capsys, wait=700) == ["still at work: acknowledgements, 0 done"] * 3


def test_who_waits_shortly_says_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A wait of less than a minute is no news."""
    assert said(house, capsys, wait=50) == []


def test_a_long_upload_beats(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One file that takes minutes, at a server that is slow with each block, says so before it is done."""
    usual = MerchantSession.write

    async def slow(self: MerchantSession, file_obj: object, offset: int, data: bytes) -> int:
        house.clock.sleep(45)
        return await usual(self, file_obj, offset, data)

    monkeypatch.setattr(MerchantSession, "write", slow)
    house.add(*(order(f"{number:04}") for number in range(60)))
    run_with(house.settings, Options(house.config), "nightly", "", clock=house.clock)
    assert "still at work: deliver, 0 done" in capsys.readouterr().err.splitlines()


@dataclass
class Jumps:
    """A clock that stands, except that somebody puts it forward."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        """The seconds so far."""
        return self.seconds


def test_a_large_file_beats_while_it_goes_and_while_it_comes(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight megabytes at a second for each block most beats come before the last block has gone, or has come."""
    clock = Jumps()
    beats = Heartbeat(clock, interval=30)
    for name in ("write", "read"):
        monkeypatch.setattr(MerchantSession, name, slowly(getattr(MerchantSession, name), clock))
    assert house.settings.sftp is not None
    with closing(SftpConnections(sftp_access(house.settings.sftp))) as connections:
        folder = SftpFolder(connections, inbound="inbound", outbound="outbound", beat=lambda: beats.advance(0))
        beats.stage("deliver")
        folder.write_part("evaluate.json.part", b"x" * (8 << 20))
        gone = capsys.readouterr().err.splitlines()
        beats.stage("acknowledgements")
        assert folder.sha256_of("evaluate.json.part", 16 << 20) == sha256(b"x" * (8 << 20)).hexdigest()
        come = capsys.readouterr().err.splitlines()
    assert len(gone) >= 4
    assert set(gone) == {"still at work: deliver, 0 done"}
    assert len(come) >= 4
    assert set(come) == {"still at work: acknowledgements, 0 done"}


def slowly(usual: Callable[..., Awaitable[object]], clock: Jumps) -> Callable[..., Awaitable[object]]:
    """The same answer of the server, a second later by that clock."""

    async def later(*given: object) -> object:
        clock.seconds += 1
        return await usual(*given)

    return later


def mute(found: list[Module]) -> list[str]:
    """Modules that begin a stage and never say that they go on in it."""
    return [module.place for module in found if _calls(module, "stage") and not _calls(module, "advance")]


def _calls(module: Module, name: str) -> bool:
    calls = [node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return any(isinstance(each, ast.Attribute) and each.attr == name and "progress" in ast.unparse(each.value) for each in calls)


def test_no_stage_is_mute() -> None:
    """Whatever begins a stage also advances in it: only an advance lets a line come."""
    ours = list(modules("batch"))
    assert len([module for module in ours if _calls(module, "stage")]) > 6
    assert mute(ours) == []
    assert mute([planted("equipment.progress.stage('x')")]) == ["batch/planted.py"]
