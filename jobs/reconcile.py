"""`mitbatch reconcile`: one run that compares the books, and its summary for people and for machines."""

import functools
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from batch.book_entries import Total
from batch.compared import Compared
from batch.comparing import reconcile
from batch.equipment import Clock, Equipment
from batch.findings import Findings
from batch.ledger import Run
from jobs.assembly import assemble
from jobs.banner import banner
from jobs.by_hand import show_dry_run
from jobs.clock import SystemClock
from jobs.night import show_traces
from jobs.output import Options, answer, say
from jobs.pinging import pinged
from jobs.reconcile_lines import comparison_lines
from jobs.rehearsal import rehearsal
from jobs.report_lines import people_lines
from jobs.report_object import machine_object
from jobs.running import RunReport, run_job
from jobs.settings_file import load_settings
from jobs.settlement_file import check_settlement, read_settlement
from jobs.surroundings import Surroundings, of_this_machine
from jobs.watching import watched
from schemas.exit_codes import ExitCode
from schemas.matches import Match
from schemas.settings import Settings

JOB = "reconcile"


def run_reconcile(
    options: Options,
    *,
    settlement: Path | None = None,
    everything: bool = False,
    dry_run: bool = False,
    clock: Clock | None = None,
) -> int:
    """Compare the books by the settings file and print what differs. Returns the exit code."""
    settings, clock = load_settings(options.config), clock or SystemClock()
    if dry_run:
        with rehearsal(settings, of_this_machine(clock)) as (copy, apart):
            report, compared = reconcile_with(
                copy, options, settlement=settlement, everything=everything, clock=clock, surroundings=apart
            )
        return _show_rehearsed(options, report, compared, settings)
    report, compared = pinged(
        settings,
        JOB,
        clock.sleep,
        lambda: reconcile_with(settings, options, settlement=settlement, everything=everything, clock=clock),
    )
    if not (options.quiet and report.code is ExitCode.CLEAN):
        _show(options, report, _lines(report, compared, settings))
    if options.verbose:
        show_traces(report)
    answer(options, {**machine_object(report, settings), "comparison": comparison_object(compared) if compared else None})
    return int(report.code)


def _show_rehearsed(options: Options, report: RunReport, compared: Compared | None, settings: Settings) -> int:
    """Print what the real run would print, marked. Items that it would open make no dry run end otherwise than cleanly."""
    code = ExitCode.CLEAN if report.code in (ExitCode.NEEDS_PERSON, ExitCode.IN_DOUBT) else report.code
    report = replace(report, audit=None, code=code)
    _, *lines, _ = _lines(report, compared, settings)
    show_dry_run(options, [banner(JOB, report.business_date, settings), *lines], code)
    if options.verbose:
        show_traces(report)
    comparison = comparison_object(compared) if compared else None
    answer(options, {**machine_object(report, settings), "run_id": "", "comparison": comparison, "dry_run": True})
    return int(code)


def reconcile_with(
    settings: Settings,
    options: Options,
    *,
    clock: Clock,
    settlement: Path | None = None,
    everything: bool = False,
    surroundings: Surroundings | None = None,
) -> tuple[RunReport, Compared | None]:
    """Compare the books with these settings on this clock. Without a result where the comparison did not come to its end."""
    around, found = surroundings or of_this_machine(clock), list[Compared]()

    def work(equipment: Equipment, run: Run, findings: Findings) -> None:
        lines = read_settlement(settlement, equipment.profile.settlement) if settlement is not None else None
        found.append(reconcile(equipment, run, findings, settlement=lines, everything=everything))

    with (
        around.stop.listening(),
        watched(options, clock, settings.progress_interval_seconds) as progress,
        assemble(settings, around, progress=progress) as workshop,
    ):
        if settlement is not None:
            check_settlement(settlement, workshop.equipment.profile.settlement)
        report = run_job(workshop, JOB, "", work)
    return report, found[0] if found else None


def _show(options: Options, report: RunReport, lines: list[str]) -> None:
    """Print the summary: a table for a person at a terminal, plain lines everywhere else."""
    if sys.stdout.isatty() and not options.json:
        from jobs.report_table import print_table

        print_table(options, report, lines)
    else:
        say(options, lines)


def _lines(report: RunReport, compared: Compared | None, settings: Settings) -> list[str]:
    """The run's own lines, with what was compared after the first two."""
    lines = people_lines(report, settings)
    if compared is None:
        return lines
    where = report.audit.folder / "reconciliation.csv" if report.audit is not None else None
    return [*lines[:2], *comparison_lines(compared, where), *lines[2:]]


def comparison_object(compared: Compared) -> dict[str, Any]:
    """What was compared, for machines: orders and minor units by book, site, currency and state, and each kind of difference."""
    books: dict[str, Any] = {}
    for (book, site, currency, state), total in sorted(compared.totals.items()):
        inside = functools.reduce(lambda found, key: found.setdefault(key, {}), (book.value, site, currency), books)
        inside[state] = _total(total)
    return {
        "since": compared.since,
        "orders": compared.orders,
        "equal": compared.equal,
        "differing": compared.differing,
        "provider_list": "whole" if compared.is_list_whole else "partial" if compared.is_list_had else "none",
        "listed": compared.listed,
        "asked_singly": compared.asked_singly,
        "books": books,
        "files_sent": {
            "files": len(compared.files),
            "orders": compared.handed_over,
            "acknowledged": compared.acknowledged,
            "answered": compared.answered,
        },
        "settlement": {"lines": compared.settled_lines, "unread": compared.odd_lines} if compared.has_settlement else None,
        "differences": _matches(compared.matches),
        "house_charges": compared.house_charges,
        "named": [
            {"order_id": each.order_id, "match": each.match.value, "explanation": each.explanation} for each in compared.named
        ],
    }


def _matches(matches: Mapping[tuple[Match, str], Total]) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (match, currency), total in sorted(matches.items()):
        found.setdefault(match.value, {})[currency] = _total(total)
    return found


def _total(total: Total) -> dict[str, int]:
    return {"orders": total.orders, "amount_minor": total.amount_minor}
