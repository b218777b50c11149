"""A ledger belongs to one environment, API, merchant and host key; with others nothing is written and nothing sent."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from jobs.cli import run
from jobs.settings_file import load_settings
from tests.settings.settings_folder import SettingsFolder, key_pair

OTHER_MID = "3f1c09ab-0000-4000-8000-000000000002"


def snapshot(path: Path) -> list[tuple[object, ...]]:
    """Everything that the ledger holds."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [(name, *row) for name in names for row in sorted(connection.execute(f"SELECT * FROM {name}"), key=repr)]


@pytest.fixture
def locked(fit: SettingsFolder) -> SettingsFolder:
    """A folder whose ledger was made by a first night, which met servers that answer nothing."""
    for server in fit.servers:
        server.close()
    fit.servers.clear()
    assert run(["--config", str(fit.config), "--quiet", "nightly"]) in {0, 20}
    return fit


def other_host_key(locked: SettingsFolder) -> None:
    """The known_hosts file gets another key for the same host."""
    sftp = load_settings(locked.config).sftp
    assert sftp is not None
    (locked.folder / "known_hosts").write_text(f"[127.0.0.1]:{sftp.port} {key_pair()[1]}\n")


CHANGES = {
    "mid": {"provider__mid": OTHER_MID},
    "api_url": {"provider__api_url": "http://127.0.0.1:9/v1/"},
    "environment": {"environment": "production", "provider__api_url": "https://api.example/v1/"},
    "host_key": {},
}


@pytest.mark.parametrize("command", ["nightly", "nightly --dry-run", "poll", "transmit"])
@pytest.mark.parametrize("what", CHANGES)
def test_another_identity_is_refused(what: str, command: str, locked: SettingsFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Another environment, API address, merchant id or host key ends with 30 and leaves the ledger as it was."""
    before = snapshot(locked.ledger)
    if what == "host_key":
        other_host_key(locked)
    locked.write(**CHANGES[what])
    capfd.readouterr()

    assert run(["--config", str(locked.config), *command.split()]) == 30
    err = capfd.readouterr().err
    assert "[MB-LEDGER-IDENTITY]" in err
    assert err.count("\n") == 1
    assert "Nothing was sent." in err
    assert ("merchant" if what == "mid" else what) in err
    assert snapshot(locked.ledger) == before


def test_the_same_identity_goes_on(locked: SettingsFolder) -> None:
    """The settings that a ledger was made with are accepted again, in another order and with further keys of known hosts."""
    text = (locked.folder / "known_hosts").read_text()
    (locked.folder / "known_hosts").write_text(f"other.example {key_pair()[1]}\n{text}")

    assert run(["--config", str(locked.config), "nightly"]) in {0, 20}
