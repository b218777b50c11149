"""The timers of the schedule, and the jobs that they start as processes.

A timer only wakes: whether a night is due says the ledger, each half minute anew, so that no change of clocks, sleep of the
machine or second scheduler can make a night run twice, or not at all. The night's own process asks once more while it
takes the lease (`nightly --once`). Jobs are processes: their memory goes with them, and a signal finishes their step.
They read the settings themselves, and so does the schedule, before whatever it starts: changed times hold from the next
half minute on and are told, and while the settings are unfit nothing is started.
"""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from batch.pace import utc_text
from jobs.assembly import open_ledger_alone
from jobs.clock import SystemClock
from jobs.once import night_runs
from jobs.output import Options, answer, say
from jobs.schedule_next import LESSER, first_times, lesser_jobs, next_times
from jobs.schedule_signals import Stop
from jobs.schedule_times import cron_trigger, latest_night, night_to_run
from jobs.settings_watch import Seen, SettingsWatch
from schemas.errors import ExitCode, MitbatchError
from schemas.settings import Settings

LOOK_SECONDS = 30
SIGNALLED = 128
"""What shells add to a signal's number: so ends a job that a signal ended before it listened for any, 143 for SIGTERM."""


class Schedule:
    """The timers, and the jobs that they have started."""

    def __init__(self, options: Options, settings: Settings, stop: Stop) -> None:
        self._options, self._clock, self._stop = options, SystemClock(), stop
        self._since = self._clock.now()
        self._watch = SettingsWatch(options.config, settings, lambda found: next_times(found, self._since))
        self._no_night = threading.Event()
        self._no_night.set()

    def run(self) -> ExitCode:
        """Start the timers and wait to be stopped; then let what is at work finish its step."""
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        once = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        timers = BackgroundScheduler(timezone="UTC", job_defaults=once)
        night, lesser = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        timers.add_executor(night, "night")
        timers.add_executor(lesser, "lesser")
        self._set_lesser(timers)
        self._catch_up(timers)
        timers.add_job(
            self._look, "interval", [timers], seconds=LOOK_SECONDS, next_run_time=self._since, executor="night", id="look"
        )
        say(self._options, ["Ctrl-C or SIGTERM lets the step in hand end, and stops it."])
        timers.start()
        self._stop.wait()
        timers.pause()
        for pool in (night, lesser):  # not by the timers, which keep locks meanwhile that whoever takes up settings needs
            timers.remove_all_jobs()
            self._no_night.set()
            pool.shutdown(wait=True)
        timers.shutdown(wait=False)
        return ExitCode.TERMINATED if self._stop.first == signal.SIGTERM else ExitCode.INTERRUPTED

    @property
    def _settings(self) -> Settings:
        return self._watch.settings

    def _set_lesser(self, timers: Any) -> None:  # noqa: ANN401 - APScheduler has no types
        """Give each lesser job the times that the settings have now, and none to what has no time any more."""
        from apscheduler.jobstores.base import JobLookupError

        jobs = lesser_jobs(self._settings)
        for job in LESSER:
            if job in jobs:
                timers.add_job(self._lesser, self._trigger(job), args=[job], executor="lesser", id=job, replace_existing=True)
            else:
                with contextlib.suppress(JobLookupError):  # it had none, or all are being stopped
                    timers.remove_job(job)

    def _trigger(self, job: str) -> Any:  # noqa: ANN401 - APScheduler has no types
        return cron_trigger(getattr(self._settings.schedule, job), self._settings.schedule.timezone)

    def _take_up(self, timers: Any) -> bool:  # noqa: ANN401 - APScheduler has no types
        """Take up settings that were changed, and tell the times that hold now. False while they are unfit."""
        seen = self._watch.look()
        if seen is Seen.BECAME_UNFIT:
            sys.stderr.write(f"WARN  nothing is started until the settings are fit again: {self._watch.problem}\n")
            sys.stderr.flush()
            answer(self._options, {**schedule_object(self._settings), "type": "settings", "problem": str(self._watch.problem)})
        if seen is not Seen.CHANGED:
            return seen.is_fit
        self._set_lesser(timers)
        self._catch_up(timers)
        times = next_times(self._settings, self._clock.now())
        say(self._options, [f"{utc_text(self._clock.now())}   the settings were changed; next:", *first_times(times)])
        shown = {job: list(map(utc_text, moments)) for job, moments in times.items()}
        answer(self._options, {**schedule_object(self._settings), "type": "settings", "next": shown})
        return True

    def _look(self, timers: Any) -> None:  # noqa: ANN401 - APScheduler has no types
        """Run the night that is due by the ledger, if there is one."""
        if not self._take_up(timers) or not self._settings.schedule.nightly:
            return
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
        if self._watch.problem is None:
            self._run([job])

    def _catch_up(self, timers: Any) -> None:  # noqa: ANN401 - APScheduler has no types
        """Run every lesser job once, of which a moment has passed since it last ran."""
        for job in lesser_jobs(self._settings):
            if self._is_behind(job, self._trigger(job)):
                timers.add_job(self._lesser, args=[job], executor="lesser", id=f"{job} at once", replace_existing=True)

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
        return fires is not None and fires <= self._clock.now()

    def _run(self, words: Sequence[str]) -> None:
        flags = [flag for flag, wanted in (("--json", self._options.json), ("--quiet", self._options.quiet)) if wanted]
        line = [sys.executable, "-m", "jobs", "--config", str(self._options.config), *flags, *words]
        if self._stop.is_asked:
            return
        child = subprocess.Popen(line, start_new_session=True)  # noqa: S603 - this very program
        self._stop.began(child)
        code = child.wait()
        self._stop.ended(child)
        code = code if code >= 0 else SIGNALLED - code
        self._say(f"{utc_text(self._clock.now())}   {' '.join(words)} ended with exit {code}")
        answer(self._options, {**schedule_object(self._settings), "type": "run", "job": words[0], "exit_code": code})

    def _say(self, line: str) -> None:
        say(self._options, [line])


def schedule_object(settings: Settings) -> dict[str, Any]:
    """What every object of the schedule says, for machines."""
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
