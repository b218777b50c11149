"""What `mitbatch init` will write, put together and checked before any of it is written."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jobs.init.file_text import flat, parsed, settings_text
from jobs.init.host_key import server_key
from jobs.init.questions import ask, ask_unseen
from jobs.settings_file import validation_sentence
from schemas.errors import PathMissing, UsageRefused
from schemas.settings import Settings, SftpSettings

SECRET_FILES = ("app_key", "app_secret")
_LISTS = {"gate.currencies"}
_NUMBERS = {"sftp.port"}
_NOT_TAKEN_OVER = {"data_dir", "ledger.url"}
"""Of another settings file: where its ledger lies, which is its own."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says: answers by flag, another file to take answers from, and what may be done."""

    given: Mapping[str, str] = field(default_factory=dict)
    like: Path | None = None
    accept_host_key: str = ""
    make_key: bool = False
    offline: bool = False


@dataclass(slots=True)
class Plan:
    """Everything that will be written; nothing is until all of it is known to be right."""

    text: str
    makes_key: Path | None
    known_host: tuple[Path, str] | None
    secrets: dict[Path, str]


def proposed(like: Path | None) -> dict[str, str]:
    """Answers of another settings file, as a person would type them; its relative paths made absolute."""
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in _other(like).items()}


def _other(like: Path | None) -> dict[str, Any]:
    """The values of another settings file, by dotted key; of its first site, and with absolute paths."""
    if like is None:
        return {}
    try:
        table = parsed(like.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PathMissing(f"The file {like} (--like) cannot be read ({type(error).__name__}).") from error
    values, folder = flat(table), like.resolve().parent
    for name in {"sftp.private_key", "sftp.known_hosts", *(name for name in values if name.endswith("_file"))} & set(values):
        values[name] = os.path.normpath(folder / str(values[name]))
    for name in {"orders.url", "orders.admin_url"} & set(values):
        if str(values[name]).startswith("sqlite:///"):
            values[name] = f"sqlite:///{os.path.normpath(folder / str(values[name]).removeprefix('sqlite:///'))}"
    sites = table.get("sites") or [{}]
    return values | {f"sites.{name}": sites[0].get(name, "") for name in ("name", "site_id")}


def planned(config: Path, wishes: Wishes, answers: dict[str, str], *, asks: bool) -> Plan:
    """Everything that follows from the answers; the server is called here, and a person asked for the last words."""
    folder, values = config.resolve().parent, _values(wishes, answers)
    text = settings_text(values, parsed_sites(wishes.like, answers))
    settings = _checked(text, config)
    makes_key = _own_key(settings.sftp, folder, wishes, asks=asks)
    known = None if wishes.offline else server_key(settings.sftp, folder, wishes.accept_host_key, asks=asks)
    return Plan(text, makes_key, known, _secrets(values, folder) if asks else {})


def _values(wishes: Wishes, answers: dict[str, str]) -> dict[str, Any]:
    """What is set in the new file, by dotted key: the other file's values, and the answers over them."""
    kept = {name: value for name, value in _other(wishes.like).items() if name not in _NOT_TAKEN_OVER}
    values: dict[str, Any] = {**kept, **{name: _typed(name, text) for name, text in answers.items()}}
    values.setdefault("channels.transmit", answers["channels.evaluate"])
    for name in SECRET_FILES:
        given = wishes.given.get(f"--{name.replace('_', '-')}-file")
        values[f"provider.{name}_file"] = given or kept.get(f"provider.{name}_file", name)
    left_out = ("sites.", "sftp.") if answers["channels.evaluate"] == "api" else ("sites.",)
    return {name: value for name, value in values.items() if not name.startswith(left_out)}


def parsed_sites(like: Path | None, answers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The sites: those of the other file where its first one was taken over, else the one that was answered."""
    named = {"name": answers["sites.name"], "site_id": answers["sites.site_id"], "enabled": True}
    others: list[dict[str, Any]] = parsed(like.read_text(encoding="utf-8")).get("sites", []) if like is not None else []
    same = others and (others[0].get("name"), others[0].get("site_id")) == (named["name"], named["site_id"])
    return others if same else [named]


def _typed(name: str, text: str) -> Any:  # noqa: ANN401 - as the settings have it
    if name in _LISTS:
        return text.split(",")
    return int(text) if name in _NUMBERS else text


def _checked(text: str, config: Path) -> Settings:
    try:
        return Settings.model_validate(parsed(text))
    except ValidationError as error:
        problem = validation_sentence(error, config)
        raise UsageRefused(problem.what, next_step="Nothing was written; correct the answer.") from error


def _own_key(sftp: SftpSettings | None, folder: Path, wishes: Wishes, *, asks: bool) -> Path | None:
    """The key that is to be made; none where there is one, or where nobody wants one."""
    if sftp is None:
        return None
    path = folder / sftp.private_key
    if path.exists():
        if wishes.make_key:
            raise UsageRefused(f"There is a key {path} already; it is left as it is.", next_step="Leave --make-key out.")
        return None
    if wishes.make_key:
        return path
    wants = asks and ask(f"There is no key {path}. Make one? [yes] ").lower() in {"", "y", "yes"}
    return path if wants else None


def _secrets(values: Mapping[str, Any], folder: Path) -> dict[Path, str]:
    """Secrets that a person types now, by the file that they go into; whoever types nothing writes the file later."""
    found = {}
    for name in SECRET_FILES:
        path = folder / str(values[f"provider.{name}_file"])
        if not path.exists():
            typed = ask_unseen(f"The provider's {name.replace('_', ' ')} for {path} (not shown; empty: later): ")
            if typed:
                found[path] = typed
    return found
