"""How one merchant gets into the provider's SFTP server: key, host keys, socket, all from the settings."""

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.outside import watch
from jobs.secret_values import check_private
from schemas.errors import ConfigurationError, PathMissing
from schemas.settings import SftpSettings

if TYPE_CHECKING:
    import paramiko

    from batch.sftp_connection import SftpAccess


def sftp_access(sftp: SftpSettings) -> "SftpAccess":
    """Everything that a login needs. Raises PathMissing, SecretExposed, ConfigurationError; opens nothing yet."""
    from batch.sftp_connection import SftpAccess

    def connect() -> "paramiko.Transport":
        import paramiko

        line = socket.create_connection((sftp.host, sftp.port), timeout=min(30.0, sftp.deadline_seconds))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small requests must not wait for each other
        return paramiko.Transport(line, disabled_algorithms={"keys": ["ssh-rsa"], "pubkeys": ["ssh-rsa"]})

    return SftpAccess(
        name=f"{sftp.host}:{sftp.port}",
        connect=connect,
        username=sftp.username,
        key=_private_key(check_private(sftp.private_key, "sftp.private_key")),
        host_keys=_host_keys(sftp),
        deadline_seconds=sftp.deadline_seconds,
        transports=sftp.transports,
        channels=sftp.channels,
        watch=watch,
    )


def _private_key(path: Path) -> "paramiko.PKey":
    import paramiko

    try:
        return paramiko.PKey.from_path(path)
    except (paramiko.SSHException, ValueError, TypeError, OSError) as error:
        reason = type(error).__name__
        raise ConfigurationError(
            f"The key {path} (sftp.private_key) cannot be used ({reason}); it must be without passphrase."
        ) from error


def _host_keys(sftp: SftpSettings) -> tuple["paramiko.PKey", ...]:
    import paramiko

    path, host, port = sftp.known_hosts, sftp.host, sftp.port
    if not path.is_file():
        raise PathMissing(f"The file {path} (sftp.known_hosts) does not exist.")
    name = host if port == 22 else f"[{host}]:{port}"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        entries = [entry for line in lines if (entry := paramiko.hostkeys.HostKeyEntry.from_line(line.strip())) is not None]
    except (paramiko.SSHException, paramiko.hostkeys.InvalidHostKey, ValueError, OSError) as error:
        raise ConfigurationError(f"The file {path} (sftp.known_hosts) cannot be read ({type(error).__name__}).") from error
    found = tuple(entry.key for entry in entries if entry.key is not None and _is_for(entry.hostnames or [], name))
    if not found:
        raise ConfigurationError(
            f"{path} (sftp.known_hosts) has no key for {name}.",
            next_step="Ask the provider for its host key and add that line; no unknown key is ever accepted.",
        )
    return found


def _is_for(names: "Iterable[str]", host: str) -> bool:
    """Whether a line of known_hosts is for this host: by its name, or by the hash of its name."""
    from paramiko import HostKeys

    return any(name == host or (name.startswith("|1|") and HostKeys.hash_host(host, name) == name) for name in names)
