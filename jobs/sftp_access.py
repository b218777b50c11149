"""How one merchant gets into the provider's SFTP server: key, host keys, socket, all from the settings."""

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.outside import watch
from jobs.secret_values import check_private
from schemas.errors import ConfigurationError, PathMissing, SftpUnreachable
from schemas.settings import SftpSettings

if TYPE_CHECKING:
    import paramiko

    from batch.sftp_connection import SftpAccess


def sftp_access(sftp: SftpSettings) -> "SftpAccess":
    """Everything that a login needs. Raises PathMissing, SecretExposed, ConfigurationError; opens nothing yet."""
    from batch.sftp_connection import SftpAccess

    return SftpAccess(
        name=f"{sftp.host}:{sftp.port}",
        connect=lambda: connect_to(sftp.host, sftp.port, sftp.deadline_seconds),
        username=sftp.username,
        key=private_key(check_private(sftp.private_key, "sftp.private_key")),
        host_keys=host_keys(sftp),
        deadline_seconds=sftp.deadline_seconds,
        transports=sftp.transports,
        channels=sftp.channels,
        watch=watch,
    )


def connect_to(host: str, port: int, deadline_seconds: float) -> "paramiko.Transport":
    """A line to a server on which nothing was said yet. Raises OSError when there is none."""
    import paramiko

    line = socket.create_connection((host, port), timeout=min(30.0, deadline_seconds))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small requests must not wait for each other
    return paramiko.Transport(line, disabled_algorithms={"keys": ["ssh-rsa"], "pubkeys": ["ssh-rsa"]})


def shown_host_key(host: str, port: int, deadline_seconds: float = 30) -> "paramiko.PKey":
    """The key that a server shows to whoever comes; nothing of ours is shown to it. Raises SftpUnreachable."""
    import paramiko

    name = f"{host}:{port}"
    try:
        transport = connect_to(host, port, deadline_seconds)
    except OSError as error:
        raise SftpUnreachable(f"{name} cannot be reached ({error.strerror or error}).") from error
    try:
        with watch(deadline_seconds, transport.close):
            transport.start_client(timeout=deadline_seconds)
            return transport.get_remote_server_key()
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise SftpUnreachable(f"{name} broke off before it showed its key ({str(error)[:200]}).") from error
    finally:
        transport.close()


def private_key(path: Path) -> "paramiko.PKey":
    """Our own key. Raises ConfigurationError for one that cannot be used."""
    import paramiko

    try:
        return paramiko.PKey.from_path(path)
    except (paramiko.SSHException, ValueError, TypeError, OSError) as error:
        reason = type(error).__name__
        raise ConfigurationError(
            f"The key {path} (sftp.private_key) cannot be used ({reason}); it must be without passphrase."
        ) from error


def host_keys(sftp: SftpSettings) -> tuple["paramiko.PKey", ...]:
    """The server keys that known_hosts has for this server. Raises PathMissing, ConfigurationError."""
    import paramiko

    path, host, port = sftp.known_hosts, sftp.host, sftp.port
    if not path.is_file():
        raise PathMissing(
            f"The file {path} (sftp.known_hosts) does not exist.",
            next_step="mitbatch doctor sftp --show-key prints its line; the provider confirms the fingerprint.",
        )
    name = name_of_host(host, port)
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


def name_of_host(host: str, port: int) -> str:
    """How known_hosts calls a server."""
    return host if port == 22 else f"[{host}]:{port}"


def _is_for(names: "Iterable[str]", host: str) -> bool:
    """Whether a line of known_hosts is for this host: by its name, or by the hash of its name."""
    from paramiko import HostKeys

    return any(name == host or (name.startswith("|1|") and HostKeys.hash_host(host, name) == name) for name in names)
