"""The doctor at OpenSSH's own server, whose answers nobody of ours has written."""

import shutil
from pathlib import Path

import pytest

from jobs.clock import SystemClock
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding
from jobs.doctor.sftp_checks import look_at_sftp
from jobs.surroundings import of_this_machine
from schemas.settings import Settings
from tests.openssh.server import OpenSshServer, write_key


def look(server: OpenSshServer, *, shows_key: bool = False, **changes: object) -> dict[str, Finding]:
    """What the doctor finds at this server, by look."""
    settings = Settings.model_validate(
        {
            "environment": "sandbox",
            "provider": {"mid": "3f1c09ab-0000-4000-8000-000000000001"},
            "sftp": server.sftp_settings(**changes),
            "orders": {"url": "sqlite:///orders.db"},
            "sites": [{"name": "acme-us", "site_id": "3f1c09ab-0000-4000-8000-0000000000aa"}],
        }
    )
    round_ = Examination(Path("mitbatch.toml"), settings, of_this_machine(SystemClock()), shows_key=shows_key)
    return {finding.look: finding for finding in look_at_sftp(round_)}


def marks(found: dict[str, Finding]) -> dict[str, str]:
    """Look and mark, of what is not fit or was not looked at."""
    return {name: finding.mark.value for name, finding in found.items() if finding.mark != "ok"}


def test_a_fit_server_is_fit(server: OpenSshServer) -> None:
    """Key, login, both folders and a rename are fine, with strict key exchange, and nothing is left on the server."""
    found = look(server)

    assert marks(found) == {}
    assert list(found) == ["known_hosts", "host key", "login", "inbound", "outbound", "rename"]
    assert list(server.inbound.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"username": "nobody-here"}, {"login": "fail"}),
        ({"inbound": "nowhere"}, {"inbound": "fail", "rename": "skip"}),
        ({"outbound": "nowhere"}, {"outbound": "fail"}),
        ({"port": 1, "known_hosts": ""}, {"known_hosts": "fail", "host key": "skip"}),
    ],
)
def test_what_does_not_fit_is_one_line(changes: dict[str, object], wanted: dict[str, str], server: OpenSshServer) -> None:
    """A refused login, a folder that is not there, and a server without a key on file are one line each."""
    assert marks(look(server, shows_key=False, **changes)) == wanted


def test_another_key_of_ours_is_refused(server: OpenSshServer, tmp_path: Path) -> None:
    """A key that the server does not know fails at the login."""
    write_key(tmp_path / "other")

    assert marks(look(server, private_key=str(tmp_path / "other"))) == {"login": "fail"}


def test_another_host_key_fails_and_is_shown(server: OpenSshServer, tmp_path: Path) -> None:
    """With another key on file the host key fails as an identity, nothing is tried after it, and the real one is shown."""
    (tmp_path / "hosts").write_text(f"[127.0.0.1]:{server.port} {write_key(tmp_path / 'other')}\n")
    found = look(server, shows_key=True, known_hosts=str(tmp_path / "hosts"))

    assert marks(found) == {"host key": "fail"}
    assert found["host key"].is_about_identity
    assert server.known_hosts.read_text().split()[2] not in (tmp_path / "hosts").read_text()
    assert "shows ssh-ed25519 SHA256:" in found["shown key"].measured


def test_a_folder_that_may_not_be_written_fails_the_rename(server: OpenSshServer) -> None:
    """Where the inbound folder takes no file the rename fails, and the folders themselves do not."""
    shutil.rmtree(server.inbound)
    server.inbound.symlink_to("/proc/self/fd", target_is_directory=True)
    try:
        found = look(server)
    finally:
        server.inbound.unlink()
        server.inbound.mkdir(mode=0o700)

    assert marks(found) == {"rename": "fail"}
