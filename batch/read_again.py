"""Reading what a date's files are made from, and making nothing of it: what is cheap to read, and changes first, comes first.

A part that the files are made from and that is not read here again is a part of the note that nobody sees again, and then the
files are made: what is forgotten here costs time, and never leaves a file as it should not be.

Two things on the page are not read, because they cost as much as the drawing: orders' lives, and attempts that a network's
rule held back. As `batch.drawn_pages` says, the chains' heads and the verdicts stand for them: those of the date are read
whole, and of earlier ones the last run is named that may have written any.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from batch.audit_rows import Day
from batch.ledger_history import HistoryReader
from batch.report_figures import strip_start
from batch.report_operation import Called, Comparing, Differing, Leaving, Night


@dataclass(frozen=True, slots=True)
class Operation:
    """What the page shows of how the program ran, and the last run that may have judged candidates of an earlier date."""

    run_id: str
    leaving: list[Leaving]
    nights: list[Night]
    calls: list[Called]
    comparisons: list[Comparing]
    differing: list[Differing]
    earlier_chooser: str


def read_operation(reader: HistoryReader, business_date: str) -> Operation:
    """Read it, and show it to who sees what is read."""
    more, start = reader.report(), strip_start(business_date)
    comparisons, differing = more.comparisons(business_date, start)
    found = Operation(
        run_id=more.run_of(business_date),
        leaving=more.leaving(business_date),
        nights=more.nights(business_date, start),
        calls=more.calls(business_date, start),
        comparisons=comparisons,
        differing=differing,
        earlier_chooser=more.last_chooser((date.fromisoformat(business_date) - timedelta(days=1)).isoformat()),
    )
    reader.note("operation", found)
    return found


def read_again(reader: HistoryReader, day: Day, frame: tuple[object, ...], *, draws: bool) -> Iterator[None]:
    """Read part after part; whoever sees what is read may stop after each. `draws`: a page is drawn beside the files."""
    today = day.business_date
    reader.note("frame", frame)
    yield
    reader.heads(today)
    yield
    if draws:
        read_operation(reader, today)
        yield
    for each in (reader.matters(today, day.interval()[0]), reader.compared(today), reader.refunds(today)):
        _read(each)
        yield
    _read(reader.transmissions(today))
    yield
    reader.read_decisions(today)
    yield
    reader.read_claims(today)
    yield


def _read(entries: Iterable[object]) -> None:
    deque(entries, maxlen=0)
