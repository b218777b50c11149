"""`mitbatch schedule`: the jobs at their times, each as a process of its own, until it is stopped."""

from batch.pace import business_date, utc_text
from jobs.banner import banner
from jobs.by_hand import show_dry_run
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.schedule_next import first_times, next_times
from jobs.schedule_signals import Stop
from jobs.schedule_timers import Schedule, schedule_object
from jobs.settings_file import load_settings
from schemas.errors import ExitCode


def run_schedule(options: Options, *, dry_run: bool = False) -> int:
    """Run the jobs at their times until SIGTERM or Ctrl-C, which finish the step in hand. Returns the exit code."""
    settings = load_settings(options.config)
    times = next_times(settings, SystemClock().now())
    today = business_date(SystemClock().now(), settings.schedule.timezone)
    zone = settings.schedule.timezone
    lines = [
        f"{job:<16}{'   '.join(map(utc_text, moments)) or 'never'}   by {getattr(settings.schedule, job)!r} in {zone}"
        for job, moments in times.items()
    ]
    shown = {job: list(map(utc_text, moments)) for job, moments in times.items()}
    if dry_run:
        show_dry_run(options, [banner("schedule", today, settings), *lines])
        answer(options, {**schedule_object(settings), "dry_run": True, "next": shown, "exit_code": int(ExitCode.CLEAN)})
        return int(ExitCode.CLEAN)
    stop = Stop()
    with stop.listening():  # before a word of it is said
        say(options, [banner("schedule", today, settings), *first_times(times)])
        answer(options, {**schedule_object(settings), "type": "settings", "next": shown})
        code = Schedule(options, settings, stop).run()
    answer(options, {**schedule_object(settings), "exit_code": int(code)})
    return int(code)
