"""The lock of a ledger: shown beside the settings, and changed only by a person's word, with an event."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.commands.merchant_folder import MerchantFolder, merchant_folder

WHY = "--reason 'the provider announced a new key'"


@pytest.fixture
def merchant(tmp_path: Path) -> Iterator[MerchantFolder]:
    """A merchant of its own after a first night."""
    with merchant_folder(tmp_path / "merchant", acknowledgement_wait_seconds=1) as made:
        assert made.run("--quiet nightly") in {0, 10}
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[MerchantFolder]:
    """A merchant whose first night found no orders: the ledger is locked, and nothing was ever claimed."""
    with merchant_folder(tmp_path / "fresh", acknowledgement_wait_seconds=1) as made:
        made.sql("DELETE FROM orders")
        assert made.run("--quiet nightly") == 0
        yield made


def rows(merchant: MerchantFolder, query: str) -> list[dict[str, Any]]:
    """Ask the ledger."""
    with closing(sqlite3.connect(merchant.ledger)) as ledger:
        ledger.row_factory = sqlite3.Row
        return [dict(row) for row in ledger.execute(query)]


def trust_what_it_shows(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Put the key that the server shows now into known_hosts, as the message says."""
    capfd.readouterr()
    merchant.run("--json doctor sftp --show-key")
    (line,) = json.loads(capfd.readouterr().out.splitlines()[-1])["known_hosts"]
    sftp = merchant.settings.sftp
    assert sftp is not None
    sftp.known_hosts.write_text(f"{line}\n")


