"""The group `sftp`: the pinned key, the login, both folders, and whether a file can be written and renamed."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group, failed, good, skipped, warned
from jobs.sftp_access import host_keys, name_of_host, sftp_access, shown_host_key
from schemas.counted import counted
from schemas.errors import ConnectionWeak, HostKeyChanged, MitbatchError, SftpRefused
from schemas.settings import SftpSettings

if TYPE_CHECKING:
    import paramiko

    from batch.sftp import SftpFolder
    from batch.sftp_connection import SftpAccess, SftpConnections


MOST_SECONDS = 30.0
"""A person waits for the doctor: no longer than this for one step, whatever a night would wait."""


def look_at_sftp(round_: Examination) -> Iterator[Finding]:
    """Step by step, as a night would go; what a step needs and did not get is skipped, not failed once more."""
    if round_.settings.sftp is None:
        yield skipped("server", "no section [sftp]: everything goes by calls")
        return
    patience = min(MOST_SECONDS, round_.settings.sftp.deadline_seconds)
    sftp = round_.settings.sftp.model_copy(update={"deadline_seconds": patience})
    known = None
    try:
        known = host_keys(sftp)
        yield good("known_hosts", f"{sftp.known_hosts}: {', '.join(f'{key.get_name()} {key.fingerprint}' for key in known)}")
    except MitbatchError as problem:
        yield failed("known_hosts", str(sftp.known_hosts), problem)
    if round_.is_offline:
        yield skipped("server", "--offline: not called")
        return
    if round_.shows_key:
        yield _shown(round_, sftp)
    if known is None:
        yield skipped("host key", "there is no key on file to compare it with")
        return
    try:
        access = sftp_access(sftp)
    except MitbatchError as problem:  # the key: that is the secrets' line, where it is part of the round
        seen = round_.looks_at(Group.SECRETS)
        yield skipped("login", "the private key is of no use; see secrets") if seen else failed("login", str(sftp.host), problem)
        return
    yield from _connected(round_, sftp, access)


def _shown(round_: Examination, sftp: SftpSettings) -> Finding:
    try:
        key = shown_host_key(sftp.host, sftp.port, sftp.deadline_seconds)
    except MitbatchError as problem:
        return failed("shown key", f"{sftp.host}:{sftp.port}", problem)
    round_.shown_keys.append(known_hosts_line(sftp.host, sftp.port, key))
    return good("shown key", f"{sftp.host}:{sftp.port} shows {key.get_name()} {key.fingerprint}")


def known_hosts_line(host: str, port: int, key: "paramiko.PKey") -> str:
    """A server's key as a line of known_hosts."""
    return f"{name_of_host(host, port)} {key.get_name()} {key.get_base64()}"


def _connected(round_: Examination, sftp: SftpSettings, access: "SftpAccess") -> Iterator[Finding]:
    from batch.sftp import SftpFolder
    from batch.sftp_connection import SftpConnections, log_in

    name, who = access.name, f"{sftp.username} at {access.name}"
    try:
        transport = log_in(access)
    except HostKeyChanged as problem:
        yield failed("host key", name, problem)
        return
    except MitbatchError as problem:
        yield failed("login", who, problem)
        return
    key, inside = transport.get_remote_server_key(), vars(transport)
    cipher, is_strict = inside.get("remote_cipher"), inside.get("agreed_on_strict_kex", False)
    transport.close()
    yield good("host key", f"{name} shows {key.fingerprint}, which is on file")
    yield good("login", who) if is_strict else warned("login", who, _weak(name, cipher))
    connections = SftpConnections(access)
    try:
        folder = SftpFolder(connections, inbound=sftp.inbound, outbound=sftp.outbound)
        could_list = True
        for look, path in (("inbound", sftp.inbound), ("outbound", sftp.outbound)):
            finding = _listed(connections, look, path)
            could_list &= finding.problem is None or look == "outbound"
            yield finding
        if round_.settings.environment == "production" and not round_.may_probe:
            yield skipped("rename", "in production only with --probe, which writes a file and removes it")
        elif could_list:
            yield _probed(connections, folder, sftp.inbound)
        else:
            yield skipped("rename", "the inbound folder is of no use")
    finally:
        connections.close()


def _weak(name: str, cipher: object) -> ConnectionWeak:
    return ConnectionWeak(
        f"{name} does not know the strict key exchange (cipher {cipher}).",
        next_step="Ask the provider for a server with it, such as OpenSSH 9.6; mitbatch explain MB-SFTP-WEAK says why.",
    )


def _listed(connections: "SftpConnections", look: str, path: str) -> Finding:
    try:
        with connections.step(f"list the {look} folder {path}") as channel:
            names = channel.entries(path)
    except MitbatchError as problem:
        problem.next_step = problem.next_step or f"Ask the provider for the folder's name and rights, and set sftp.{look}."
        return failed(look, path, problem)
    return good(look, f"{path}: {counted(len(names), 'file')}")


def _probed(connections: "SftpConnections", folder: "SftpFolder", inbound: str) -> Finding:
    """Write a file, rename it, and remove it. Both names end as a file does that is still being written, and begin as none."""
    first, second = (f"mitbatch-doctor-{secrets.token_hex(4)}-{word}.part" for word in ("probe", "renamed"))
    try:
        folder.write_part(first, b"The doctor of mitbatch looks whether files can be written here; it removes this one.\n")
        folder.publish(first, second)
        if folder.size_of(first) is not None or folder.size_of(second) is None:
            raise SftpRefused(f"The server said that {first} was renamed, and does not show it so.")
        _remove(connections, f"{inbound.rstrip('/')}/{second}")
    except MitbatchError as problem:
        for name in (first, second):
            with suppress(MitbatchError):
                _remove(connections, f"{inbound.rstrip('/')}/{name}")
        step = f"Ask the provider for the right to write, rename and remove in {inbound}; remove {first} there if it is left."
        problem.next_step = problem.next_step or step
        return failed("rename", inbound, problem)
    return good("rename", f"{inbound}: a probe file was written, renamed and removed")


def _remove(connections: "SftpConnections", path: str) -> None:
    with connections.step(f"remove {path}") as channel:
        channel.remove(path)
