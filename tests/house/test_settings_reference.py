"""The reference of the settings says what the program reads: every key, nothing else, and as it is now."""

import json
import os
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from jobs.cli import run
from jobs.settings_file import PREFIX, load_settings
from jobs.settings_reference import all_settings, heading, inner_section, markdown, sections, toml_value
from schemas.settings import Settings
from schemas.settings_texts import SETTING_TEXTS
from tests.house.source import ROOT
from tests.settings.settings_folder import MID, SITE, SettingsFolder, settings_folder


def keys_of(section: type[BaseModel], path: str = "") -> set[str]:
    """Every key of the models, found without the reference's own code."""
    found = set()
    for name, field in section.model_fields.items():
        inner = inner_section(field)
        found |= keys_of(inner, f"{path}{name}.") if inner else {f"{path}{name}"}
    return found


def test_every_key_has_its_sentence_and_no_other_has() -> None:
    """A new key needs a sentence in schemas/settings_texts.py, and a key that is gone has none any more."""
    assert sorted(set(SETTING_TEXTS) ^ keys_of(Settings)) == []
    assert [key for key, text in SETTING_TEXTS.items() if not text.endswith(".") or "\n" in text or "|" in text] == []


def test_the_reference_has_every_key_once() -> None:
    """The reference lists every key of the models once, with its name in the environment."""
    found = [each.key for each in all_settings()]

    assert sorted(found) == sorted(keys_of(Settings))
    text = markdown()
    for each in all_settings():
        assert f"| `{each.name}` | {each.meaning} |" in text
        assert not each.environment or f"`{each.environment}`" in text
    assert [name for name, _ in sections() if name and f"## `{heading(name)}`" not in text] == []


def test_the_file_is_as_the_program_makes_it() -> None:
    """schemas/SETTINGS.md is up to date: python -m jobs.settings_reference > schemas/SETTINGS.md."""
    assert (ROOT / "schemas" / "SETTINGS.md").read_text(encoding="utf-8") == markdown()


def test_a_key_without_its_sentence_is_found() -> None:
    """A planted section with a new key is told from what has its sentence."""

    class Planted(BaseModel):
        retries: int = Field(default=3, ge=1)

    assert keys_of(Planted, "planted.") - set(SETTING_TEXTS) == {"planted.retries"}


def test_every_name_in_the_environment_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every environment name of the reference sets its key, to its default where it has one."""
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    with settings_folder(tmp_path) as folder:
        files = {f"{name}_file": name for name in ("app_key", "app_secret", "tokenization_key")}
        account = {"mid": MID, "sites": {"acme-us": SITE}, **files}
        server = {name: folder.values["sftp"][name] for name in ("host", "username", "private_key", "known_hosts")}
        folder.write(certify={"managed": {**account, "sftp": server}, "sync": account})
        before = load_settings(folder.config)
        for each in all_settings():
            if each.environment and each.default and not each.is_secret:
                value = json.loads(each.default) if not each.default.startswith("{") else {}
                monkeypatch.setenv(each.environment, value if isinstance(value, str) else json.dumps(value))
        after = load_settings(folder.config)
        defaults_of(folder, after)
    assert before.provider.mid == after.provider.mid


def defaults_of(folder: SettingsFolder, settings: Settings) -> None:
    """Where the environment named the default, the default is what was read."""
    assert settings.sftp is not None
    assert settings.sftp.port == 22
    assert settings.provider.api_url == ""
    assert settings.gate.currencies == ("USD",)
    assert settings.webhook.public_host == ""
    assert settings.data_dir == folder.folder.resolve() / "var"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "true"), (3, "3"), ('a"b', '"a\\"b"'), (("USD",), '["USD"]'), ({}, "{}")]
)
def test_values_are_written_as_toml(value: object, text: str) -> None:
    """Defaults stand in the reference as a settings file would have them."""
    assert toml_value(value) == text


def test_help_settings_shows_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """One key, or a section, is shown with values, default and name; a misspelt one ends with 2 and the nearest name."""
    assert run(["help", "settings", "sftp.port"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[:2] == ["[sftp]", "  port = 22"]
    assert "whole number, at least 1, at most 65,535" in out
    assert "MITBATCH_SFTP__PORT" in out
    assert run(["--json", "help", "settings"]) == 0
    found = json.loads(capsys.readouterr().out)["settings"]
    assert {each["key"] for each in found} == keys_of(Settings)
    assert run(["help", "settings", "sftp.prot"]) == 2
    assert "Did you mean sftp.port?" in capsys.readouterr().err
    assert run(["help", "settings", "listening_from"]) == 2
    assert "Did you mean outcomes.listing_from?" in capsys.readouterr().err
