"""What finance gets: a day's history is read, folded, and written as files that balance and never change again."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from batch.audit import MANIFEST, AuditFolder, DayFolder
from batch.audit_csv import Marks
from batch.audit_manifest import FileFigures, manifest_bytes, readme_bytes
from batch.audit_rows import Day, decline_row, hold_row, outcome_rows, refund_row, submission_row, summary_row, transmission_row
from batch.book_entries import Heads
from batch.books import Balance, stand
from batch.comparison_rows import reconciliation_row
from batch.day_counts import DayCounts, Figures
from batch.drawn_pages import DrawnPages, page_inputs
from batch.ledger_history import HistoryReader, LedgerHistory
from batch.night_figures import NightFigures, figures_of
from batch.read_again import read_again, read_operation
from batch.report_figures import DayTallies, ReportFigures, claimed_from, window_start
from batch.report_lives import LivesTally
from batch.review_rows import review_row
from batch.seen_rows import SeenRows
from batch.tally import Tally
from batch.written_dates import WrittenDates, WrittenNote
from schemas.audit_columns import ROW_FILES, SUMMARY_COLUMNS
from schemas.settings import Settings

REPORT = "report.html"
"""The page beside a date's files. The manifest does not seal it: it is drawn from what is sealed, and may be drawn again."""

