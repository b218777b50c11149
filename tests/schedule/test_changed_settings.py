"""A schedule that runs for months takes up settings that were changed, and starts nothing while they are unfit."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO, Any

from tests.night.house import House

QUICKLY = """
import sys
from jobs import schedule_timers
schedule_timers.LOOK_SECONDS = 0.2
from jobs.cli import run
sys.exit(run(sys.argv[1:]))
"""
NEVER = {"nightly": "", "poll": "", "transmit": "", "reconcile": ""}


class Running:
    """A schedule at work that looks at its settings five times a second, and its file."""

    def __init__(self, house: House, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.house, self.process = house, process
        self.out: IO[str] = process.stdout
        self.err: IO[str] = process.stderr

    def write(self, text: str) -> None:
        """Replace the settings file in one step, as an editor does."""
        new = self.house.config.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.house.config)

    def told(self, **wanted: object) -> dict[str, Any]:
        """The next object with these fields."""
        for line in self.out:
            found: dict[str, Any] = json.loads(line)
            if wanted.items() <= found.items():
                return found
        raise AssertionError("it ended before it told that")


def with_times(text: str, **times: str) -> str:
    """A settings file with these cron expressions."""
    section = "\n".join(f'{job} = "{when}"' for job, when in {**NEVER, **times}.items())
    rest = re.sub(r"\[schedule\]\n(?:[^\[]*\n)?(?=\[|\Z)", "", text)
    return f'{rest}\n[schedule]\ntimezone = "UTC"\n{section}\n'


@contextmanager
def running(house: House) -> Iterator[Running]:
    """A schedule without any time of its own, stopped at the end."""
    house.config.write_text(with_times(house.config.read_text(encoding="utf-8")), encoding="utf-8")
    line = [sys.executable, "-c", QUICKLY, "--config", str(house.config), "--json", "schedule"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            schedule = Running(house, process)
            assert schedule.told(type="settings")["next"] == {}
            yield schedule
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_changed_time_takes_effect_without_a_restart(running_house: House) -> None:
    """Times that are written into the file are told and kept; a time that is taken out is gone."""
    with running(running_house) as schedule:
        text = schedule.house.config.read_text(encoding="utf-8")
        schedule.write(with_times(text, reconcile="0 6 * * *", nightly="30 1 * * *"))
        told = schedule.told(type="settings")
        assert sorted(told["next"]) == ["nightly", "reconcile"]
        assert told["next"]["reconcile"][0].endswith("T06:00:00Z")
        schedule.write(with_times(text, poll="* * * * *"))
        assert sorted(schedule.told(type="settings")["next"]) == ["poll"]


def test_what_fell_due_meanwhile_is_caught_up_once(running_house: House) -> None:
    """A job whose moment has passed since it last ran is run as soon as the settings give it one."""
    assert running_house.cli("reconcile").returncode == 0
    with closing(sqlite3.connect(running_house.ledger_path)) as ledger, ledger:
        ledger.execute("UPDATE run SET started_at = '2026-01-02T00:00:00Z'")
    with running(running_house) as schedule:
        text = schedule.house.config.read_text(encoding="utf-8")
        schedule.write(with_times(text, reconcile="0 6 * * *"))
        assert schedule.told(type="run")["job"] == "reconcile"
    assert len(running_house.ledger("SELECT * FROM run")) == 2


def test_an_unfit_file_starts_nothing_and_is_told_once(running_house: House) -> None:
    """A night that is due waits until the file is mended; the reason is one line on stderr, and then it runs."""
    with running(running_house) as schedule:
        text = schedule.house.config.read_text(encoding="utf-8")
        assert running_house.cli("nightly", "--date", "2026-01-02").returncode == 0
        schedule.write(with_times(text, nightly="0 0 * * *").replace("[sftp]", "[sfpt]"))
        problem = schedule.told(type="settings")["problem"]
        assert "sfpt" in problem
        assert problem in schedule.err.readline()
        schedule.write(with_times(text, nightly="99 0 * * *"))
        assert "no cron expression" in schedule.told(type="settings")["problem"]
        assert len(running_house.ledger("SELECT * FROM run")) == 1
        schedule.write(with_times(text, nightly="0 0 * * *"))
        assert sorted(schedule.told(type="settings")["next"]) == ["nightly"]
        assert schedule.told(type="run")["job"] == "nightly"
    assert len(running_house.ledger("SELECT * FROM run WHERE job = 'nightly'")) == 2
