"""The groups `schedule` and `ping`: what ran lately, whether anybody has stopped sending, and who is told of each run."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from batch.ledger.switches import switched_off
from batch.pace import utc_text
from batch.switching import SENDING, SwitchedOff, switch_names
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, failed, good, skipped, warned
from jobs.doctor.machine_checks import begun_at, runs_of
from jobs.once import night_runs
from jobs.schedule_times import cron_trigger, missed_night, missed_since
from schemas.errors import ConfigurationError, MitbatchError, ScheduleMissed, SendingPaused

JOBS = ("nightly", "poll", "transmit", "reconcile")

_BAD_ENDINGS = frozenset({20, 30, 70, 78})


def look_at_schedule(round_: Examination) -> Iterator[Finding]:
    """When each job last ran, whether that was at its time, and how it ended."""
    yield good("timezone", f"{round_.settings.schedule.timezone}: a business date is a calendar date there")
    yield _sending(round_)
    runs = runs_of(round_)
    for job in JOBS:
        if job == "transmit" and round_.settings.channels.transmit == "off":
            continue
        try:
            missed = _missed(round_, job, runs)
        except ConfigurationError as problem:
            yield failed(job, str(getattr(round_.settings.schedule, job)), problem)
            continue
        run = runs.get(job)
        yield skipped(job, "never ran") if run is None else _last(job, run, round_, missed)


def _missed(round_: Examination, job: str, runs: dict[str, dict[str, Any]]) -> datetime | None:
    """Since when a job that ran before is due by its own expression; a night polls as well, an empty expression is never due."""
    schedule, now = round_.settings.schedule, round_.clock.now()
    expression = str(getattr(schedule, job))
    if not expression:
        return None
    cron_trigger(expression, schedule.timezone, f"schedule.{job}")
    if job not in runs:
        return None
    if job == "nightly":
        return missed_night(expression, schedule.timezone, _latest_night_run(round_), now)
    alike = ("poll", "nightly", "rerun") if job == "poll" else (job,)
    begun = max(begun_at(runs[each]) for each in alike if each in runs)
    return missed_since(expression, schedule.timezone, begun, now)


def _latest_night_run(round_: Examination) -> str:
    with round_.ledger() as ledger:
        if ledger is None:
            return ""
        with ledger.reading() as connection:
            return max((run.business_date for run in night_runs(connection, ledger.mid)), default="")


def _sending(round_: Examination) -> Finding:
    """Whether somebody has stopped sending by hand, and what else is off by hand."""
    off: dict[str, SwitchedOff] = {}
    with suppress(MitbatchError), round_.ledger() as ledger:
        if ledger is not None:
            with ledger.reading() as connection:
                off = switched_off(connection, ledger.mid, switch_names(round_.settings))
    if SENDING in off:
        paused = off[SENDING]
        words = f"{paused.by} paused sending at {paused.at}: {paused.reason}"
        problem = SendingPaused(words, next_step='When it may go on: mitbatch resume --reason "..."')
        return warned("sending", f"paused since {paused.at}", problem)
    names = ", ".join(f"{name} since {each.at}" for name, each in off.items())
    return good("sending", f"not paused; off by hand: {names}" if names else "not paused, nothing is off by hand")


def _last(job: str, run: dict[str, Any], round_: Examination, missed: datetime | None) -> Finding:
    ago, code = round_.clock.now() - begun_at(run), run["exit_code"]
    ended = "has not ended" if code is None else f"exit {code}"
    measured = f"{run['started_at']}, {_spoken(ago)} ago, {ended}"
    if missed is not None:
        expression = getattr(round_.settings.schedule, job)
        problem = ScheduleMissed(
            f'{job} has not run for {_spoken(ago)}; by schedule.{job} = "{expression}" it was due at {utc_text(missed)}.',
            next_step=f"Look at its timer, which must have the same times; run: mitbatch {job}",
        )
        return warned(job, measured, problem)
    if code in _BAD_ENDINGS:
        problem = ScheduleMissed(f"The last {job} ended with {code}.", next_step="Look at: mitbatch status")
        return warned(job, measured, problem)
    return good(job, measured)


def _spoken(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    return f"{minutes // 1440}d {minutes // 60 % 24}h" if minutes >= 1440 else f"{minutes // 60}h {minutes % 60}m"


def look_at_ping(round_: Examination) -> Iterator[Finding]:
    """Who hears of each run. Nobody is called here."""
    alerts = round_.settings.alerts
    without = {"ping_url": "nobody hears of a missed night", "attention_url": "who is pinged hears of items by the exit code"}
    for name, url in (("ping_url", alerts.ping_url), ("attention_url", alerts.attention_url)):
        yield good(name, f"{_host(url)}, not called now") if url else skipped(name, f"not set: {without[name]}")


def _host(url: str) -> str:
    """The address without its path, which is as good as a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}/..."