def test_a_new_host_key_is_taken_step_by_step(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """A key that changed is refused, shown, put on file, still refused by the lock, locked anew, and then nightly runs."""
    before = rows(merchant, "SELECT * FROM identity")[0]
    merchant.sandbox.change_host_key()
    assert merchant.run("poll") == 30
    assert "mitbatch doctor sftp --show-key" in capfd.readouterr().out
    trust_what_it_shows(merchant, capfd)
    assert merchant.run("nightly") == 30
    assert "mitbatch lock update --reason" in capfd.readouterr().err
    assert merchant.run("lock show") == 30
    shown = capfd.readouterr().out
    assert shown.count("SHA256:") == 2
    assert "DIFFERS" in shown
    assert merchant.run(f"lock update {WHY} --yes") == 0
    assert merchant.run("lock show") == 0
    assert merchant.run("--quiet nightly") in {0, 10}
    after = rows(merchant, "SELECT * FROM identity")[0]
    assert {name for name in after if after[name] != before[name]} == {"host_key"}
    (event,) = rows(merchant, "SELECT * FROM event WHERE subject = 'ledger'")
    told = json.loads(event["detail"])
    assert (event["kind"], event["source"], event["reason"]) == ("lock", "operator", "the provider announced a new key")
    assert (told["was"]["host_key"], told["is"]["host_key"]) == (before["host_key"], after["host_key"])
    assert "@" in told["by"]
    logged = [
        json.loads(line) for path in (merchant.folder / "var" / "log").glob("*.jsonl") for line in path.read_text().splitlines()
    ]
    assert [(each["event"], each["source"], "reason" in each) for each in logged if each["event"] == "lock"] == [
        ("lock", "operator", False)
    ]
    assert merchant.run("audit verify") == 0


def test_a_second_change_goes_on_with_the_chain(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Each change is an event more of one chain, and the books of the day hold it."""
    for _ in range(2):
        merchant.sandbox.change_host_key()
        trust_what_it_shows(merchant, capfd)
        assert merchant.run(f"lock update {WHY} --yes") == 0
    assert [row["seq"] for row in rows(merchant, "SELECT seq FROM event WHERE subject = 'ledger' ORDER BY seq")] == [1, 2]
    assert merchant.run("audit verify") == 0


def test_it_shows_what_would_change_and_asks(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """--dry-run changes nothing; without a terminal and --yes it refuses; an empty reason is refused."""
    merchant.sandbox.change_host_key()
    trust_what_it_shows(merchant, capfd)
    before = rows(merchant, "SELECT * FROM identity")
    assert merchant.run(f"lock update {WHY} --dry-run") == 0
    out = capfd.readouterr().out.splitlines()
    assert all(line.startswith("DRY RUN") for line in out)
    assert any("host_key: was SHA256:" in line for line in out)
    assert any("orders are open" in line for line in out)
    assert merchant.run(f"lock update {WHY}") == 2
    assert merchant.run("lock update --reason ' ' --yes") == 2
    assert rows(merchant, "SELECT * FROM identity") == before
    assert rows(merchant, "SELECT * FROM event WHERE subject = 'ledger'") == []


def test_nothing_to_change_changes_nothing(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """With the settings that it is locked to, the lock is left alone and no run is made of it."""
    runs = rows(merchant, "SELECT * FROM run")
    capfd.readouterr()
    assert merchant.run(f"--json lock update {WHY} --yes") == 0
    (found,) = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert found["changed"] == []
    assert rows(merchant, "SELECT * FROM run") == runs


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PROVIDER__MID": "3f1c09ab-0000-4000-8000-000000000002"}, "and stays so"),
        (
            {"ENVIRONMENT": "production", "PROVIDER__API_URL": "https://api.example/v1/", "WEBHOOK__PUBLIC_HOST": ""},
            "it cannot become one of production",
        ),
        ({"PROVIDER__API_URL": "https://api.flexfactor.io/v1/"}, "https://api.flexfactor.io/v1/"),
    ],
)
def test_what_may_not_change_is_refused(
    variables: dict[str, str],
    words: str,
    merchant: MerchantFolder,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Another merchant, another environment once orders were claimed, and an address of the other one: refused, and why."""
    before = rows(merchant, "SELECT * FROM identity")
    for name, value in variables.items():
        monkeypatch.setenv(f"MITBATCH_{name}", value)
    capfd.readouterr()

    assert merchant.run(f"lock update {WHY} --yes") == 30
    assert words in " ".join(capfd.readouterr().err.split())
    assert rows(merchant, "SELECT * FROM identity") == before
    assert rows(merchant, "SELECT * FROM event WHERE subject = 'ledger'") == []


def test_another_environment_is_possible_before_the_first_order(
    fresh: MerchantFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A ledger that never claimed an order may change its environment and its address."""
    monkeypatch.setenv("MITBATCH_ENVIRONMENT", "production")
    monkeypatch.setenv("MITBATCH_PROVIDER__API_URL", "https://api.example/v1/")
    monkeypatch.setenv("MITBATCH_WEBHOOK__PUBLIC_HOST", "")
    assert fresh.run(f"--json lock update {WHY} --yes") == 0
    found = json.loads(capfd.readouterr().out.splitlines()[-1])

    assert found["changed"] == ["environment", "api_url"]
    (row,) = rows(fresh, "SELECT environment, api_url, scrub_key <> '' AS has_key FROM identity")
    assert row == {"environment": "production", "api_url": "https://api.example/v1/", "has_key": 1}


def test_before_the_first_night_nothing_is_locked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a ledger there is nothing to show but the settings, nothing to change, and none is made."""
    with merchant_folder(tmp_path / "new") as merchant:
        assert merchant.run("lock show") == 0
        assert "not yet" in capfd.readouterr().out
        assert merchant.run(f"lock update {WHY} --yes") == 2
        assert not merchant.ledger.exists()


def test_a_running_night_is_not_disturbed(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """While another machine's run has the lease, the lock is not changed: exit 21."""
    merchant.sandbox.change_host_key()
    trust_what_it_shows(merchant, capfd)
    with closing(sqlite3.connect(merchant.ledger)) as ledger, ledger:
        ledger.execute(
            "UPDATE lease SET run_id = 'other', job = 'nightly', host = 'elsewhere', pid = 1, pid_started = '',"
            " expires_at = '2999-01-01T00:00:00Z'"
        )
    before = rows(merchant, "SELECT * FROM identity")

    assert merchant.run(f"lock update {WHY} --yes") == 21
    assert rows(merchant, "SELECT * FROM identity") == before


def test_a_lock_that_moved_meanwhile_is_left_alone(
    merchant: MerchantFolder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people at once: the second finds another lock than the one that was shown, and changes nothing."""
    merchant.sandbox.change_host_key()
    trust_what_it_shows(merchant, capfd)

    def meanwhile(_effects: object, *, yes: bool) -> None:
        with closing(sqlite3.connect(merchant.ledger)) as ledger, ledger:
            ledger.execute("UPDATE identity SET host_key = 'SHA256:another'")

    monkeypatch.setattr("jobs.lock.ask_for_word", meanwhile)
    assert merchant.run(f"lock update {WHY} --yes") == 30
    assert rows(merchant, "SELECT host_key FROM identity") == [{"host_key": "SHA256:another"}]
    assert rows(merchant, "SELECT * FROM event WHERE subject = 'ledger'") == []


def test_what_was_cut_off_after_the_change_is_made_good(
    merchant: MerchantFolder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where finance's files cannot be written the lock is changed all the same, it is said so, and the next night writes them."""
    merchant.sandbox.change_host_key()
    trust_what_it_shows(merchant, capfd)

    def full_disk(*_what: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("jobs.ledger_run._write_books", full_disk)
        assert merchant.run(f"lock update {WHY} --yes") == 20
    assert "What was asked for is done." in capfd.readouterr().err
    assert merchant.run("lock show") == 0
    assert merchant.run("audit verify") == 10
    assert merchant.run("--quiet nightly") in {0, 10}
    assert merchant.run("audit verify") == 0