Page = Callable[[ReportFigures], bytes]
"""How the report is drawn: the same figures give the same bytes."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """One business date's files: where they are, the rows of each CSV file, and whether the books balance.

    `head` is the digest over the heads of all event chains; `balances` is per currency, all sites together, and
    `balanced` is true when every site's and currency's equation closes. `figures` are what `night_figures` would count again,
    `counts` what metrics are made from.
    `page` is the report, None where there is none; `page_error` is why it could not be drawn.
    """

    business_date: str
    folder: Path
    files: Mapping[str, int]
    head: str
    balances: Mapping[str, Balance]
    balanced: bool
    figures: NightFigures
    counts: Figures
    page: Path | None = None
    page_error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is to write finance's files: the run's id, and `still_ours`, which raises LeaseLost once it is another's."""

    run_id: str
    still_ours: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The report as one date has it: its bytes if it was drawn, and from what; the SHA-256 also where it stays as it is."""

    content: bytes = b""
    inputs: str = ""
    sha256: str = ""
    error: Exception | None = None

    @property
    def is_there(self) -> bool:
        """Whether the date has a page that shows what its files do."""
        return bool(self.sha256)


class Bookkeeping:
    """Writes finance's files for any business date, from the ledger alone: the same ledger gives the same bytes.

    With a `page` the report is drawn too, unless `drawn` knows that it would come out as it is; and with `written` nothing is
    made of a date whose files are known to be as they would be.
    """

    def __init__(
        self,
        *,
        history: LedgerHistory,
        folder: AuditFolder,
        settings: Settings,
        page: Page | None = None,
        drawn: DrawnPages | None = None,
        written: WrittenDates | None = None,
    ) -> None:
        self._history = history
        self._folder = folder
        self._mid = settings.provider.mid
        self._timezone = ZoneInfo(settings.schedule.timezone)
        self._keeps_holds = settings.writeback.on_not_recovered == "keep"
        self._sites = [site.name for site in settings.sites]
        self._marks = Marks(delimiter=settings.audit.delimiter, decimal=settings.audit.decimal)
        self._environment = settings.environment
        self._grace_seconds = settings.outcomes.expiry_grace_seconds
        self._page = page
        self._drawn = drawn
        self._written = written

    def write(self, business_date: str, turn: Turn, *, anew: bool = False) -> AuditReport:
        """Write one business date's files: whole and renamed; a file whose bytes would not change is left alone.

        Raises LeaseLost, and changes no file of finance's, when another run took over. Unless `anew`, nothing is made of a
        date whose note tells that all would come out as it lies there.
        """
        day = Day(business_date, self._mid, self._timezone, self._keeps_holds)
        with self._folder.day(business_date, self._marks, turn.run_id[:12]) as folder:
            if self._written is None:
                return self._make(folder, day, turn, None)
            note = self._written.note_of(business_date)
            if not anew and note is not None and folder.lies_as(note.files) and self._is_unchanged(day, note):
                return _as_noted(day, folder, note)
            return self._make(folder, day, turn, SeenRows())

    def _is_unchanged(self, day: Day, note: WrittenNote) -> bool:
        """Whether everything that a making of the files would read is what it was when they were made."""
        seen = SeenRows()
        with self._history.reading(seen) as reader:
            frame = self._frame(day, self._folder.previous_manifest(day.business_date))
            reads = read_again(reader, day, frame, draws=self._page is not None)
            return all(seen.parts().items() <= note.parts.items() for _ in reads) and seen.parts() == note.parts

    def _frame(self, day: Day, previous: str) -> tuple[object, ...]:
        """What shapes the files besides the ledger: program and settings, and the manifest that theirs hangs on."""
        program = self._written.program if self._written is not None else ""
        shown = (self._environment, self._grace_seconds, tuple(self._sites), self._page is not None)
        return (program, day, day.interval(), self._marks, self._folder.part_rows, previous, *shown)

    def _make(self, folder: DayFolder, day: Day, turn: Turn, seen: SeenRows | None) -> AuditReport:
        business_date = day.business_date
        tally, tallies = Tally(business_date), DayTallies(day, self._grace_seconds, self._sites)
        with self._history.reading(seen) as reader:
            previous = self._folder.previous_manifest(business_date)
            reader.note("frame", self._frame(day, previous))
            _write_declines(folder, reader, day, tally, tallies)
            _write_claims(folder, reader, day, tally, tallies)
            _write_transmissions(folder, reader, day, tallies.counts)
            _write_refunds(folder, reader, day)
            _write_review(folder, reader, day, tallies)
            _write_reconciliation(folder, reader, day, tally)
            heads = reader.heads(business_date)
            _write_summary(folder, day, tally)
            tables = folder.tables()
            readme = folder.text("README.txt", readme_bytes(day, self._marks, self._folder.part_rows))
            made = manifest_bytes(day, [*tables, readme], heads, previous, marks=self._marks, part_rows=self._folder.part_rows)
            manifest = folder.text(MANIFEST, made)
            sheet = self._draw(reader, day, tally, tallies, heads, tables, made)
        if sheet.content:
            folder.text(REPORT, sheet.content)
        folder.publish(turn.still_ours)
        if self._drawn is not None and sheet.content:
            self._drawn.note(business_date, sheet.inputs, sheet.content)
        report = AuditReport(
            business_date=business_date,
            folder=folder.path,
            files={table.name: table.rows for table in tables},
            head=heads.digest,
            balances=tally.by_currency(),
            balanced=all(balance.balanced for balance in tally.balances().values()),
            figures=figures_of(tally),
            counts=tallies.counts.figures,
            page=folder.path / REPORT if sheet.is_there else None,
            page_error=sheet.error,
        )
        if self._written is not None and seen is not None and sheet.error is None:
            files = {file.name: file.sha256 for file in (*tables, readme, manifest)}
            files |= {REPORT: sheet.sha256} if sheet.is_there else {}
            self._written.note(business_date, _noted(report, seen, files))
        return report

    def _draw(
        self,
        reader: HistoryReader,
        day: Day,
        tally: Tally,
        tallies: DayTallies,
        heads: Heads,
        files: Sequence[FileFigures],
        manifest: bytes,
    ) -> _Sheet:
        """The report. A mistake in it must not keep finance's files from being written: it comes back, and is reported."""
        if self._page is None:
            return _Sheet()
        try:
            figures, inputs = self._figures(reader, day, tally, tallies, heads, files), ""
            if self._drawn is not None:
                chooser = reader.report().last_chooser(day.business_date)
                inputs = page_inputs(figures, manifest, chooser, self._drawn.program)
                if sha256 := self._drawn.current(day.business_date, inputs, self._folder.root / day.business_date / REPORT):
                    return _Sheet(sha256=sha256)
            content = self._page(_with_lives(reader, figures))
            return _Sheet(content, inputs, hashlib.sha256(content).hexdigest())
        except Exception as error:  # noqa: BLE001 - whatever it is, the files that are sealed come first
            return _Sheet(error=error)

    def _figures(
        self, reader: HistoryReader, day: Day, tally: Tally, tallies: DayTallies, heads: Heads, files: Sequence[FileFigures]
    ) -> ReportFigures:
        """All that is read in any case; what is long to read, orders' lives and attempts avoided, is still empty."""
        today = day.business_date
        operation = read_operation(reader, today)
        return ReportFigures(
            day=day,
            environment=self._environment,
            run_id=operation.run_id,
            heads=heads,
            tally=tally,
            lives=LivesTally(today, window_start(today)),
            waiting=tallies.waiting.found,
            brands=tallies.brands,
            items=tallies.items,
            avoided=(),
            leaving=operation.leaving,
            nights=operation.nights,
            calls=operation.calls,
            comparisons=operation.comparisons,
            differing=operation.differing,
            files=files,
        )

    def write_from(self, turn: Turn, *business_dates: str, anew: bool = False) -> list[AuditReport]:
        """Write these dates, and every later one that has files already: their opening and their manifests hang on them."""
        later = [date for date in self._folder.dates() if date > min(business_dates)]
        return [self.write(date, turn, anew=anew) for date in sorted({*business_dates, *later})]


