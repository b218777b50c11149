"""The commands that run a job: nightly, rerun, poll, transmit, audit export. And `--dry-run`, which shows and changes nothing."""

import sys
from datetime import date, datetime
from pathlib import Path

from batch.equipment import Clock, Equipment
from batch.findings import Findings
from batch.ledger import Run
from batch.ledger.batches import batch_by_id
from batch.missed import note_missed
from batch.outstanding import note_arrived
from batch.pace import business_date
from batch.pipeline import await_acknowledgements, nightly, poll_only
from batch.transmit import Copies, transmit
from jobs.assembly import assemble
from jobs.clock import SystemClock
from jobs.once import Once
from jobs.output import Options, answer, say
from jobs.pinging import pinged
from jobs.report_lines import people_lines
from jobs.report_object import machine_object
from jobs.running import RunReport, Work, always, run_job
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from jobs.watching import watched
from schemas.errors import ConfigurationError, ExitCode, InternalError, UsageRefused
from schemas.settings import Settings


def run_command(
    options: Options,
    job: str,
    day: str,
    *,
    batch_id: str = "",
    everything: bool = False,
    once: bool = False,
    clock: Clock | None = None,
) -> int:
    """Run one job by the settings file and print its summary. Returns the exit code."""
    settings, clock = load_settings(options.config), clock or SystemClock()
    if once:
        Once(settings, checked_date(day, settings, clock.now())).look_ahead(clock)
    report, copies = pinged(
        settings,
        job,
        clock.sleep,
        lambda: run_with(settings, options, job, day, batch_id=batch_id, everything=everything, once=once, clock=clock),
    )
    if not (options.quiet and report.code is ExitCode.CLEAN):
        show(options, report, settings, copies)
    if options.verbose:
        show_traces(report)
    command = {"command": "audit export"} if job == "audit" else {}
    answer(options, {**machine_object(report, settings), **command, **({"transmit": _copies_object(copies)} if copies else {})})
    return int(report.code)


def show(options: Options, report: RunReport, settings: Settings, copies: Copies | None) -> None:
    """Print the summary: a table for a person at a terminal, plain lines everywhere else."""
    if sys.stdout.isatty() and not options.json:
        from jobs.report_table import print_table

        print_table(options, report, with_copies(people_lines(report, settings), copies))
    else:
        say(options, with_copies(people_lines(report, settings), copies))


def show_traces(report: RunReport) -> None:
    """Print the traces of internal errors to stderr: types and places, no value of anything."""
    for problem in report.findings.problems:
        if isinstance(problem, InternalError) and problem.trace:
            sys.stderr.write(Path(problem.trace).read_text(encoding="utf-8"))


def run_with(
    settings: Settings,
    options: Options,
    job: str,
    day: str,
    *,
    batch_id: str = "",
    everything: bool = False,
    once: bool = False,
    clock: Clock,
    surroundings: Surroundings | None = None,
) -> tuple[RunReport, Copies | None]:
    """Run one job with these settings on this clock, in the machine's surroundings or others; demo and tests come in here."""
    day = checked_date(day, settings, clock.now())
    around, found = surroundings or of_this_machine(clock), list[Copies]()
    with (
        around.stop.listening(),
        watched(options, clock, settings.progress_interval_seconds) as progress,
        assemble(settings, around, progress=progress) as workshop,
    ):
        if batch_id:
            _check_batch(workshop.equipment, batch_id, day)
        only = Once(settings, day) if once else None
        work = _work(job, batch_id=batch_id, everything=everything, found=found, only=only)
        report = run_job(workshop, job, day, work, unless=only.look if only is not None else always)
    return report, found[0] if found else None


def checked_date(day: str, settings: Settings, now: datetime) -> str:
    """The business date that is meant. Raises UsageRefused for one that is malformed or lies ahead."""
    today = business_date(now, settings.schedule.timezone)
    if not day:
        return today
    try:
        meant = date.fromisoformat(day).isoformat()
    except ValueError:
        meant = ""
    if not meant or meant != day:  # a week's date, or one without dashes, is more likely a slip than meant
        raise UsageRefused(f"{day!r} is not a date; write it as YYYY-MM-DD.", next_step=f"Example: --date {today}")
    if meant > today:
        raise UsageRefused(f"The business date {meant} lies ahead; today is {today} in {settings.schedule.timezone}.")
    return meant


def _check_batch(equipment: Equipment, batch_id: str, day: str) -> None:
    with equipment.ledger.reading() as connection:
        found = batch_by_id(connection, equipment.ledger.mid, batch_id)
    if found is None or found.business_date != day:
        raise UsageRefused(
            f"There is no batch {batch_id} of {day}.", next_step="See submissions.csv of that date for its batches."
        )


def _work(job: str, *, batch_id: str, everything: bool, found: list[Copies], only: Once | None) -> Work:
    def work(equipment: Equipment, run: Run, findings: Findings) -> None:
        if only is not None:
            note_missed(equipment, run, only.lateness(equipment.clock.now()))
        if job in {"nightly", "rerun"}:
            nightly(equipment, run, findings, only_batch=batch_id)
        elif job == "audit":
            pass  # what every run does at its end is all that is wanted
        elif job == "poll":
            poll_only(equipment, run, findings, everything=everything)
        elif job == "reconcile":
            from batch.comparing import reconcile

            reconcile(equipment, run, findings)
        elif equipment.settings.channels.transmit == "off":
            raise ConfigurationError("Copies of good charges are switched off (channels.transmit).")
        else:
            found.append(transmit(equipment, run, findings))
            await_acknowledgements(equipment, run, findings)
            note_arrived(equipment, findings)

    return work


def with_copies(lines: list[str], copies: Copies | None) -> list[str]:
    """The summary with what `transmit` did, before its last line."""
    if copies is None:
        return lines
    left_out = " · ".join(
        f"{why} {count:,} ({', '.join(copies.examples[why])})" for why, count in sorted(copies.left_out.items())
    )
    facts = ["copies".ljust(16) + f"{copies.claimed:,} claimed"]
    return [*lines[:2], *facts, *(["not copied".ljust(16) + left_out] if left_out else []), *lines[2:]]


def _copies_object(copies: Copies) -> dict[str, object]:
    return {"claimed": copies.claimed, "left_out": dict(copies.left_out)}
