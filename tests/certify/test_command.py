"""`mitbatch certify` on the command line: its verdicts, its object, and its exit codes."""

import json
from pathlib import Path

import pytest

from jobs.certify.against_sandbox import certify_against_sandbox
from jobs.certify.command import round_folder, run_certify
from jobs.cli import run
from jobs.output import Options
from schemas.errors import UsageRefused
from tests.certify.merchant import Merchant
from tests.commands.json_schema import misfits, schema_named


def certify(merchant: Merchant, *words: str, as_json: bool = False) -> int:
    """Run the command in this process, on the merchant's clock."""
    options = Options(config=merchant.config, json=as_json, command="certify")
    return run_certify(options, words, clock=merchant.clock, surroundings=merchant.around)


def test_a_line_for_each_item(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """People see each item with its verdict, what waits for them, and where the evidence lies; open items end with 10."""
    assert certify(merchant, "cit.standard") == 10
    lines = capsys.readouterr().out.splitlines()

    assert "ok       cit.standard.evaluate        Evaluate answers APPROVED" in lines
    assert any(line.startswith("NEED     cit.standard.success_screen") for line in lines)
    assert "7 items: passed 5 · open 2" in lines
    assert lines[-1].startswith("EXIT 10 ")


def test_all_shown_ends_clean(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """Where every item that was wanted is shown, the code is 0, and the object keeps to its schema."""
    assert certify(merchant, "mit.api", as_json=True) == 0
    found = json.loads(capsys.readouterr().out)

    assert list(misfits(found, schema_named("certify"))) == []
    assert {each["verdict"] for each in found["items"]} == {"passed"}


def test_a_failed_item_says_why_and_what_to_change(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed item ends with 30; its sentence and what to change follow it."""
    merchant.sandbox.faults.switch_on("order_invalid", times=9)
    assert certify(merchant, "mit.api") == 30
    lines = capsys.readouterr().out.splitlines()

    at = next(number for number, line in enumerate(lines) if line.startswith("FAIL     mit.api.evaluate"))
    assert lines[at + 1].strip().startswith("Evaluate of cert-")
    assert "The provider should answer APPROVED" in lines[at + 2]


def test_a_word_that_names_nothing_is_usage(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt group ends with 2 and the nearest one."""
    assert run(["--config", str(merchant.config), "certify", "mit.sfpt"]) == 2
    assert "Did you mean mit.sftp?" in capsys.readouterr().err


def test_one_command_shows_it_against_a_sandbox_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--sandbox` needs nothing but a folder; a second time it finds the pack of the first there."""
    folder = tmp_path / "shown"
    for rounds in (1, 2):
        options = Options(config=Path("nowhere.toml"), command="certify")
        assert certify_against_sandbox(options, ["mit.api"], folder) == 0
        assert "7 items: passed 7" in capsys.readouterr().out
        assert len(list((folder / "var" / "certification").glob("*/certification.json"))) == rounds


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds anything else is refused, and stays as it is."""
    (tmp_path / "theirs").write_text("kept", encoding="utf-8")

    with pytest.raises(UsageRefused, match="was not made by certify"):
        certify_against_sandbox(Options(config=Path("nowhere.toml")), [], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_rounds_of_one_second_do_not_share_a_folder(merchant: Merchant) -> None:
    """A clock that stands still gives every round a folder of its own: a pack is never written over an earlier one."""
    folders = [round_folder(merchant.settings, merchant.clock) for _ in range(3)]

    assert [folder.name.partition("Z")[2] for folder in folders] == ["", "-2", "-3"]
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700] * 3
