"""A signal to the schedule in every moment of its life: it always ends it, each job hears of it once, and none is begun after."""

import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs import schedule_timers
from jobs.output import Options
from jobs.schedule import run_schedule
from jobs.schedule_signals import Stop
from jobs.settings_watch import Seen, SettingsWatch
from tests.night.house import House
from tests.night.test_commands import until
from tests.schedule.test_changed_settings import with_times

Strike = Callable[[], None]
SECONDS = 30


class Job:
    """A job that is at work until a signal comes to it. Each says how often it was started, and what it has had."""

    started: list["Job"]
    at_start: Strike
    code = 143

    def __init__(self, _line: list[str], **_more: object) -> None:
        type(self).at_start()
        self.had: list[int] = []
        self._over = threading.Event()
        type(self).started.append(self)

    def send_signal(self, number: int) -> None:
        """What has reached it."""
        self.had.append(number)
        self._over.set()

    def wait(self) -> int:
        """Its exit code, once a signal has ended it."""
        assert self._over.wait(SECONDS), "no signal came"
        return type(self).code


def nothing() -> None:
    """No strike."""


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> type[Job]:
    """No real process is started, and a look comes at once: a night is due."""
    Job.started, Job.at_start, Job.code = [], nothing, 143
    monkeypatch.setattr("jobs.schedule_timers.subprocess.Popen", Job)
    monkeypatch.setattr(schedule_timers, "night_to_run", lambda *_: "2026-11-23")
    return Job


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[Stop]:
    """Whoever listens for signals."""
    found: list[Stop] = []
    real = Stop.__init__

    def made(stop: Stop) -> None:
        real(stop)
        found.append(stop)

    monkeypatch.setattr(Stop, "__init__", made)
    return found


def struck(stops: list[Stop], number: int = signal.SIGTERM, *, times: int = 1) -> None:
    """A signal comes to this process, and has been noted when this returns."""
    before = len(stops[0]._asked)
    for count in range(1, times + 1):
        os.kill(os.getpid(), number)
        until(lambda count=count: len(stops[0]._asked) == before + count)  # type: ignore[misc]


def run(house: House, *, json: bool = False) -> int:
    """The schedule in this process, with a night alone; it ends only by a signal."""
    house.config.write_text(with_times(house.config.read_text(encoding="utf-8"), nightly="0 0 * * *"), encoding="utf-8")
    house._have_ledger()
    assert sys.__stderr__ is not None
    faulthandler.dump_traceback_later(2 * SECONDS, exit=True, file=sys.__stderr__)  # who waits for itself waits for ever
    try:
        return run_schedule(Options(house.config, json=json, quiet=not json))
    finally:
        faulthandler.cancel_dump_traceback_later()


def test_a_signal_as_a_job_is_about_to_start_reaches_it_once(house: House, jobs: type[Job], stops: list[Stop]) -> None:
    """Nobody knows the job yet when it comes; the job hears of it, and no other one is started."""
    jobs.at_start = staticmethod(lambda: struck(stops))
    assert run(house) == 143
    assert [job.had for job in jobs.started] == [[signal.SIGTERM]]


