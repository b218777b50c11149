"""What a whole round looks like: everything fit, nothing changed, and how it is printed."""

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.doctor.api_checks import _clock
from jobs.doctor.finding import Group, good
from tests.commands.merchant_folder import MerchantFolder
from tests.doctor.conftest import Examine

COMMON = {"schema", "type", "command", "run_id", "generated_at", "environment"}


def everything(folder: Path) -> dict[str, bytes]:
    """Every file of the merchant's own, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "provider" not in path.relative_to(folder).parts
    }


def test_a_fit_merchant_has_nothing_to_mend(examine: Examine) -> None:
    """After a good night every group is looked at, and there is neither a warning nor a failure."""
    found = examine()

    assert found.troubles == []
    assert found.code == 0
    assert [group for group in Group if group not in {each["group"] for each in found.findings}] == []
    assert found.look("sftp", "rename")["mark"] == found.look("api", "token")["mark"] == "ok"
    last = found.objects[-1]
    assert (last["type"], last["exit_code"], last["ok_count"] > 25, last["fail_count"]) == ("result", 0, True, 0)
    assert all(set(each) >= COMMON and each["schema"] == "mitbatch.doctor/1" for each in found.objects)


def test_nothing_is_changed_anywhere(examine: Examine, merchant: MerchantFolder) -> None:
    """A round leaves every file as it is, takes no lease, and shows the provider no file that it would pick up."""
    with closing(sqlite3.connect(merchant.ledger)) as ledger:
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before_token = ledger.execute("SELECT token, run_id FROM lease").fetchall()
    before, journal = everything(merchant.folder), len(merchant.sandbox.journal())
    examine()

    assert everything(merchant.folder) == before
    with closing(sqlite3.connect(merchant.ledger)) as ledger:
        assert ledger.execute("SELECT token, run_id FROM lease").fetchall() == before_token
    fresh = merchant.sandbox.journal()[journal:]
    assert [row for row in fresh if "file" in str(row["event"])] == []
    assert list(merchant.sandbox.inbound.glob("*doctor*")) == []


def test_no_ledger_is_made(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first night the ledger is said to be none yet, and none is there afterwards."""
    monkeypatch.setenv("MITBATCH_LEDGER__URL", f"sqlite:///{tmp_path}/var/none.db")
    found = examine("ledger database clock schedule")

    assert (found.code, found.troubles, found.look("ledger", "ledger")["mark"]) == (0, [], "skip")
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("group", list(Group))
def test_a_group_can_be_named(group: Group, examine: Examine) -> None:
    """A named group is looked at alone, and is fit alone."""
    found = examine(group.value)

    assert {each["group"] for each in found.findings} == {group.value}
    assert (found.code, found.troubles) == (0, [])


def test_offline_calls_nobody(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --offline no connection is opened, and what would need one is skipped."""

    def no_line(*_address: object, **_more: object) -> None:
        raise AssertionError("somebody was called")

    monkeypatch.setattr("socket.create_connection", no_line)
    monkeypatch.setattr("jobs.http_transport.MachineTransport.handle_async_request", no_line)
    found = examine("--offline")

    assert (found.code, found.troubles) == (0, [])
    assert found.look("sftp", "server")["mark"] == found.look("api", "token")["mark"] == "skip"


def test_people_see_a_line_for_each(merchant: MerchantFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """For people: where it looks, a line each, what to do once more at the end, all counts, and the code."""
    (merchant.folder / "app_key_open").write_text("key")
    (merchant.folder / "app_key_open").chmod(0o644)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MITBATCH_PROVIDER__APP_KEY_FILE", "app_key_open")
        assert merchant.run("doctor secrets disk") == 78
    (merchant.folder / "app_key_open").unlink()
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].startswith("mitbatch doctor 20")
    assert lines[1].split()[:3] == ["fail", "secrets", "app_key"]
    assert "can be read by others (mode 0644)" in lines[2]
    assert lines[3].strip().startswith("Run: chmod 600 ")
    assert lines[3].endswith("[MB-SECRET-EXPOSED]")
    assert lines[-3].startswith("FAIL  secrets app_key: Run: chmod 600 ")
    assert lines[-2] == "8 checks: 7 ok, 0 warnings, 1 failure, 0 skipped"
    assert lines[-1].startswith("EXIT 78 ")


def test_no_name_runs_into_what_was_measured(merchant: MerchantFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """In every line the columns begin at the same places, each with two blanks before it."""
    assert merchant.run("doctor") == 0
    lines = capsys.readouterr().out.splitlines()[1:-2]

    assert len(lines) > 30
    assert [line for line in lines if line[4:6] + line[14:16] + line[32:34] != " " * 6 or " " in (line[16], line[34])] == []
    (clock,) = [
        line.partition("clock difference  ")[2] for line in lines if line.startswith("ok    api       clock difference  ")
    ]
    assert re.fullmatch(r"as the provider's, to the second|[2-9] s (ahead of|behind) the provider's", clock)


@pytest.mark.parametrize(
    ("seconds", "measured"),
    [
        (0.0, "as the provider's, to the second"),
        (-1.4, "as the provider's, to the second"),
        (1.6, "2 s ahead of the provider's"),
        (-4.0, "4 s behind the provider's"),
    ],
)
def test_a_clock_difference_is_told_to_the_second(seconds: float, measured: str) -> None:
    """What lies within the second that the answer names is no difference; more is told with its side."""
    assert _clock(timedelta(seconds=seconds)) == good("clock difference", measured)


def test_quiet_says_nothing_of_a_fit_merchant(merchant: MerchantFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """--quiet prints nothing where all is fit, and everything where something is not."""
    assert merchant.run("--quiet doctor disk") == 0
    assert capsys.readouterr().out == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.doctor.machine_checks.FEW_BYTES", 1 << 62)
        patch.setattr("jobs.doctor.machine_checks.LEAST_BYTES", 1 << 62)
        assert merchant.run("--quiet doctor disk") == 78
    assert capsys.readouterr().out.splitlines()[-1].startswith("EXIT 78")


@pytest.mark.parametrize(
    ("words", "said"),
    [("doctor sfpt", "Did you mean sftp?"), ("doctor nothing", "There are: config, "), ("doctor disk --show-key", "sftp")],
)
def test_a_group_that_does_not_exist_is_refused(
    words: str, said: str, merchant: MerchantFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt group, and the key of a server that is not looked at, end with 2 and the nearest name."""
    assert merchant.run(words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
