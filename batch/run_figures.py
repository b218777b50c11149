"""What a run leaves counted at its end: gathered from the ledger while nothing waits for it, kept as the run is closed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from batch.bookkeeping import AuditReport
from batch.day_counts import Figures, labelled
from batch.ledger import Run, Writing
from batch.ledger.figures import add_figures, raise_figures, set_figures
from batch.ledger.file_figures import count_conflicts, count_copies, count_files, count_read_files, dates_of_copies

EVER = "0000-00-00"
"""The date under which is kept what belongs to none."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Counts by business date, how things stand, and what this run alone has seen: `made` is added, the rest is idempotent."""

    by_date: Mapping[str, Figures] = field(default_factory=dict)
    standing: Figures = field(default_factory=Counter)
    made: Figures = field(default_factory=Counter)


def gather(connection: Connection, mid: str, run: Run, reports: Sequence[AuditReport], made: Figures) -> RunFigures:
    """Count every date whose files this run has written, and the copies that were answered on its date.

    A run that could write no files of a date counts nothing of it: the next run does, as it writes the files.
    """
    by_date: dict[str, Figures] = {}
    for report in reports:
        date = report.business_date
        by_date[date] = report.counts + count_files(connection, mid, date) + count_conflicts(connection, mid, date)
        for of_copies in dates_of_copies(connection, mid, date):
            by_date[of_copies] = by_date.get(of_copies, Counter()) | count_copies(connection, mid, of_copies)
    by_date[EVER] = count_read_files(connection, mid)
    latest = next((report for report in reports if report.business_date == run.business_date), None)
    balances = {} if latest is None else latest.balances
    standing: Figures = Counter(
        {("mitbatch_balance_ok", labelled(name)): int(found.balanced) for name, found in balances.items()}
    )
    return RunFigures(by_date, standing, made)


def keep(writing: Writing, figures: RunFigures) -> None:
    """Write the counts down, in the transaction that closes the run: once, or not at all."""
    for date, counted in figures.by_date.items():
        raise_figures(writing.connection, writing.mid, date, counted)
    add_figures(writing.connection, writing.mid, writing.run.business_date, figures.made)
    set_figures(writing.connection, writing.mid, figures.standing)
