"""A clean environment and a folder that is fit, for every test of the settings."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings.settings_folder import SettingsFolder, settings_folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own environment reaches the settings, and nothing is written outside the test's folder."""
    for name in os.environ:
        if name.startswith("MITBATCH_"):
            monkeypatch.delenv(name)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)


@pytest.fixture
def fit(tmp_path: Path) -> Iterator[SettingsFolder]:
    """A folder whose settings are fit to run."""
    folder = tmp_path / "merchant"
    folder.mkdir()
    with settings_folder(folder) as made:
        yield made
