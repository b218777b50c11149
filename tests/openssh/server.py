"""OpenSSH's own server on loopback, with keys and folders of its own."""

import getpass
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from batch.sftp import SftpFolder
from batch.sftp_connection import SftpConnections
from jobs.sftp_access import sftp_access
from schemas.settings import Settings
from tests.ports import kept_port

STARTS_WITHIN_SECONDS = 20
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
AuthorizedKeysFile {authorized_keys}
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers {user}
UsePAM no
StrictModes no
PidFile none
AllowTcpForwarding no
X11Forwarding no
MaxStartups 100
LogLevel VERBOSE
Subsystem sftp internal-sftp -d {folder}
{extra}
"""


def find_sshd() -> str:
    """Where the server's program is. Without it the test is skipped, or fails where it must be there (CI is set)."""
    found = shutil.which("sshd") or next(
        (path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if Path(path).exists()), None
    )
    if found is None:
        reason = "apt-get install openssh-server"
        if os.environ.get("CI"):
            pytest.fail(f"OpenSSH's server is not installed: {reason}")
        pytest.skip(reason)
    return str(Path(found).resolve())


def write_key(path: Path, kind: str = "ed25519") -> str:
    """A fresh key in a private file; its public line is returned and stands beside it."""
    key = rsa.generate_private_key(65537, 3072) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(private)
    path.with_suffix(".pub").write_text(f"{public}\n", encoding="ascii")
    return public


@dataclass
class OpenSshServer:
    """A running server: its port, its folders, the merchant's key, and what it has said."""

    folder: Path
    port: int
    user: str
    said: list[str] = field(default_factory=list)

    @property
    def inbound(self) -> Path:
        """Where the merchant's files arrive."""
        return self.folder / "inbound"

    @property
    def outbound(self) -> Path:
        """Where answers are put."""
        return self.folder / "outbound"

    @property
    def client_key(self) -> Path:
        """The key that the server lets in."""
        return self.folder / "client_key"

    @property
    def known_hosts(self) -> Path:
        """The known_hosts file with the server's key."""
        return self.folder / "known_hosts"

    def sftp_settings(self, **changes: object) -> dict[str, object]:
        """The section [sftp] of a merchant of this server."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "username": self.user,
            "private_key": str(self.client_key),
            "known_hosts": str(self.known_hosts),
            "deadline_seconds": 10,
            **changes,
        }

    @contextmanager
    def connections(self, **changes: object) -> Iterator[SftpConnections]:
        """Connections that are put together as for a run."""
        settings = Settings.model_validate(
            {
                "environment": "sandbox",
                "provider": {"mid": "3f1c09ab-0000-4000-8000-000000000001"},
                "sftp": self.sftp_settings(**changes),
                "orders": {"url": "sqlite:///orders.db"},
                "sites": [{"name": "acme-us", "site_id": "3f1c09ab-0000-4000-8000-0000000000aa"}],
            }
        )
        assert settings.sftp is not None
        opened = SftpConnections(sftp_access(settings.sftp))
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def remote(self, **changes: object) -> Iterator[SftpFolder]:
        """The provider's folders, as a run sees them."""
        with self.connections(**changes) as opened:
            yield SftpFolder(opened, inbound="inbound", outbound="outbound")

    def empty(self) -> None:
        """Remove every file from both folders."""
        for folder in (self.inbound, self.outbound):
            folder.chmod(0o700)
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@contextmanager
def openssh_server(folder: Path, *, host_key_kind: str = "ed25519", extra: str = "") -> Iterator[OpenSshServer]:
    """A server that runs inside the block."""
    program = find_sshd()
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("inbound", "outbound"):
        (folder / name).mkdir(mode=0o700, parents=True)
    host_public = write_key(folder / "host_key", host_key_kind)
    (folder / "authorized_keys").write_text(f"{write_key(folder / 'client_key')}\n", encoding="ascii")
    (folder / "authorized_keys").chmod(0o600)
    with kept_port() as port:
        server = OpenSshServer(folder, port, getpass.getuser())
        server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {host_public}\n", encoding="ascii")
        config = CONFIG.format(
            port=server.port,
            host_key=folder / "host_key",
            authorized_keys=folder / "authorized_keys",
            user=server.user,
            folder=folder,
            extra=extra,
        )
        (folder / "sshd_config").write_text(config, encoding="utf-8")
        with _running(program, server) as listens:
            if listens:
                yield server
                return
    pytest.fail(f"sshd does not start: {server.said}")


@contextmanager
def _running(program: str, server: OpenSshServer) -> Iterator[bool]:
    line = [program, "-D", "-e", "-f", str(server.folder / "sshd_config")]
    listening = threading.Event()
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        words = process.stderr
        assert words is not None

        def listen() -> None:
            for told in words:
                server.said.append(told.rstrip())
                if "Server listening on 127.0.0.1" in told:
                    listening.set()
            listening.set()

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            listening.wait(STARTS_WITHIN_SECONDS)
            yield process.poll() is None and any("Server listening" in told for told in server.said)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=STARTS_WITHIN_SECONDS)
            listener.join(timeout=STARTS_WITHIN_SECONDS)