def _noted(report: AuditReport, seen: SeenRows, files: dict[str, str]) -> WrittenNote:
    return WrittenNote(
        parts=seen.parts(),
        files=files,
        rows=dict(report.files),
        head=report.head,
        balances=dict(report.balances),
        balanced=report.balanced,
        figures=report.figures,
        counts=[(name, labels, value) for (name, labels), value in report.counts.items()],
    )


def _as_noted(day: Day, folder: DayFolder, note: WrittenNote) -> AuditReport:
    return AuditReport(
        business_date=day.business_date,
        folder=folder.path,
        files=note.rows,
        head=note.head,
        balances=note.balances,
        balanced=note.balanced,
        figures=note.figures,
        counts=Counter({(name, labels): value for name, labels, value in note.counts}),
        page=folder.path / REPORT if REPORT in note.files else None,
    )


def _with_lives(reader: HistoryReader, figures: ReportFigures) -> ReportFigures:
    """The figures of a page that is drawn: with orders' lives, and the attempts that a network's rule held back."""
    more, lives = reader.report(), figures.lives
    for life in more.lives(lives.business_date, lives.start, claimed_from(lives.start)):
        lives.count(life)
    figures.brands.count_handed_over(lives)
    return replace(figures, avoided=more.avoided(lives.business_date, lives.start))


def night_figures(connection: Connection, mid: str, business_date: str) -> NightFigures:
    """The closing figures of a business date, for the terminal. Reads only; memory does not grow with the night."""
    reader, tally = HistoryReader(connection, mid), Tally(business_date)
    for decision in reader.decisions(business_date):
        tally.count_decision(decision)
    for attempt in reader.attempts(business_date):
        if standing := stand(attempt, business_date):
            tally.count_standing(standing)
    return figures_of(tally)


def _write_declines(folder: DayFolder, reader: HistoryReader, day: Day, tally: Tally, tallies: DayTallies) -> None:
    declines = folder.table("declines", ROW_FILES["declines"])
    for decision in reader.decisions(day.business_date):
        declines.add(decline_row(day, decision))
        tally.count_decision(decision)
        tallies.count_decision(decision)


def _write_claims(folder: DayFolder, reader: HistoryReader, day: Day, tally: Tally, tallies: DayTallies) -> None:
    submissions, outcomes, holds = (folder.table(name, ROW_FILES[name]) for name in ("submissions", "outcomes", "holds"))
    for attempt in reader.attempts(day.business_date):
        standing = stand(attempt, day.business_date)
        if standing is None:
            continue
        if standing.claim.business_date == day.business_date:
            submissions.add(submission_row(day, standing))
        for row in outcome_rows(day, standing):
            outcomes.add(row)
        if standing.in_books:
            holds.add(hold_row(day, standing))
        tally.count_standing(standing)
        tallies.count_standing(standing)


def _write_transmissions(folder: DayFolder, reader: HistoryReader, day: Day, counts: DayCounts) -> None:
    transmissions = folder.table("transmissions", ROW_FILES["transmissions"])
    for copy in reader.transmissions(day.business_date):
        transmissions.add(transmission_row(day, copy))
        counts.count_transmission(copy)


def _write_refunds(folder: DayFolder, reader: HistoryReader, day: Day) -> None:
    refunds = folder.table("refunds", ROW_FILES["refunds"])
    for refund in reader.refunds(day.business_date):
        refunds.add(refund_row(day, refund))


def _write_review(folder: DayFolder, reader: HistoryReader, day: Day, tallies: DayTallies) -> None:
    review = folder.table("review", ROW_FILES["review"])
    for matter in reader.matters(day.business_date, day.interval()[0]):
        row = review_row(day, matter)
        review.add(row)
        tallies.count_item(row)


def _write_reconciliation(folder: DayFolder, reader: HistoryReader, day: Day, tally: Tally) -> None:
    reconciliation = folder.table("reconciliation", ROW_FILES["reconciliation"])
    for compared in reader.compared(day.business_date):
        reconciliation.add(reconciliation_row(day, compared))
        tally.count_compared(compared)


def _write_summary(folder: DayFolder, day: Day, tally: Tally) -> None:
    summary = folder.table("summary", SUMMARY_COLUMNS)
    for site, currency, line, total in tally.lines():
        summary.add(summary_row(day, site, currency, line, total))
