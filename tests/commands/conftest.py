"""One merchant after a first night, for commands that only look; and nothing of the machine's own environment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.merchant_folder import MerchantFolder, merchant_folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting, colour wish or working folder of the machine's own reaches a command."""
    for name in os.environ:
        if name.startswith("MITBATCH_") or name in {"NO_COLOR", "FORCE_COLOR", "TERM"}:
            monkeypatch.delenv(name)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)


@pytest.fixture(scope="session")
def after_a_night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after one nightly run, at a provider that accepted its files."""
    with merchant_folder(tmp_path_factory.mktemp("merchant")) as merchant:
        assert merchant.run("--quiet nightly") == 10
        yield merchant
