"""Everything that the report shows of one business date, as plain figures: a function of the ledger's history up to it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from batch.audit_manifest import FileFigures
from batch.audit_rows import Day, Row
from batch.book_entries import Decision, Heads
from batch.books import Standing
from batch.day_counts import DayCounts
from batch.report_lives import LivesTally
from batch.report_operation import Avoided, BrandTally, Called, Comparing, Differing, Leaving, Night, Waiting, WaitingTally
from batch.tally import Tally
from schemas.errors import ExitCode

MONTHS = 3
"""How far the report looks back: the month of the business date and the two before it, whole."""

_SLACK = timedelta(days=14)
_STRIP = timedelta(days=29)


def window_start(business_date: str) -> str:
    """The first date that the report looks at."""
    day = date.fromisoformat(business_date)
    months = day.year * 12 + day.month - MONTHS
    return date(months // 12, months % 12 + 1, 1).isoformat()


def claimed_from(start: str) -> str:
    """From when on claims are read, so that none is missed that was handed over from `start` on."""
    return (date.fromisoformat(start) - _SLACK).isoformat()


def strip_start(business_date: str) -> str:
    """The first of the 30 nights that are shown one by one."""
    return (date.fromisoformat(business_date) - _STRIP).isoformat()


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """What the page is drawn from. `items` are rows of `review.csv` open at the date's end; money is per currency throughout."""

    day: Day
    environment: str
    run_id: str
    heads: Heads
    tally: Tally
    lives: LivesTally
    waiting: Waiting
    brands: BrandTally
    items: Sequence[Row]
    avoided: Sequence[Avoided]
    leaving: Sequence[Leaving]
    nights: Sequence[Night]
    calls: Sequence[Called]
    comparisons: Sequence[Comparing]
    differing: Sequence[Differing]
    files: Sequence[FileFigures]

    @property
    def balanced(self) -> bool:
        """Whether every site's and currency's equation closes."""
        return all(balance.balanced for balance in self.tally.balances().values())

    @property
    def exit_code(self) -> ExitCode:
        """The code that the books of the date call for. What a run met besides, such as a server out of reach, is its own."""
        today = self.day.business_date
        if not self.balanced:
            return ExitCode.INTERNAL
        if self.waiting.in_doubt:
            return ExitCode.IN_DOUBT
        due = any(str(item["due_date"]) < today or str(item["opened_at"]) >= self.day.interval()[0] for item in self.items)
        return ExitCode.NEEDS_PERSON if due else ExitCode.CLEAN

    @property
    def currencies(self) -> list[str]:
        """Every currency that anything is shown of, the one with most orders first."""
        orders = dict.fromkeys((currency for currency, _ in self.lives.booked), 0)
        for currency, balance in self.tally.by_currency().items():
            orders[currency] = orders.get(currency, 0) + balance.opening.orders + balance.claimed.orders
        for (currency, _), fate in self.lives.cohorts.items():
            orders[currency] = orders.get(currency, 0) + fate.handed.orders
        return sorted(filter(None, orders), key=lambda currency: (-orders[currency], currency))


class DayTallies:
    """What is counted besides the day's own tally while its files are written: every standing and decision passes once."""

    def __init__(self, day: Day, grace_seconds: int, sites: Collection[str]) -> None:
        self.waiting = WaitingTally(day, grace_seconds)
        self.counts = DayCounts(day.business_date, sites)
        self.brands = BrandTally()
        self.items: list[Row] = []

    def count_decision(self, decision: Decision) -> None:
        """Count one candidate."""
        self.brands.count_decision(decision)
        self.counts.count_decision(decision)

    def count_standing(self, standing: Standing) -> None:
        """Count one claim."""
        self.waiting.count_standing(standing)
        self.counts.count_standing(standing)

    def count_item(self, row: Row) -> None:
        """Keep one thing that needs a person, unless it was closed on the day."""
        if not row["closed_at"]:
            self.items.append(row)
