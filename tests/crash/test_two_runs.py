"""Two nights at once: one works, the other says so and leaves; a dead one is followed at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.crash.crossings import REPOSITORY
from tests.crash.merchant import REFUSED, SENDABLE, make_orders
from tests.crash.pool import Pool
from tests.crash.provider import Provider

MOMENTS = (
    "after commit ledger in jobs/running",  # the lease was taken
    "after commit ledger .*; before commit orders",  # claimed, not held
    "asked for SFTP rename",
    "after commit orders .*; before commit ledger",
)
"""Points at which the first run waits or dies (patterns)."""

_PATIENCE_SECONDS = 60


@pytest.mark.parametrize("part", MOMENTS)
def test_one_works_and_the_other_leaves(pool: Pool, part: str) -> None:
    """While a night is under way, a second night, a poll and a transmit exit 21, and the first ends as if alone."""
    assert pool.ask_one({"part": part, "dies": False})["violations"] == []


@pytest.mark.parametrize("part", MOMENTS)
def test_a_dead_run_is_followed_at_once(pool: Pool, part: str) -> None:
    """The moment the first night is dead, a second one takes over, finishes its work, and nothing is sent twice."""
    assert pool.ask_one({"part": part, "dies": True})["violations"] == []


def test_the_commands_themselves(quick_folder: Path) -> None:
    """With the real commands: the second nightly exits 21; the first is killed in its rename; the third sends each order once."""
    folder = quick_folder / "commands"
    with Provider(folder / "provider", standing=False) as provider:
        (folder / "mitbatch.toml").write_text(provider.settings_toml, encoding="utf-8")
        make_orders(folder / "orders.db", datetime.now(UTC))
        provider.switch_on("stall", where="rename")
        with subprocess.Popen(_nightly(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPOSITORY) as first:
            _await_step(folder / "var" / "ledger.db", "part_verified", first)
            second = _run(folder)
            os.kill(first.pid, signal.SIGKILL)
        provider.settle()
        third = _run(folder)
        journal = provider.record()["journal"]
    assert (second.returncode, "is active" in second.stderr) == (21, True), second.stderr
    assert third.returncode == 10, third.stderr
    assert _orders(journal, "accepted") == Counter(order_id for order_id, fate in SENDABLE.items() if fate != REFUSED)
    assert _orders(journal, "row_refused") == Counter(order_id for order_id, fate in SENDABLE.items() if fate == REFUSED)


def _nightly(folder: Path) -> list[str]:
    return [sys.executable, "-m", "jobs", "--config", str(folder / "mitbatch.toml"), "nightly"]


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = _nightly(folder)
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=_PATIENCE_SECONDS)


def _orders(journal: list[dict[str, Any]], event: str) -> Counter[str]:
    return Counter(row["order_id"] for row in journal if row["event"] == event)


def _await_step(ledger: Path, step: str, program: subprocess.Popen[bytes]) -> None:
    """Wait until another process's ledger shows a file at this step."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < ends:
        assert program.poll() is None, f"the first nightly ended with {program.returncode}"
        if ledger.is_file() and step in _steps(ledger):
            return
        time.sleep(0.02)
    pytest.fail(f"no file came to {step}")


def _steps(ledger: Path) -> set[str]:
    connection = sqlite3.connect(ledger, timeout=60)
    try:
        return {row[0] for row in connection.execute("SELECT step FROM batch")}
    except sqlite3.OperationalError:  # the tables are not made yet
        return set()
    finally:
        connection.close()