@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_as_a_job_has_just_started_reaches_it_once(
    times: int, house: House, jobs: type[Job], stops: list[Stop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the two looks at who was asked; another one than was sent would cut off the step in hand."""

    class Known(set[Any]):
        def add(self, job: Any) -> None:  # noqa: ANN401 - as set has it
            super().add(job)
            struck(stops, times=times)
            until(lambda: len(job.had) == times)

    real = Stop.began

    def began(stop: Stop, job: Any) -> None:  # noqa: ANN401 - our own
        stop._jobs = Known()
        real(stop, job)

    monkeypatch.setattr(Stop, "began", began)
    assert run(house) == 143
    assert [job.had for job in jobs.started] == [[signal.SIGTERM] * times]


def test_each_signal_reaches_a_job_at_work(
    house: House, jobs: type[Job], stops: list[Stop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first lets its step end, a second one stops it at once; the schedule ends with the first one's code."""
    real = Job.wait

    def wait(job: Job) -> int:
        struck(stops, signal.SIGINT)
        struck(stops, signal.SIGTERM)
        return real(job)

    monkeypatch.setattr(Job, "wait", wait)
    assert run(house) == 130
    assert [job.had for job in jobs.started] == [[signal.SIGINT, signal.SIGTERM]]


def test_a_signal_as_a_job_ends_ends_the_schedule(
    house: House, jobs: type[Job], stops: list[Stop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is over, and the signal comes before that is written down: nothing else is started."""
    real = Stop.ended

    def ended(stop: Stop, job: Any) -> None:  # noqa: ANN401 - our own
        struck(stops)
        real(stop, job)

    monkeypatch.setattr(Stop, "ended", ended)
    monkeypatch.setattr(Job, "wait", lambda _job: 0)
    assert run(house) == 143
    assert len(jobs.started) == 1


def test_a_signal_before_the_first_look_starts_nothing(
    house: House, jobs: type[Job], stops: list[Stop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night is due, and the signal comes while it is found out."""

    def due(*_: object) -> str:
        struck(stops)
        return "2026-11-23"

    monkeypatch.setattr(schedule_timers, "night_to_run", due)
    assert run(house) == 143
    assert jobs.started == []


def test_a_signal_while_settings_are_taken_up_ends_it_too(
    house: House, jobs: type[Job], stops: list[Stop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes them up gives the timers new jobs while they are being stopped; neither waits for the other."""
    reached: list[Any] = []
    real = schedule_timers.Schedule._take_up

    def take_up(schedule: schedule_timers.Schedule, timers: Any) -> bool:  # noqa: ANN401 - APScheduler has no types
        reached.append(timers)
        return real(schedule, timers)

    def look(_watch: SettingsWatch) -> Seen:
        struck(stops)
        until(lambda: reached[0].state != 1)
        return Seen.CHANGED

    monkeypatch.setattr(schedule_timers.Schedule, "_take_up", take_up)
    monkeypatch.setattr(SettingsWatch, "look", look)
    assert run(house) == 143
    assert jobs.started == []


def test_a_job_that_a_signal_ended_before_it_listened_is_told_as_terminated(
    house: House, jobs: type[Job], stops: list[Stop], capsys: pytest.CaptureFixture[str]
) -> None:
    """It was still being loaded: it has done nothing, and its code is of the table, as that of every other one."""
    jobs.code = -signal.SIGTERM
    jobs.at_start = staticmethod(lambda: struck(stops))
    assert run(house, json=True) == 143
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["exit_code"] for each in told if each["type"] == "run"] == [143]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_after_the_first_word_ends_it_by_its_code(house: House, number: int, code: int) -> None:
    """Whoever sees that it has started may stop it at once: no run is begun, and it ends as documented."""
    house.config.write_text(with_times(house.config.read_text(encoding="utf-8"), nightly="0 0 * * *"), encoding="utf-8")
    house.run(day="2026-01-02")
    with house.start("schedule") as schedule:
        assert schedule.stdout is not None
        assert "schedule" in schedule.stdout.readline()
        schedule.send_signal(number)
        out, err = schedule.communicate(timeout=60)
    assert (schedule.returncode, err) == (
        code,
        "" if code == 143 else "Interrupted; running the same command again is safe.\n",
    ), out


def test_a_signal_at_any_line_of_the_main_thread_ends_it(house: House) -> None:
    """Before it waits, while it begins to, as it is woken, and while it ends: nothing there waits for the one interrupted."""
    house.config.write_text(with_times(house.config.read_text(encoding="utf-8")), encoding="utf-8")
    line = [sys.executable, "-m", "tests.schedule.striking", str(house.config)]
    root = Path(__file__).parents[2]
    done = subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout.split()[0]) > 50
