"""A merchant's folder, ready to work: settings, an orders database with the sample orders, and a pretend provider."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine

from jobs.cli import run
from jobs.clock import ShiftedClock
from jobs.sample_orders import fill_orders, sample_files
from jobs.sandbox import Sandbox
from jobs.settings_file import load_settings
from schemas.settings import Settings

SAMPLE_AGE = timedelta(hours=3, minutes=30)


@dataclass(frozen=True)
class MerchantFolder:
    """One merchant: its folder, and the provider that it works with."""

    folder: Path
    sandbox: Sandbox

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "mitbatch.toml"

    @property
    def ledger(self) -> Path:
        """The ledger's file, which the first night makes."""
        return self.folder / "var" / "ledger.db"

    @property
    def settings(self) -> Settings:
        """The settings, loaded."""
        return load_settings(self.config)

    def run(self, words: str) -> int:
        """Run a command line in this process with this folder's settings, and return its exit code."""
        return run(["--config", str(self.config), *shlex.split(words)])

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Ask or change the order system."""
        engine = create_engine(f"sqlite:///{self.folder / 'orders.db'}")
        try:
            with engine.begin() as connection:
                result = connection.exec_driver_sql(statement)
                return [tuple(row) for row in result] if result.returns_rows else []
        finally:
            engine.dispose()


@contextmanager
def merchant_folder(folder: Path, *, acknowledgement_wait_seconds: int = 20) -> Iterator[MerchantFolder]:
    """A merchant whose provider runs inside the block."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Sandbox(folder / "provider", clock=ShiftedClock()) as sandbox:
        text = sandbox.settings_toml("var", "sqlite:///orders.db")
        text = text.replace("acknowledgement_wait_seconds = 60", f"acknowledgement_wait_seconds = {acknowledgement_wait_seconds}")
        (folder / "mitbatch.toml").write_text(text, encoding="utf-8")
        fill_orders(f"sqlite:///{folder / 'orders.db'}", sample_files(), reference_is_now=sandbox.clock.now() - SAMPLE_AGE)
        yield MerchantFolder(folder, sandbox)
