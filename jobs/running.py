"""One run of a job from beginning to end: lease, work, finance's files, exit code, and the run's own record."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from batch.book_entries import Total
from batch.bookkeeping import AuditReport, Turn, night_figures
from batch.equipment import Equipment
from batch.findings import Findings, Standing, exit_code, gravest
from batch.ledger import Ledger, Run
from batch.ledger.batches import unfinished_batches
from batch.ledger.file_figures import count_failed
from batch.ledger.items import Item, open_items
from batch.ledger.lease import LeaseTerms, end_run, take_lease
from batch.ledger.operations import unsettled_operations
from batch.ledger.reading import count_by_state, cut_off_dates, overdue_submissions
from batch.night_figures import NightFigures
from batch.pace import business_date, from_utc_text, utc_text
from batch.permission import switches_in
from batch.run_figures import RunFigures, gather, keep
from batch.switching import Switches
from jobs.assembly import Workshop
from jobs.event_log import note_problem
from jobs.trace_log import write_trace
from schemas.errors import ExitCode, FileNotWritten, InternalError, LeaseLost, LedgerBusy, MitbatchError, ReportNotDrawn
from schemas.states import BatchStep

Work = Callable[[Equipment, Run, Findings], None]
Judge = Callable[[Findings, Standing], ExitCode]
Unless = Callable[[Connection], None]


def always(_connection: Connection) -> None:
    """Nothing speaks against a run."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Orders without a final answer although their expiry and the grace are over; `oldest` since the oldest expiry."""

    totals: dict[str, Total]
    oldest: timedelta


@dataclass(frozen=True, slots=True)
class RunReport:
    """How one run went: what is printed, what `--json` says, and the exit code; `metrics_problem` is mostly empty.

    Of `items` so many are new, and so many waited longer than they should: these alone change the exit code.
    """

    job: str
    business_date: str
    run_id: str
    started_at: datetime
    finished_at: datetime
    code: ExitCode
    findings: Findings
    figures: NightFigures
    items: tuple[Item, ...]
    new_items: int
    audit: AuditReport | None
    overdue: Overdue
    switches: Switches
    states: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    metrics_problem: str = ""
    overdue_items: int = 0


def run_job(workshop: Workshop, job: str, date: str, work: Work, judge: Judge = exit_code, unless: Unless = always) -> RunReport:
    """Take the lease, do the work, write finance's files, end the run. Raises AnotherRunActive when it is not our turn.

    `judge` gives the exit code; `unless` may refuse to begin, in the transaction that takes the lease.

    Whatever the work meets becomes a finding; a mistake of our own ends it with code 70 and a trace that nobody but the
    owner can read. The ledger is consistent at every moment, so every ending is safe.
    """
    equipment, surroundings = workshop.equipment, workshop.surroundings
    ledger, settings = equipment.ledger, equipment.settings
    terms = LeaseTerms(settings.lease.seconds, settings.lease.wait_seconds)
    started_at = equipment.clock.now()
    run = take_lease(
        ledger,
        run_id=surroundings.new_run_id(),
        job=job,
        business_date=date or business_date(started_at, settings.schedule.timezone),
        owner=surroundings.this_process(),
        terms=terms,
        is_alive=surroundings.is_alive,
        sleep=equipment.clock.sleep,
        unless=unless,
    )
    workshop.log.begin(run.run_id)
    where = {"business_date": run.business_date, "environment": settings.environment, "mid": ledger.mid[:8]}
    workshop.log.note("run_started", job=job, **where)
    findings = Findings(tell=equipment.progress.trouble)
    _do(workshop, run, findings, work)
    took_over = any(isinstance(problem, LeaseLost) for problem in findings.problems)
    try:
        reports = [] if took_over else _audit(workshop, run, findings)
        report = _end(workshop, run, findings, reports, started_at, judge)
        _note_end(workshop, report)
    except LedgerBusy as problem:
        raise _unclosed(problem, findings) from problem
    return replace(report, metrics_problem=_show_metrics(workshop, run))


