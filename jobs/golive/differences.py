"""How the settings of two environments differ, key by key. Pure: a secret is only said to be another one, never shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from schemas.settings import Settings

_LOGINS = ("ledger.url", "orders.url", "orders.admin_url", "alerts.ping_url", "alerts.attention_url")
"""Addresses that hold a login or are as good as a password: of each only where it leads is shown."""
_LEFT_OUT = ("certify",)
"""Sections that are about the sandbox alone."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that differs: what each side says, as it may be shown."""

    key: str
    sandbox: str
    production: str


def differences(sandbox: Settings, production: Settings, secrets: Mapping[str, tuple[str, str]]) -> list[Difference]:
    """Every key that is not the same in both, in the order of the settings file.

    `secrets` has for each secret the fingerprints of both sides, empty where it is not set.
    """
    before, after = dict(flat(sandbox)), dict(flat(production))
    found = []
    for key in [*before, *(key for key in after if key not in before)]:
        was, now = before.get(key, ""), after.get(key, "")
        if was != now:
            found.append(Difference(key, *_shown(key, was, now)))
    found += [Difference(f"{key} (its content)", *_told(was, now)) for key, (was, now) in sorted(secrets.items()) if was != now]
    return found


def flat(settings: BaseModel) -> Iterator[tuple[str, Any]]:
    """Every key with its value, dotted; sites by their name. Secrets are not among them."""
    for name in type(settings).model_fields:
        if name not in _LEFT_OUT:
            yield from _flat(getattr(settings, name), name)


def _flat(value: Any, key: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - whatever a setting holds
    if isinstance(value, SecretStr) or value is None:
        return
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _flat(getattr(value, name), f"{key}.{name}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}")
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{key}.{getattr(inner, 'name', number)}")
    else:
        yield key, ", ".join(map(str, value)) if isinstance(value, tuple) else value


def _shown(key: str, was: Any, now: Any) -> tuple[str, str]:  # noqa: ANN401 - as above
    if key not in _LOGINS:
        return str(was), str(now)
    sides = place_of(str(was)), place_of(str(now))
    return (f"{sides[0]} (one login)", f"{sides[1]} (another)") if sides[0] == sides[1] else sides


def place_of(url: str) -> str:
    """Where an address leads, without login, and without a path that may be a key."""
    if not url:
        return ""
    if url.startswith("sqlite:///"):
        return url
    parts = urlsplit(url)
    path = parts.path if parts.scheme not in {"http", "https"} else "/..."
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{path}"


def _told(was: str, now: str) -> tuple[str, str]:
    """How a secret is told: that it is another one, and nothing of it."""
    return ("set" if was else "not set"), ("set, another one" if was and now else "set" if now else "not set")
