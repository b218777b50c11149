"""Secrets: from a file that only its owner can read, else the environment, else the keyring. Their values are in no message."""

import stat
from pathlib import Path

from pydantic import SecretStr

from jobs.settings_file import SECRETS
from schemas.errors import ConfigurationError, PathMissing, SecretExposed, SecretMissing
from schemas.settings import Settings


def secret(settings: Settings, name: str) -> str:
    """A secret by its name: from its file, the environment, or the keyring. Its value is in no message.

    Raises SecretMissing, SecretExposed, PathMissing.
    """
    section = SECRETS[name]
    table = getattr(settings, section)
    file: Path | None = getattr(table, f"{name}_file")
    if file is not None:
        return _from_file(file, f"{section}.{name}_file")
    value: SecretStr | None = getattr(table, name)
    if value is not None and value.get_secret_value():
        return value.get_secret_value()
    found = _from_keyring(settings.provider.mid, name)
    if found is None:
        raise SecretMissing(
            f"{section}.{name} is not set.",
            next_step=f"Name a file of mode 0600 in {section}.{name}_file, or set MITBATCH_{section.upper()}__{name.upper()}.",
        )
    return found


def check_private(path: Path, key: str) -> Path:
    """The path, if it is a file that only its owner can read. Raises PathMissing, SecretExposed."""
    if not path.is_file():
        raise PathMissing(f"The file {path} ({key}) does not exist.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SecretExposed(
            f"The file {path} ({key}) can be read by others (mode {mode:04o}).", next_step=f"Run: chmod 600 {path}"
        )
    return path


def _from_file(path: Path, key: str) -> str:
    try:
        value = check_private(path, key).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The file {path} ({key}) is not text.") from error
    except OSError as error:
        raise PathMissing(f"The file {path} ({key}) cannot be read ({error.strerror}).") from error
    if not value:
        raise SecretMissing(f"The file {path} ({key}) is empty.")
    return value


def _from_keyring(mid: str, name: str) -> str | None:
    try:
        import keyring
    except ModuleNotFoundError:
        return None
    try:
        found: str | None = keyring.get_password(f"mitbatch:{mid}", name)
    except Exception as error:  # noqa: BLE001 - every back end has errors of its own
        raise SecretMissing(
            f"{SECRETS[name]}.{name} is not set, and the keyring cannot be asked ({type(error).__name__}).",
            next_step=f"Name a file of mode 0600 in {SECRETS[name]}.{name}_file.",
        ) from None
    return found
