"""A merchant for the tests of certify, and what a round of it saw."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from jobs.certify.command import round_folder
from jobs.certify.round import Round, chosen, go_round
from jobs.certify.sheet import Sheet
from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from schemas.certification import Shown, Verdict
from schemas.settings import Settings
from tests.by_name import rows_by_name
from tests.settings.settings_folder import make_orders

Spoil = Callable[[str, dict[str, Any]], None]
"""Changes the values of a statement before it runs, as a database that somebody else has a hand in would."""


@dataclass(frozen=True)
class Broken:
    """Something that is broken for a while: how it begins and how it is mended."""

    begin: Callable[["Merchant"], object]
    end: Callable[["Merchant"], object] = lambda _merchant: None


def fault(name: str, where: str | None = None, times: int = 99, skip: int = 0) -> Broken:
    """A fault of the sandbox, at this endpoint."""
    return Broken(
        lambda merchant: merchant.sandbox.faults.switch_on(name, times=times, skip=skip, where=where),
        lambda merchant: merchant.sandbox.faults.switch_off(name),
    )


def row(change: str, back: str = "") -> Broken:
    """A change of the marked orders' rows by somebody else, and how it is undone."""
    return Broken(
        lambda merchant: merchant.sql(f"UPDATE TABLE SET {change}"),
        lambda merchant: merchant.sql(f"UPDATE TABLE SET {back}") if back else None,
    )


class Merchant:
    """Settings, an orders table with one row of the merchant's own, and the provider next door."""

    def __init__(self, folder: Path, sandbox: Sandbox, clock: MovableClock) -> None:
        self.folder, self.sandbox, self.clock = folder, sandbox, clock
        self.config = folder / "mitbatch.toml"
        self.config.write_text(sandbox.settings_toml("var", "sqlite:///orders.db"), encoding="utf-8")
        make_orders(folder / "orders.db", "INSERT INTO orders (order_id, status) VALUES ('their-own', 'declined')")
        self.settings: Settings = load_settings(self.config)
        self.around: Surroundings = replace(of_this_machine(clock), page=None)
        self.rounds: list[Round] = []
        self._is_spoilt = False

    def set(self, section: str, **changes: object) -> None:
        """Change the settings of one section."""
        changed = getattr(self.settings, section).model_copy(update=changes)
        self.settings = self.settings.model_copy(update={section: changed})

    def certify(self, *words: str) -> Round:
        """Show these items and groups; `rounds` keeps what came of each."""
        self.rounds.append(self._round(*words))
        return self.rounds[-1]

    def _round(self, *words: str) -> Round:
        with rows_by_name() if self._is_spoilt else nullcontext():
            return self._go_round(*words)

    def _go_round(self, *words: str) -> Round:
        return go_round(self.settings, chosen(words), self.around, self.clock, round_folder(self.settings, self.clock))

    def failed_when(self, item: str, broken: "Broken", *words: str) -> list[str]:
        """Which items of these groups fail when something is broken while this one is shown, and mended afterwards."""
        show = Sheet.show

        def shown(sheet: Sheet, shown_item: str, *arguments: Any, **more: Any) -> bool:  # noqa: ANN401 - what a sheet takes
            if shown_item != item:
                return show(sheet, shown_item, *arguments, **more)
            broken.begin(self)
            try:
                return show(sheet, shown_item, *arguments, **more)
            finally:
                broken.end(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Sheet, "show", shown)
            return self.failed(*words)

    def verdicts(self, *words: str) -> dict[str, Verdict]:
        """The verdict of each of these items."""
        return {each.item: each.verdict for each in self.certify(*words).shown}

    def failed(self, *words: str) -> list[str]:
        """Which of these items failed."""
        return [item for item, verdict in self.verdicts(*words).items() if verdict is Verdict.FAILED]

    def spoil(self, spoil: Spoil) -> None:
        """Let somebody change what is written to databases, from now on."""

        def make_engine(*arguments: Any, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own
            engine = create_engine(*arguments, **options)

            def before(_connection: Any, statement: Any, multiple: Any, values: Any, _options: Any) -> Any:  # noqa: ANN401
                for each in (*multiple, values):
                    spoil(str(statement), each)
                return statement, multiple, values

            event.listen(engine, "before_execute", before, retval=True)
            return engine

        self.around, self._is_spoilt = replace(self.around, make_engine=make_engine), True

    def sql(self, statement: str) -> None:
        """Let somebody change every scratch table of the order system that there is; `TABLE` stands for its name."""
        with closing(sqlite3.connect(self.folder / "orders.db")) as connection, connection:
            for name in self.tables():
                if name != "orders":
                    connection.execute(statement.replace("TABLE", name))

    def tables(self) -> list[str]:
        """The tables of the merchant's order system."""
        with closing(sqlite3.connect(self.folder / "orders.db")) as connection:
            return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def only(found: Round, item: str) -> Shown:
    """What was seen of one item."""
    (shown,) = [each for each in found.shown if each.item == item]
    return shown
