"""What is wrong with settings or machine is said in one sentence, with exit 78, before anything is sent or created."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.cli import run
from tests.settings.settings_folder import MID, SettingsFolder, key_pair, make_orders, private_file

Change = Callable[[SettingsFolder], None]


def keys(**changes: Any) -> Change:  # noqa: ANN401 - any value
    """A change of the settings file."""
    return lambda fit: fit.write(**changes)


def sites(*changes: dict[str, object]) -> Change:
    """Several sites, each with some changes."""
    return lambda fit: fit.write(sites=[{**fit.values["sites"][0], **change} for change in changes])


def mode(name: str, bits: int) -> Change:
    """A file with another mode."""
    return lambda fit: (fit.folder / name).chmod(bits)


def file(name: str, content: bytes, bits: int = 0o600) -> Change:
    """A file with other content."""

    def change(fit: SettingsFolder) -> None:
        private_file(fit.folder / name, content, bits)

    return change


def gone(name: str) -> Change:
    """A file that is not there."""
    return lambda fit: (fit.folder / name).unlink()


def folder(name: str) -> Change:
    """A folder where a file should be."""

    def change(fit: SettingsFolder) -> None:
        (fit.folder / name).unlink()
        (fit.folder / name).mkdir()

    return change


def database(statement: str) -> Change:
    """An orders database changed by a statement."""
    return lambda fit: make_orders(fit.folder / "orders.db", statement)


def ledger(content: bytes, bits: int = 0o600) -> Change:
    """A ledger file that was there before."""

    def change(fit: SettingsFolder) -> None:
        fit.ledger.parent.mkdir()
        private_file(fit.ledger, content, bits)

    return change


CASES: dict[str, tuple[Change, str, str]] = {
    "unknown top key": (keys(data_dri="x"), "MB-CONFIG-UNKNOWN", "data_dri (did you mean data_dir?)"),
    "unknown section": (keys(sfpt={"host": "h"}), "MB-CONFIG-UNKNOWN", "sfpt (did you mean sftp?)"),
    "unknown key": (keys(sftp__hostt="h"), "MB-CONFIG-UNKNOWN", "sftp.hostt (did you mean host?)"),
    "unknown key of a site": (sites({"descripter": "x"}), "MB-CONFIG-UNKNOWN", "sites.0.descripter (did you mean descriptor?)"),
    "unknown key unlike any": (keys(zzz=1), "MB-CONFIG-UNKNOWN", "the key zzz"),
    "two unknown keys": (keys(sftp__hostt="h", gatee={"a": 1}), "MB-CONFIG-UNKNOWN", "gatee"),
    "missing key": (keys(sftp__host=None), "MB-CONFIG", "sftp.host is missing"),
    "missing section": (keys(orders=None), "MB-CONFIG", "orders is missing"),
    "no sites": (keys(sites=None), "MB-CONFIG", "sites is missing"),
    "missing environment": (keys(environment=None), "MB-CONFIG", "environment is missing"),
    "unknown environment": (keys(environment="staging"), "MB-CONFIG", "environment"),
    "secret in the file": (keys(provider__app_key="k"), "MB-SECRET-EXPOSED", "provider.app_key"),
    "other secret in the file": (keys(provider__app_secret="s"), "MB-SECRET-EXPOSED", "provider.app_secret"),
    "missing secret": (keys(provider__app_key_file=None), "MB-SECRET-MISSING", "provider.app_key is not set"),
    "secret file not there": (gone("app_secret"), "MB-CONFIG-PATH", "provider.app_secret_file"),
    "empty secret file": (file("app_key", b" \n"), "MB-SECRET-MISSING", "provider.app_key_file"),
    "secret file that is no text": (file("app_key", b"\xff\xfe"), "MB-CONFIG", "provider.app_key_file"),
    "loose secret file": (mode("app_key", 0o644), "MB-SECRET-EXPOSED", "chmod 600"),
    "group may read a secret": (mode("app_secret", 0o640), "MB-SECRET-EXPOSED", "0640"),
    "loose private key": (mode("id_ed25519", 0o644), "MB-SECRET-EXPOSED", "sftp.private_key"),
    "private key not there": (gone("id_ed25519"), "MB-CONFIG-PATH", "sftp.private_key"),
    "private key that is no key": (file("id_ed25519", b"hello"), "MB-CONFIG", "sftp.private_key"),
    "private key that is cut off": (file("id_ed25519", key_pair()[0][:200]), "MB-CONFIG", "sftp.private_key"),
    "no known hosts": (gone("known_hosts"), "MB-CONFIG-PATH", "sftp.known_hosts"),
    "host not known": (file("known_hosts", f"other.example {key_pair()[1]}\n".encode()), "MB-CONFIG", "no key for [127.0.0.1]:"),
    "empty known hosts": (file("known_hosts", b""), "MB-CONFIG", "no key for [127.0.0.1]:"),
    "known hosts with a broken key": (
        file("known_hosts", b"h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA\n"),
        "MB-CONFIG",
        "sftp.known_hosts",
    ),
    "known hosts with no key at all": (file("known_hosts", b"hello there you\n"), "MB-CONFIG", "known_hosts"),
    "known hosts that are no text": (file("known_hosts", b"\xff\xfe\x00"), "MB-CONFIG", "sftp.known_hosts"),
    "not TOML": (file("mitbatch.toml", b"environment = "), "MB-CONFIG", "is not TOML"),
    "not text": (file("mitbatch.toml", b"\xff\xfe"), "MB-CONFIG", "is not TOML"),
    "no settings file": (lambda fit: fit.config.unlink(), "MB-CONFIG-PATH", "mitbatch.toml"),
    "a folder for a settings file": (folder("mitbatch.toml"), "MB-CONFIG-PATH", "mitbatch.toml"),
    "mid that is no GUID": (keys(provider__mid="acme"), "MB-CONFIG", "provider.mid"),
    "site that is no GUID": (sites({"site_id": "1"}), "MB-CONFIG", "site_id"),
    "two sites of one name": (sites({}, {}), "MB-CONFIG", "two sites"),
    "unknown time zone": (keys(schedule__timezone="Mars/Base"), "MB-CONFIG", "schedule.timezone"),
    "time zone that is a path": (keys(schedule__timezone="../../etc/passwd"), "MB-CONFIG", "schedule.timezone"),
    "plain http": (keys(provider__api_url="http://api.example/v1/"), "MB-CONFIG", "provider.api_url"),
    "http that looks like loopback": (keys(provider__api_url="http://127.0.0.1.example/v1/"), "MB-CONFIG", "provider.api_url"),
    "no URL": (keys(provider__api_url="api.example"), "MB-CONFIG", "provider.api_url"),
    "production over http": (keys(environment="production", provider__api_url="http://api.example/v1/"), "MB-CONFIG", "https"),
    "production on loopback": (
        keys(environment="production", provider__api_url="https://127.0.0.1/v1/"),
        "MB-CONFIG",
        "loopback",
    ),
    "production on http loopback": (keys(environment="production"), "MB-CONFIG", "loopback"),
    "short expiry": (keys(provider__expiry_days=13), "MB-CONFIG", "insist_on_short_expiry"),
    "unknown profile": (keys(provider__profile="nobody"), "MB-CONFIG-PATH", "provider.profile"),
    "profile that is not there": (keys(provider__profile="mine.toml"), "MB-CONFIG-PATH", "mine.toml"),
    "mapping of an unknown column": (keys(orders__columns={"order_idd": "id"}), "MB-CONFIG", "order_idd"),
    "mapping to no identifier": (keys(orders__columns={"order_id": "id; DROP TABLE orders"}), "MB-CONFIG", "orders.columns"),
    "table that is no identifier": (keys(orders__table="orders; --"), "MB-CONFIG", "orders.table"),
    "card numbers vouched for in a name": (keys(gate__pan_exempt=["first_name"]), "MB-CONFIG", "first_name"),
    "unknown column vouched for": (keys(gate__pan_exempt=["basket_id"]), "MB-CONFIG", "basket_id"),
    "too many rows": (keys(channels__max_rows_per_file=2001), "MB-CONFIG", "channels.max_rows_per_file"),
    "no rows": (keys(channels__max_rows_per_file=0), "MB-CONFIG", "channels.max_rows_per_file"),
    "port out of range": (keys(sftp__port=70000), "MB-CONFIG", "sftp.port"),
    "text for a number": (keys(gate__max_decline_age_hours="a day"), "MB-CONFIG", "gate.max_decline_age_hours"),
    "equal marks": (keys(audit__decimal=","), "MB-CONFIG", "delimiter and decimal"),
    "loose ledger": (ledger(b"", 0o644), "MB-SECRET-EXPOSED", "chmod 600"),
    "ledger of no database": (keys(ledger__url="nonsense"), "MB-CONFIG", "ledger.url"),
    "ledger of an unknown database": (keys(ledger__url="oracle+nothing://h/d"), "MB-CONFIG", "ledger.url"),
    "orders of no database": (keys(orders__url="nonsense"), "MB-CONFIG", "orders.url"),
    "no orders database": (gone("orders.db"), "MB-CONFIG-PATH", "orders.url"),
    "orders database that is none": (file("orders.db", b"no database " * 100), "MB-CONFIG", "orders.url"),
    "no orders table": (database("DROP TABLE orders"), "MB-CONFIG", "orders.table"),
    "orders column not there": (
        database("ALTER TABLE orders RENAME COLUMN charged_at TO charged_att"),
        "MB-CONFIG",
        "charged_at (is it charged_att?)",
    ),
    "retry column not there": (database("ALTER TABLE orders DROP COLUMN retry_state"), "MB-CONFIG", "retry_state"),
    "mapped column not there": (keys(orders__columns={"charged_at": "when_charged"}), "MB-CONFIG", "when_charged"),
}


@pytest.mark.parametrize(("change", "code", "words"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("command", ["nightly", "nightly --dry-run"])
def test_unfit_settings_are_one_sentence_and_nothing_happens(
    command: str, change: Change, code: str, words: str, fit: SettingsFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    """Unfit settings end with 78 and one sentence that names the key, nothing is sent, and no ledger is made."""
    change(fit)
    before = sorted(path for path in fit.folder.rglob("*") if path != fit.ledger.parent)

    assert run([*command.split(), "--config", str(fit.config)]) == 78
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err
    assert f"[{code}]\n" in err
    assert "Nothing was sent." in err
    assert "Traceback" not in err
    assert not fit.was_called()
    assert sorted(path for path in fit.folder.rglob("*") if path != fit.ledger.parent) == before


def test_fit_settings_pass_every_check(fit: SettingsFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """The folder that these tests spoil is fit before they do."""
    assert run(["--config", str(fit.config), "nightly", "--dry-run"]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "change", [keys(provider__expiry_days=13, provider__insist_on_short_expiry=True), keys(provider__expiry_days=14)]
)
def test_a_short_expiry_is_possible_for_who_insists(change: Change, fit: SettingsFolder) -> None:
    """Fourteen days are enough, and fewer are accepted from a merchant who insists."""
    change(fit)

    assert run(["--config", str(fit.config), "nightly", "--dry-run"]) == 0


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every file, whatever its mode")
def test_a_settings_file_without_leave_to_read_is_refused(fit: SettingsFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """A settings file that may not be read is one sentence and 78, no trace."""
    fit.config.chmod(0)

    assert run(["--config", str(fit.config), "nightly"]) == 78
    assert capfd.readouterr().err.count("\n") == 1


def test_a_bad_value_in_the_environment_is_refused(
    fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A value in the environment that does not fit is refused by the name of its key."""
    monkeypatch.setenv("MITBATCH_SFTP__PORT", "ssh")

    assert run(["--config", str(fit.config), "nightly"]) == 78
    assert "sftp.port" in capfd.readouterr().err
    monkeypatch.setenv("MITBATCH_SFTP__PORT", "2222")
    monkeypatch.setenv("MITBATCH_GATE__CURRENCIES", "no list")
    assert run(["--config", str(fit.config), "nightly"]) == 78
    assert "currencies" in capfd.readouterr().err.lower()
    assert not fit.ledger.exists()


@pytest.mark.parametrize("name", ["MITBATCH_SFTP__HOSTT", "MITBATCH_SFPT__HOST", "MITBATCH_DATA_DRI"])
def test_an_unknown_key_in_the_environment_is_refused(
    name: str, fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A variable with our prefix that no key reads is a misspelling, and is refused as one in the file is."""
    monkeypatch.setenv(name, "x")

    assert run(["--config", str(fit.config), "nightly", "--dry-run"]) == 78
    assert "MB-CONFIG-UNKNOWN" in capfd.readouterr().err


def test_the_settings_of_another_folder_do_not_count(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `--config`, the file is the one that MITBATCH_CONFIG names, and else mitbatch.toml in the working folder."""
    assert run(["nightly", "--dry-run"]) == 78
    monkeypatch.setenv("MITBATCH_CONFIG", str(fit.config))
    assert run(["nightly", "--dry-run"]) == 0
    monkeypatch.delenv("MITBATCH_CONFIG")
    monkeypatch.chdir(fit.folder)
    assert run(["nightly", "--dry-run"]) == 0
    assert MID in Path("mitbatch.toml").read_text(encoding="utf-8")
