"""S31: the copy that the runbook tells to make, made while a run is at work, and what a ledger restored from it may do."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batch.delivery import Delivery
from schemas.errors import LedgerBehind
from tests.house.source import ROOT
from tests.night.house import ONHOLD, House, order

SHOWN = re.compile(r"`\(umask (\d+); sqlite3 var/ledger\.db \"(VACUUM INTO '/backup/ledger\.db')\"\)`")
IN_A_PROCESS = "import os, sqlite3, sys; os.umask(int(sys.argv[1], 8)); sqlite3.connect(sys.argv[2]).execute(sys.argv[3])"


def back_up(house: House) -> Path:
    """Do what the runbook says, from a process beside the run."""
    ((mask, statement),) = SHOWN.findall((ROOT / "schemas" / "RUNBOOK.md").read_text(encoding="utf-8"))
    copy = house.folder / "backup.db"
    line = [sys.executable, "-c", IN_A_PROCESS, mask, str(house.ledger_path), statement.replace("/backup/ledger.db", str(copy))]
    subprocess.run(line, check=True, timeout=60)
    return copy


def restore(house: House, copy: Path) -> None:
    """Put the copy where the ledger was, with its own mode."""
    for ending in ("-wal", "-shm"):
        house.ledger_path.with_name(house.ledger_path.name + ending).unlink(missing_ok=True)
    copy.replace(house.ledger_path)


def test_a_copy_is_made_beside_a_run_and_is_whole_and_private(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the midst of a night the copy has just what was committed by then, and the run goes on as if nothing were."""
    house.run()
    house.add(order("a", payment_token=ONHOLD))
    copies: list[Path] = []
    step = Delivery._intend

    def backed_up(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the step takes and gives
        result = step(*arguments, **more)
        if not copies:
            copies.append(back_up(house))
        return result

    monkeypatch.setattr(Delivery, "_intend", backed_up)
    assert house.run().code == 0
    assert house.accepted() == {"a": 1}
    (copy,) = copies
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert ledger.execute("SELECT order_id, state FROM submission").fetchall() == [("a", "sending")]

    restore(house, copy)
    with pytest.raises(LedgerBehind):
        house.run()
    assert house.accepted() == {"a": 1}


def test_the_newest_copy_goes_on_where_the_ledger_was(house: House) -> None:
    """Nothing has left since the copy was made: the next night is as any other, nothing is sent twice, and the books close."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    restore(house, back_up(house))
    house.add(order("b", payment_token=ONHOLD))
    report = house.run()

    assert (report.code, house.accepted()) == (0, {"a": 1, "b": 1})
    assert report.figures.balances["USD"].balanced
    assert house.ledger_path.stat().st_mode & 0o077 == 0
