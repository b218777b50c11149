"""The reference of all settings, made from the models that read them: `schemas/SETTINGS.md`, and `mitbatch help settings`.

`python -m jobs.settings_reference` prints the file; a test compares it.
"""

import inspect
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from jobs.settings_file import PREFIX, SECRETS
from schemas.settings import Settings
from schemas.settings_texts import SETTING_TEXTS

_HEAD = """\
# Settings

Made from the program itself by `python -m jobs.settings_reference`; a test compares it. `mitbatch help settings KEY` shows
one key; `mitbatch init` writes a file with every key explained.

A key that nothing knows is an error that names the nearest one. A key stands in its section of the TOML file, or in the
environment, which overrides the file; lists and tables are JSON there. Paths are relative to the file. A **secret** is never
in the file: a file of mode 0600 that `<key>_file` names holds it, else the environment, else the keyring (`pip install keyring`).
"""
_KINDS = {bool: "true, false", int: "whole number", float: "number", str: "text", Path: "path"}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "under"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. `default` is as TOML writes it, empty where there is none; `is_required` within its section."""

    key: str
    section: str
    meaning: str
    values: str
    default: str
    is_required: bool
    environment: str
    is_secret: bool

    @property
    def name(self) -> str:
        """The key inside its section."""
        return self.key.rpartition(".")[2]


def inner_section(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a field holds, or a list of; None for a plain key."""
    candidates = [field.annotation, *get_args(field.annotation)]
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)


def all_settings(section: type[BaseModel] = Settings, path: str = "", *, in_list: bool = False) -> Iterator[Setting]:
    """Every key that can be set, the file's own first, then section by section."""
    plain = {name: field for name, field in section.model_fields.items() if inner_section(field) is None}
    for name, field in plain.items():
        key = f"{path}{name}"
        yield Setting(
            key=key,
            section=path.rstrip("."),
            meaning=SETTING_TEXTS.get(key, ""),
            values=_values(field),
            default="" if field.is_required() else toml_value(field.get_default(call_default_factory=True)),
            is_required=field.is_required(),
            environment="" if in_list else PREFIX + key.upper().replace(".", "__"),
            is_secret=name in SECRETS,
        )
    for name, field in section.model_fields.items():
        inner = inner_section(field)
        if inner is not None:
            yield from all_settings(inner, f"{path}{name}.", in_list=in_list or is_list(field))


def is_list(field: FieldInfo) -> bool:
    """Whether a field is a list of sections, such as the sites."""
    return get_origin(field.annotation) is tuple


def toml_value(value: Any) -> str:  # noqa: ANN401 - any setting's
    """A value as TOML writes it; empty for none."""
    if value is None:
        return ""
    if isinstance(value, Path):
        return json.dumps(str(value))
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_toml_key(name)} = {toml_value(each)}" for name, each in value.items()) + " }" if value else "{}"
        )
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)


def _values(field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(json.dumps(each) for each in get_args(kind))
    if get_origin(kind) is tuple:
        return "list of texts"
    if get_origin(kind) is dict:
        return "table of texts"
    kinds = [each for each in (kind, *get_args(kind)) if each in _KINDS]
    words = _KINDS[kinds[0]] if kinds else "text"
    bounds = [
        f"{said} {getattr(limit, name):,}" for limit in field.metadata for name, said in _BOUNDS.items() if hasattr(limit, name)
    ]
    return ", ".join([words, *bounds])


def sections() -> Iterator[tuple[str, str]]:
    """Every section as its heading in the file, with what it is about; one inside another comes behind that."""
    yield "", "At the top of the file, before any section."
    yield from _sections_of(Settings)


def _sections_of(outer: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    for name, field in outer.model_fields.items():
        inner = inner_section(field)
        if inner is not None:
            yield f"{path}{name}", inspect.cleandoc(inner.__doc__ or "").split("\n\n")[0].replace("\n", " ")
            yield from _sections_of(inner, f"{path}{name}.")


def heading(section: str) -> str:
    """A section's heading as TOML writes it."""
    field = Settings.model_fields.get(section)  # only sections of their own are lists
    return f"[[{section}]]" if field is not None and is_list(field) else f"[{section}]"


def markdown() -> str:
    """The whole reference."""
    found = list(all_settings())
    parts = [_HEAD]
    for section, words in sections():
        title = f"`{heading(section)}`" if section else "The file"
        parts.append(f"## {title}\n\n{words}\n")
        rows = [
            f"| `{each.name}` | {each.meaning} | {each.values.replace('|', '&#124;')} | {_default(each)} | {_environment(each)} |"
            for each in found
            if each.section == section
        ]
        parts.append(
            "\n".join(["| Key | Meaning | Values | Default | Environment |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"
        )
    return "\n".join(parts)


def _default(setting: Setting) -> str:
    if setting.is_secret:
        return "**secret**"
    return "**required**" if setting.is_required else f"`{setting.default}`" if setting.default else "none"


def _environment(setting: Setting) -> str:
    return f"`{setting.environment}`" if setting.environment else f"in `{PREFIX}{setting.section.upper()}`, as JSON"


if __name__ == "__main__":
    sys.stdout.write(markdown())
