"""The files that `mitbatch init` makes beside the settings: a key of our own, secrets, and the line with the server's key."""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.errors import PathMissing, UsageRefused


def make_key(path: Path) -> str:
    """A new Ed25519 key in a file of mode 0600; the line of its public half, which also lies beside it.

    Raises UsageRefused where a file is, PathMissing where none can be.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    write_new(path, private, 0o600)
    write_new(path.with_name(f"{path.name}.pub"), f"{public} mitbatch\n".encode(), 0o644)
    return f"{public} mitbatch"


def public_line(path: Path) -> str:
    """The public half of a key that is there, as one line; empty where it cannot be read."""
    try:
        key = serialization.load_ssh_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return ""
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def write_new(path: Path, content: bytes, mode: int) -> None:
    """A file that was not there, with this mode from its first moment, synced. Raises UsageRefused, PathMissing."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError:
        raise UsageRefused(f"{path} is there already, and is left as it is.", next_step="Name another file.") from None
    except OSError as error:
        raise PathMissing(f"{path} cannot be made ({error.strerror}).", next_step="Make its folder, or name another.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def add_line(path: Path, line: str) -> None:
    """One line more in known_hosts, which is made if it is not there. Raises PathMissing."""
    try:
        before = path.read_bytes() if path.is_file() else b""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), "ab") as file:
            file.write((b"" if not before or before.endswith(b"\n") else b"\n") + f"{line}\n".encode())
    except OSError as error:
        raise PathMissing(f"{path} (sftp.known_hosts) cannot be written ({error.strerror}).") from error
