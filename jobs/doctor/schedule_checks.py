"""The groups `schedule` and `ping`: what ran lately, whether anybody has stopped sending, and who is told of each run."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from batch.ledger.switches import switched_off
from batch.switching import SENDING, SwitchedOff, switch_names
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, good, skipped, warned
from jobs.doctor.machine_checks import begun_at, runs_of
from schemas.errors import MitbatchError, ScheduleMissed, SendingPaused

MISSED = {"nightly": timedelta(hours=26), "poll": timedelta(hours=26), "transmit": timedelta(hours=26)}
"""After so long without a run of a job that ran before, somebody should look."""

_BAD_ENDINGS = frozenset({20, 30, 70, 78})


def look_at_schedule(round_: Examination) -> Iterator[Finding]:
    """When each job last ran, and how it ended."""
    yield good("timezone", f"{round_.settings.schedule.timezone}: a business date is a calendar date there")
    yield _sending(round_)
    runs = runs_of(round_)
    for job, patience in MISSED.items():
        if job == "transmit" and round_.settings.channels.transmit == "off":
            continue
        run = runs.get(job)
        if run is None:
            yield skipped(job, "never ran")
        else:
            yield _last(job, run, round_.clock.now(), patience)


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


def _last(job: str, run: dict[str, Any], now: datetime, patience: timedelta) -> Finding:
    ago, code = now - begun_at(run), run["exit_code"]
    ended = "has not ended" if code is None else f"exit {code}"
    measured = f"{run['started_at']}, {_spoken(ago)} ago, {ended}"
    if ago > patience:
        problem = ScheduleMissed(f"{job} has not run for {_spoken(ago)}.", next_step=f"Look at its timer; run: mitbatch {job}")
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
    for name, url in (("ping_url", alerts.ping_url), ("attention_url", alerts.attention_url)):
        yield good(name, f"{_host(url)}, not called now") if url else skipped(name, "not set: nobody hears of a missed night")


def _host(url: str) -> str:
    """The address without its path, which is as good as a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}/..."
