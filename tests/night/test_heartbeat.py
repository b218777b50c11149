"""Rule 6: under cron a step that takes long says that it is still at work, so that a hang differs from waiting."""

import ast

import pytest

from jobs.night import run_with
from jobs.output import Options
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
