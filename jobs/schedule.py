"""`mitbatch schedule`: the jobs at their times, each as a process of its own, until it is stopped.

A timer only wakes: whether a night is due says the ledger, each half minute anew, so that no change of clocks, sleep of the
machine or second scheduler can make a night run twice, or not at all. The night's own process asks once more while it
takes the lease (`nightly --once`). Jobs are processes: their memory goes with them, and a signal finishes their step.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from batch.pace import business_date, utc_text
from jobs.assembly import open_ledger_alone
from jobs.clock import SystemClock
from jobs.once import night_runs
from jobs.output import Options, answer, say
from jobs.report_lines import banner
from jobs.schedule_times import cron_trigger, latest_night, night_due, night_to_run
from jobs.settings_file import load_settings
from schemas.errors import ExitCode, MitbatchError
from schemas.settings import Settings

LOOK_SECONDS = 30
LESSER = ("poll", "transmit", "reconcile")
"""Jobs that come by their own times, one after the other, and never while a night is at work."""


def run_schedule(options: Options, *, dry_run: bool = False) -> int:
    """Run the jobs at their times until SIGTERM or Ctrl-C, which finish the step in hand. Returns the exit code."""
    settings = load_settings(options.config)
    times = next_times(settings, SystemClock().now())
    today = business_date(SystemClock().now(), settings.schedule.timezone)
    lines = [f"{job:<16}{'   '.join(map(utc_text, moments)) or 'never'}" for job, moments in times.items()]
    if dry_run:
        say(options, [f"DRY RUN  {line}" for line in [banner("schedule", today, settings), *lines]])
        answer(
            options, {**_object(settings), "dry_run": True, "next": {job: list(map(utc_text, ts)) for job, ts in times.items()}}
        )
        return int(ExitCode.CLEAN)
    say(
        options, [banner("schedule", today, settings), *(line.partition("Z")[0] + "Z" if "Z" in line else line for line in lines)]
    )
    code = _Schedule(options, settings).run()
    answer(options, {**_object(settings), "exit_code": int(code)})
    return int(code)


def next_times(settings: Settings, now: datetime) -> dict[str, list[datetime]]:
    """The next three moments of each job, in UTC; jobs whose expression is empty are left out. Raises ConfigurationError."""
    found: dict[str, list[datetime]] = {}
    zone = settings.schedule.timezone
    if settings.schedule.nightly:
        cron_trigger(settings.schedule.nightly, zone, "schedule.nightly")
        day = datetime.fromisoformat(business_date(now, zone))
        days = ((day + timedelta(days=number)).date().isoformat() for number in range(400))
        dues = (night_due(settings.schedule.nightly, zone, each) for each in days)
        found["nightly"] = [due for due in dues if due is not None and due > now][:3]
    for job in lesser_jobs(settings):
        trigger, moments = cron_trigger(getattr(settings.schedule, job), zone, f"schedule.{job}"), list[datetime]()
        while len(moments) < 3:
            after = moments[-1] + timedelta(seconds=1) if moments else now
            fires = trigger.get_next_fire_time(None, after)
            if fires is None:
                break
            moments.append(fires.astimezone(now.tzinfo))
        found[job] = moments
    return found


def lesser_jobs(settings: Settings) -> list[str]:
    """The lesser jobs that have a time; copies only where they are sent at all."""
    off = {"transmit"} if settings.channels.transmit == "off" else set[str]()
    return [job for job in LESSER if getattr(settings.schedule, job) and job not in off]


class _Schedule:
    """The timers, and the jobs that they have started."""

    def __init__(self, options: Options, settings: Settings) -> None:
        self._options, self._settings, self._clock = options, settings, SystemClock()
        self._since = self._clock.now()
        self._stop = threading.Event()
        self._asked: list[int] = []
        self._children: set[subprocess.Popen[bytes]] = set()
        self._lock, self._no_night = threading.Lock(), threading.Event()
        self._no_night.set()

    def run(self) -> ExitCode:
        """Start the timers and wait to be stopped; then let what is at work finish its step."""
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        once = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        timers = BackgroundScheduler(timezone="UTC", job_defaults=once)
        timers.add_executor(ThreadPoolExecutor(1), "night")
        timers.add_executor(ThreadPoolExecutor(1), "lesser")
        if self._settings.schedule.nightly:
            timers.add_job(
                self._look, "interval", seconds=LOOK_SECONDS, next_run_time=self._since, executor="night", id="nightly"
            )
        for job in lesser_jobs(self._settings):
            trigger = cron_trigger(getattr(self._settings.schedule, job), self._settings.schedule.timezone)
            timers.add_job(self._lesser, trigger, args=[job], executor="lesser", id=job)
            if self._is_behind(job, trigger):
                timers.add_job(self._lesser, args=[job], executor="lesser", id=f"{job} at once")
        before = {number: signal.signal(number, self._signalled) for number in (signal.SIGINT, signal.SIGTERM)}
        timers.start()
        say(self._options, ["Ctrl-C or SIGTERM lets the step in hand end, and stops it."])
        try:
            while not self._stop.wait(timeout=3600):
                pass
            timers.pause()
            timers.shutdown(wait=True)
        finally:
            for number, action in before.items():
                signal.signal(number, action)
        return ExitCode.TERMINATED if self._asked[0] == signal.SIGTERM else ExitCode.INTERRUPTED

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._asked.append(number)
        self._stop.set()
        self._no_night.set()
        for child in list(self._children):
            child.send_signal(number)

    def _look(self) -> None:
        """Run the night that is due by the ledger, if there is one."""
        settings = self._settings
        try:
            with open_ledger_alone(settings, clock=self._clock) as ledger, ledger.reading() as connection:
                runs = night_runs(connection, ledger.mid)
        except MitbatchError as problem:
            self._say(f"WARN  {problem}")
            return
        day = night_to_run(settings.schedule.nightly, settings.schedule.timezone, self._clock.now(), runs, self._since)
        if day:
            self._no_night.clear()
            try:
                self._run(["nightly", "--once", "--date", day])
            finally:
                self._no_night.set()

    def _lesser(self, job: str) -> None:
        self._no_night.wait()
        self._run([job])

    def _is_behind(self, job: str, trigger: Any) -> bool:  # noqa: ANN401 - APScheduler has no types
        """Whether a moment of this job has passed since it last ran, if it ever did: it is caught up once."""
        from batch.ledger.reading import last_runs

        try:
            with open_ledger_alone(self._settings, clock=self._clock) as ledger, ledger.reading() as connection:
                last = last_runs(connection, ledger.mid).get(job)
        except MitbatchError:
            return False
        if last is None:
            return False
        fires = trigger.get_next_fire_time(None, datetime.fromisoformat(last["started_at"]) + timedelta(seconds=1))
        return fires is not None and fires <= self._since

    def _run(self, words: Sequence[str]) -> None:
        flags = [flag for flag, wanted in (("--json", self._options.json), ("--quiet", self._options.quiet)) if wanted]
        line = [sys.executable, "-m", "jobs", "--config", str(self._options.config), *flags, *words]
        with self._lock:
            if self._stop.is_set():
                return
            child = subprocess.Popen(line, start_new_session=True)  # noqa: S603 - this very program
            self._children.add(child)
        if self._stop.is_set() and child.poll() is None and self._asked:
            child.send_signal(self._asked[0])  # it was started in the very moment
        code = child.wait()
        self._children.discard(child)
        self._say(f"{utc_text(self._clock.now())}   {' '.join(words)} ended with exit {code}")
        answer(self._options, {**_object(self._settings), "type": "run", "job": words[0], "exit_code": code})

    def _say(self, line: str) -> None:
        say(self._options, [line])


def _object(settings: Settings) -> dict[str, Any]:
    return {
        "schema": "mitbatch.schedule/1",
        "type": "result",
        "command": "schedule",
        "run_id": "",
        "generated_at": utc_text(SystemClock().now()),
        "environment": settings.environment,
        "timezone": settings.schedule.timezone,
        "due": latest_night(settings.schedule.nightly, settings.schedule.timezone, SystemClock().now())
        if settings.schedule.nightly
        else "",
    }
