"""Going live in a process that is killed around each of its two effects, the lock and the event: running it again ends right."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from jobs.certify.chain import Chain
from jobs.cli import run
from jobs.disk import MachineDisk
from tests.certify.test_go_live import certified
from tests.certify.two_sandboxes import API, TwoSandboxes, lead_here, two_sandboxes


@pytest.fixture
def both(tmp_path: Path) -> Iterator[TwoSandboxes]:
    """Two environments, of which the sandbox is certified."""
    with two_sandboxes(tmp_path) as found:
        certified(found)
        yield found


def went_live(both: TwoSandboxes) -> int:
    """How often the chain says so; it must be whole."""
    events = Chain(both.settings.data_dir / "certification", MachineDisk()).events()
    return sum(event["kind"] == "went_live" for event in events)


def locked_to(both: TwoSandboxes) -> list[tuple[str, str]]:
    """What production's ledger is locked to, if there is one."""
    engine = create_engine(both.live_settings.ledger.url)
    try:
        if not inspect(engine).has_table("identity"):
            return []
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql("SELECT environment, mid FROM identity").all()]
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("moment", "is_locked", "events", "after"),
    [
        ("before the lock", False, 0, 1),
        ("after the lock", True, 0, 1),
        ("before the event", True, 0, 1),
        ("after the event", True, 1, 2),
    ],
)
def test_killed_and_run_again(
    moment: str, is_locked: bool, events: int, after: int, both: TwoSandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked or not, with its event or without: the second run locks to the same, says so once more, and sends nothing."""
    mid = both.live_settings.provider.mid
    words = ["--config", str(both.sandbox), "go-live", "--to", str(both.production), "--confirm", mid]
    first = f"{moment}@{both.live.authority_path}"
    ended = subprocess.run(
        [sys.executable, "-m", "tests.certify.killed", first, *words], capture_output=True, timeout=120, check=False
    )
    identity = [("production", mid)]

    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert (locked_to(both), went_live(both)) == (identity if is_locked else [], events)
    lead_here(both.live.authority_path, monkeypatch)
    assert run(words) == 0
    assert (locked_to(both), went_live(both)) == (identity, after)
    assert run(["--config", str(both.production), "lock", "show"]) == 0
    assert both.live.accepted("evaluate") == []
    assert API in both.live_settings.provider.api_url
