"""The settings file that `mitbatch init` writes: every key with its sentence, those that were answered set, the rest at rest."""

import tomllib
from collections.abc import Mapping
from typing import Any

from jobs.settings_reference import Setting, all_settings, heading, sections, toml_value

_HEAD = """\
# Settings of mitbatch. A key behind a # has its default; take the # away to change it. `mitbatch help settings KEY` says more.
# Paths are relative to this file. Secrets are never in here: each is in a file of mode 0600, or in the environment.
"""
_WIDTH = 120
_TABLES = frozenset({"orders.columns", "certify.managed.sites", "certify.sync.sites"})
"""Keys whose value is a table: what stands in it are no keys of ours."""


def settings_text(values: Mapping[str, Any], sites: list[dict[str, Any]]) -> str:
    """The whole file. `values` by dotted key; who has no value of `sftp` gets that section as a comment."""
    blocks, every = [_HEAD], list(all_settings())
    for section, words in sections():
        keys = [each for each in every if each.section == section and not each.is_secret]
        if section == "sites":
            named = [{f"sites.{name}": value for name, value in site.items()} for site in sites]
            blocks += [_block("[[sites]]", words, keys, site) for site in named]
        elif section:
            blocks.append(_block(heading(section), words, keys, values))
        else:
            blocks.append(_lines(keys, values))
    return "\n".join(blocks)


def _block(title: str, words: str, keys: list[Setting], values: Mapping[str, Any]) -> str:
    needs = [each for each in keys if each.is_required]
    rests = bool(needs) and not any(each.key in values for each in keys)
    return f"{_comment(words)}{'# ' if rests else ''}{title}\n{_lines(keys, values)}"


def _lines(keys: list[Setting], values: Mapping[str, Any]) -> str:
    text = ""
    for each in keys:
        limits = "" if each.values in {"text", "path", "true, false"} else f" ({each.values})"
        text += _comment(f"{each.meaning}{limits}")
        value = toml_value(values[each.key]) if each.key in values else ""
        text += f"{each.name} = {value}\n" if value else f"# {each.name} = {each.default or _example(each)}\n"
    return text


def _example(setting: Setting) -> str:
    """What stands behind a key that has neither value nor default: a secret's file bears its name."""
    if setting.values == "table of texts":
        return '{ acme-us = "its id" }'
    return toml_value(setting.name.removesuffix("_file"))


def _comment(words: str) -> str:
    """Words as comment lines of a readable width."""
    lines, line = [], "#"
    for word in words.split():
        if len(line) + len(word) + 1 > _WIDTH:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return "\n".join([*lines, line]) + "\n"


def flat(table: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """A settings file's values by dotted key; lists of tables are left out."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict) and f"{path}{name}" not in _TABLES:
            found |= flat(value, f"{path}{name}.")
        elif not (isinstance(value, list) and value and isinstance(value[0], dict)):
            found[f"{path}{name}"] = value
    return found


def parsed(text: str) -> dict[str, Any]:
    """A settings file as TOML reads it."""
    return tomllib.loads(text)
