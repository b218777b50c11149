"""The demo: what it promises in the README, on this machine."""

import json
import re
import stat
import time
from pathlib import Path

import pytest

from jobs.cli import run
from tests.commands.json_schema import misfits, schema_named
from tests.commands.merchant_folder import MerchantFolder


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, float]:
    """A demo that has run: its folder, its exit code, and its seconds, those that it worked and those that it waited.

    What a busy machine lets it wait for its turn is not its own, so that neither is the wall's clock.
    """
    folder = tmp_path_factory.mktemp("demo") / "shown"
    slept, sleep = [], time.sleep

    def noted(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.clock.time.sleep", noted)
        began = time.process_time()
        code = run(["--json", "demo", "--folder", str(folder)])
    return folder, code, time.process_time() - began + sum(slept)


def test_it_ends_well_in_half_a_minute(shown: tuple[Path, int, float]) -> None:
    """The demo exits 0 in under 30 seconds."""
    _, code, seconds = shown

    assert code == 0
    assert seconds < 30


def test_its_folder_has_what_it_names(shown: tuple[Path, int, float], capfd: pytest.CaptureFixture[str]) -> None:
    """The settings, the orders, the ledger, finance's files, the exports and the provider's journal are in its folder."""
    folder, _, _ = shown
    assert run(["demo", "--folder", str(folder)]) == 0
    out = capfd.readouterr().out
    named = [Path(path.rstrip(".")) for path in re.findall(rf"{folder}[^\s]*", out)]

    assert {path.name for path in named} >= {"orders.db", "mitbatch.toml", "audit", "export", "journal.jsonl"}
    assert [str(path) for path in named if not path.exists()] == []
    days = sorted(path for path in (folder / "var" / "audit").iterdir())
    names = {"declines.csv", "submissions.csv", "outcomes.csv", "holds.csv", "transmissions.csv", "refunds.csv", "summary.csv"}
    names |= {"review.csv", "reconciliation.csv", "manifest.json"}
    assert names <= {path.name for path in days[0].iterdir()}
    assert len(list((folder / "var" / "export").rglob("*.csv"))) >= 2
    assert out.count("\nok    ") == 5
    assert "FAIL" not in out


def test_what_it_says_to_try_works(shown: tuple[Path, int, float], capfd: pytest.CaptureFixture[str]) -> None:
    """After the demo its folder can be looked at with the commands that it names."""
    folder, _, _ = shown

    assert run(["--config", str(folder / "mitbatch.toml"), "explain", "000471"]) == 0
    assert "completed" in capfd.readouterr().out
    assert run(["--config", str(folder / "mitbatch.toml"), "status"]) == 0


def test_its_last_object_is_its_result(shown: tuple[Path, int, float], capfd: pytest.CaptureFixture[str]) -> None:
    """With `--json` the demo's last line holds its checks, all true, and each run's code; its folder may be used again."""
    assert run(["--json", "demo", "--folder", str(shown[0])]) == 0
    objects = [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    assert list(misfits(objects[-1], schema_named("demo"))) == []
    assert set(objects[-1]["checks"].values()) == {True}
    assert len(objects[-1]["checks"]) == 5
    assert {each["job"] for each in objects[-1]["runs"]} == {"nightly", "poll", "transmit"}
    assert {each["exit_code"] for each in objects[-1]["runs"]} <= {0, 10}


def test_its_secrets_are_private(shown: tuple[Path, int, float]) -> None:
    """Keys, secrets, the ledger and the orders of the demo can be read by their owner alone."""
    folder, _, _ = shown
    names = ["orders.db", "provider/client_key", "provider/app_key", "provider/app_secret", "var/ledger.db"]

    assert {name: oct(stat.S_IMODE((folder / name).stat().st_mode)) for name in names} == dict.fromkeys(names, "0o600")


@pytest.mark.parametrize("make", ["folder", "file", "merchant"])
def test_it_touches_nothing_that_it_did_not_make(
    make: str, tmp_path: Path, after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder that has anything in it and was not made by a demo, or a file, is refused with 2 and left as it is."""
    folder = after_a_night.folder if make == "merchant" else tmp_path / "theirs"
    if make == "folder":
        folder.mkdir()
        (folder / "thesis.txt").write_text("years of work")
    elif make == "file":
        folder.write_text("years of work")
    before = sorted(folder.rglob("*"))

    assert run(["demo", "--folder", str(folder)]) == 2
    assert ("is a file" if make == "file" else "was not made by a demo") in capfd.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    """A folder that exists and is empty is taken, and what a demo leaves in it leads nowhere else."""
    folder = tmp_path / "empty"
    folder.mkdir()

    assert run(["--quiet", "demo", "--folder", str(folder)]) == 0
    assert [str(path) for path in folder.rglob("*") if path.is_symlink()] == []