def _show_metrics(workshop: Workshop, run: Run) -> str:
    """Write the metrics' file. The run is over: what goes wrong here is told, and changes nothing of how it ended."""
    from jobs.metrics.exposition import write_textfile

    equipment, disk = workshop.equipment, workshop.surroundings.disk
    try:
        write_textfile(disk, equipment.ledger, equipment.settings, equipment.clock.now(), writer=run.run_id[:12])
    except OSError as error:
        return f"the metrics' file could not be written ({error.strerror or error})"
    except LedgerBusy as problem:
        return f"the metrics' file could not be written: {problem.what}"
    return ""


def _note_end(workshop: Workshop, report: RunReport) -> None:
    for problem in report.findings.problems:
        note_problem(workshop.log, problem)
    seconds = (report.finished_at - report.started_at).total_seconds()
    level = "info" if report.code is ExitCode.CLEAN else "warning"
    workshop.log.note("run_ended", level=level, job=report.job, exit_code=int(report.code), seconds=seconds)


def _unclosed(problem: LedgerBusy, findings: Findings) -> LedgerBusy:
    """The ledger cannot be used at the end: everything that the run found, and the code that is right for all of it."""
    findings.add(problem)
    left = sorted({*findings.delivered, *findings.perhaps_sent})
    files = f"{', '.join(left)} may have left; the next run looks." if left else "Nothing was sent."
    others = " ".join(other.what for other in findings.problems if other is not problem)
    last = LedgerBusy(f"{others} {problem.what}".strip(), now=f"{problem.now} {files}", next_step=problem.next_step)
    last.exit_code = exit_code(findings, Standing(0, 0, 0))
    return last


def _do(workshop: Workshop, run: Run, findings: Findings, work: Work) -> None:
    try:
        work(workshop.equipment, run, findings)
    except MitbatchError as problem:
        findings.add(problem)
    except KeyboardInterrupt:
        raise
    except Exception as error:  # noqa: BLE001 - the night's last resort: it is reported, never dropped
        findings.add(_internal(workshop, run, error))


def _internal(workshop: Workshop, run: Run, error: Exception) -> InternalError:
    folder = workshop.equipment.settings.data_dir / "log"
    trace = None
    try:
        trace = write_trace(workshop.surroundings.disk, folder, run.run_id, error)
        where = f"the trace is in {trace}"
    except OSError as refusal:
        where = f"its trace could not be written ({refusal.strerror or refusal})"
    problem = InternalError(
        f"An internal error ({type(error).__name__}) ended run {run.run_id[:8]}; {where}.",
        now="The ledger is consistent.",
        next_step="Report it, then run the same command again.",
    )
    problem.trace = str(trace or "")
    return problem


def _undrawn(workshop: Workshop, run: Run, date: str, error: Exception) -> ReportNotDrawn:
    """Finance's sealed files are written; only the page about them is not."""
    folder = workshop.equipment.settings.data_dir / "log"
    try:
        where = f"the trace is in {write_trace(workshop.surroundings.disk, folder, run.run_id, error)}"
    except OSError as refusal:
        where = f"its trace could not be written ({refusal.strerror or refusal})"
    return ReportNotDrawn(f"The report of {date} could not be drawn ({type(error).__name__}); {where}.")


def _audit(workshop: Workshop, run: Run, findings: Findings) -> list[AuditReport]:
    """Finance's files of this date, and of dates whose own run was cut off before it could write them."""
    ledger = workshop.equipment.ledger

    def still_ours() -> None:
        with ledger.writing(run, last=True):
            pass

    try:
        with ledger.reading() as connection:
            cut_off = cut_off_dates(connection, ledger.mid, run.token)
        turn, anew = Turn(run.run_id, still_ours), run.job == "audit"  # who asks for the files has them made
        reports = workshop.bookkeeping.write_from(turn, run.business_date, *cut_off, anew=anew)
        for report in reports:
            if report.page_error is not None:
                findings.add(_undrawn(workshop, run, report.business_date, report.page_error))
        return reports
    except LeaseLost:
        return []  # the end of the run says so
    except OSError as error:
        findings.add(FileNotWritten(f"Finance's files could not be written ({error.strerror or error})."))
        return []


