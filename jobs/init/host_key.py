"""The key of the provider's server: fetched, shown, and believed only by a person's word or a fingerprint that was given."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.doctor.sftp_checks import known_hosts_line
from jobs.init.questions import ask
from jobs.sftp_access import host_keys, shown_host_key
from schemas.errors import HostKeyChanged, MitbatchError, UsageRefused
from schemas.settings import SftpSettings

if TYPE_CHECKING:
    import paramiko


def server_key(sftp: SftpSettings | None, folder: Path, accepted: str, *, asks: bool) -> tuple[Path, str] | None:
    """The line for known_hosts, once a person or a flag has confirmed it; none where the file has a key for the server."""
    if sftp is None:
        return None
    path = folder / sftp.known_hosts
    if path.is_file() and _is_known(sftp.model_copy(update={"known_hosts": path})):
        return None
    if not asks and not accepted:
        raise UsageRefused(
            "--accept-host-key is missing: nobody is there to confirm the server's key.",
            next_step="Ask the provider for its fingerprint, and add --accept-host-key SHA256:...; or --offline for later.",
        )
    key = shown_host_key(sftp.host, sftp.port)
    _confirm(f"{sftp.host}:{sftp.port}", key, accepted)
    return path, known_hosts_line(sftp.host, sftp.port, key)


def _is_known(sftp: SftpSettings) -> bool:
    try:
        return bool(host_keys(sftp))
    except MitbatchError:
        return False


def _confirm(name: str, key: "paramiko.PKey", accepted: str) -> None:
    """That this is the provider's key: by the fingerprint that was given, else by a person's word. Raises what refuses it."""
    shown = str(key.fingerprint)
    if accepted:
        if accepted.rstrip("=") != shown:
            raise HostKeyChanged(
                f"{name} shows the key {shown}, and not {accepted}.",
                now="Nothing was shown to it and nothing was written.",
                next_step="Ask the provider which key is theirs.",
            )
        return
    sys.stderr.write(f"\n{name} shows this host key ({key.get_name()}):\n\n    {shown}\n\n")
    sys.stderr.write("Compare it with what the provider told you over another channel, never with what this line says.\n")
    if ask('Type "yes" if it is the same: ') != "yes":
        raise UsageRefused("The host key was not confirmed; nothing was written.", next_step="Ask the provider for it.")
