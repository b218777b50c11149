"""One merchant after a first night, whom the doctor finds fit; each test breaks one thing and mends it."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands.merchant_folder import MerchantFolder, merchant_folder


@dataclass(frozen=True)
class Round:
    """What one round of the doctor printed with --json."""

    code: int
    objects: list[dict[str, Any]]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Every finding."""
        return [each for each in self.objects if each["type"] == "finding"]

    @property
    def troubles(self) -> list[tuple[str, str, str]]:
        """Group, look and mark of every warning and failure."""
        return [(each["group"], each["look"], each["mark"]) for each in self.findings if each["mark"] in {"warn", "fail"}]

    def look(self, group: str, name: str) -> dict[str, Any]:
        """One finding."""
        (found,) = [each for each in self.findings if (each["group"], each["look"]) == (group, name)]
        return found


Examine = Callable[..., Round]


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
def _merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    with merchant_folder(tmp_path_factory.mktemp("doctor"), acknowledgement_wait_seconds=1) as made:
        assert made.run("--quiet nightly") in {0, 10}
        yield made


@pytest.fixture
def merchant(_merchant: MerchantFolder) -> Iterator[MerchantFolder]:
    """A merchant after a first night, whose provider misbehaves in nothing when the test is over."""
    yield _merchant
    _merchant.sandbox.faults.clear()


@pytest.fixture
def examine(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> Examine:
    """Let the doctor make a round with this command line."""

    def made(words: str = "") -> Round:
        capfd.readouterr()
        code = merchant.run(f"--json doctor {words}")
        return Round(code, [json.loads(line) for line in capfd.readouterr().out.splitlines()])

    return made


@pytest.fixture
def other_ledger(merchant: MerchantFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A copy of the ledger on which these statements were run, named by the settings from then on."""

    def make(statements: str) -> Path:
        path = tmp_path / "copy.db"
        with closing(sqlite3.connect(merchant.ledger)) as ledger:
            ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(merchant.ledger, path)
        path.chmod(0o600)
        with closing(sqlite3.connect(path)) as copy:
            copy.executescript(statements)
        monkeypatch.setenv("MITBATCH_LEDGER__URL", f"sqlite:///{path}")
        return path

    return make