def _end(
    workshop: Workshop, run: Run, findings: Findings, reports: list[AuditReport], started_at: datetime, judge: Judge
) -> RunReport:
    equipment, ledger = workshop.equipment, workshop.equipment.ledger
    audit = next((report for report in reports if report.business_date == run.business_date), None)
    with ledger.reading() as connection:
        states = count_by_state(connection, ledger.mid)
        items = tuple(open_items(connection, ledger.mid))
        figures = audit.figures if audit is not None else night_figures(connection, ledger.mid, run.business_date)
        doubted = _doubted_files(connection, equipment) + len(unsettled_operations(connection, ledger.mid))
        late = _overdue(connection, equipment)
        switches = switches_in(connection, equipment)
        counts = gather(
            connection, ledger.mid, run, reports, workshop.calls + count_failed(connection, ledger.mid, findings.undelivered)
        )
    new = sum(item.opened_run == run.run_id for item in items)
    today = business_date(equipment.clock.now(), equipment.settings.schedule.timezone)
    overdue = sum(item.due_date < today for item in items)
    in_doubt = sum(orders for orders, _ in states.get("in_doubt", {}).values()) + doubted
    code = judge(findings, Standing(in_doubt, new, overdue))
    if audit is not None and not audit.balanced:
        findings.add(
            InternalError("The books do not balance; see summary.csv.", next_step="Report it; send no more until it is clear.")
        )
        code = gravest([code, ExitCode.INTERNAL])
    code = _close(ledger, run, findings, code, counts, left_books=audit is not None)
    return RunReport(
        job=run.job,
        business_date=run.business_date,
        run_id=run.run_id,
        started_at=started_at,
        finished_at=equipment.clock.now(),
        code=code,
        findings=findings,
        figures=figures,
        items=items,
        new_items=new,
        audit=audit,
        overdue=late,
        switches=switches,
        states=states,
        overdue_items=overdue,
    )


def _overdue(connection: Connection, equipment: Equipment) -> Overdue:
    now, grace = equipment.clock.now(), timedelta(seconds=equipment.settings.outcomes.expiry_grace_seconds)
    totals: dict[str, Total] = {}
    late = overdue_submissions(connection, equipment.ledger.mid, before=utc_text(now - grace))
    for submission in late:
        one = Total(1, submission.amount_minor)
        totals[submission.currency] = totals[submission.currency] + one if submission.currency in totals else one
    return Overdue(totals, now - from_utc_text(late[0].expires_at) if late else timedelta())


def _doubted_files(connection: Connection, equipment: Equipment) -> int:
    """Files that may or may not have been sent, and delivered files whose acknowledgement is overdue."""
    mid, now = equipment.ledger.mid, equipment.clock.now()
    window = timedelta(seconds=equipment.settings.outcomes.ingest_window_seconds)
    batches = unfinished_batches(connection, mid)
    delivered = [batch for batch in batches if batch.step is BatchStep.DELIVERED]
    late = [batch for batch in delivered if now - from_utc_text(batch.delivered_at) > window]
    return len(late) + sum(batch.step is BatchStep.IN_DOUBT for batch in batches)


def _close(ledger: Ledger, run: Run, findings: Findings, code: ExitCode, counts: RunFigures, *, left_books: bool) -> ExitCode:
    try:
        end_run(ledger, run, code, left_books=left_books, also=lambda writing: keep(writing, counts))
    except LeaseLost as problem:
        findings.add(problem)
        return gravest([code, problem.exit_code])
    return code
