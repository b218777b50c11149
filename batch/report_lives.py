"""What became of each order that was handed over: cohorts, answers and money, as of a business date. Nothing here does I/O."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from batch.book_entries import Event, Sum, Total
from batch.books import moved_money
from schemas.states import NEVER_AGAIN, OPEN, State

DIMENSIONS = ("group", "code", "site", "brand", "origin", "channel")
"""What orders are told apart by, when it is asked who does better."""

_SITE = DIMENSIONS.index("site")
_NOTHING = Total()


class Life(NamedTuple):
    """One order that was claimed: what never changes about it, and its changes of state, oldest first.

    `traits` are its values of DIMENSIONS; `moves` need not hold what happened before the provider had it.
    """

    currency: str
    amount_minor: int
    traits: tuple[str, ...]
    moves: tuple[Event, ...]


@dataclass(slots=True)
class Fate:
    """What became of a number of orders that were handed over; amounts are minor units of one currency."""

    _handed: Sum = field(default_factory=Sum)
    _open: Sum = field(default_factory=Sum)
    _ended: dict[str, Sum] = field(default_factory=dict)
    _recovered: dict[int, Sum] = field(default_factory=dict)

    @property
    def handed(self) -> Total:
        """All of them."""
        return self._handed.total()

    @property
    def is_open(self) -> Total:
        """Those without an end."""
        return self._open.total()

    @property
    def ended(self) -> dict[str, Total]:
        """Those that ended without money, by state."""
        return {state: one.total() for state, one in self._ended.items()}

    @property
    def is_final(self) -> bool:
        """Whether no order of it is open any more."""
        return self._open.orders == 0

    def recovered_by(self, days: int | None = None) -> Total:
        """What was recovered within so many days after hand-over; without a number, by the end of the date."""
        return sum((one.total() for day, one in self._recovered.items() if days is None or day <= days), _NOTHING)

    def add(self, amount_minor: int, state: str, recovered_minor: int, days: int | None) -> None:
        """Count one order that ended, or did not, so many days after its hand-over."""
        self._handed.add(amount_minor)
        if days is None or state in OPEN:
            self._open.add(amount_minor)
        elif state in NEVER_AGAIN:
            if days not in self._recovered:
                self._recovered[days] = Sum()
            self._recovered[days].add(recovered_minor)
        else:
            self._ended.setdefault(state, Sum()).add(amount_minor)

    def take_in(self, other: "Fate") -> None:
        """Count another one's orders too; of the same currency."""
        pairs = [(self._handed, other._handed), (self._open, other._open)]
        pairs += [(self._ended.setdefault(state, Sum()), one) for state, one in other._ended.items()]
        pairs += [(self._recovered.setdefault(day, Sum()), one) for day, one in other._recovered.items()]
        for mine, theirs in pairs:
            mine.orders += theirs.orders
            mine.amount_minor += theirs.amount_minor


@dataclass(slots=True)
class Money:
    """Signed money, in minor units of one currency: in is positive, out is negative."""

    recovered: int = 0
    refunded: int = 0
    chargeback: int = 0

    @property
    def net(self) -> int:
        """What stayed."""
        return self.recovered + self.refunded + self.chargeback

    def add(self, recovered: int, refunded: int, chargeback: int) -> None:
        """Add what moved."""
        self.recovered += recovered
        self.refunded += refunded
        self.chargeback += chargeback


@dataclass(slots=True)
class Waits:
    """How many orders were still watched, recovered or otherwise ended, by days since hand-over."""

    recovered: dict[int, int] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)
    watched: dict[int, int] = field(default_factory=dict)


class LivesTally:
    """Counts orders' lives from `start` to `business_date`. Memory grows with dates and kinds, never with orders."""

    def __init__(self, business_date: str, start: str) -> None:
        self.business_date, self.start = business_date, start
        self.cohorts = defaultdict[tuple[str, str], Fate](Fate)
        """By currency and date of hand-over."""
        self.kinds = defaultdict[tuple[str, str, str, str], Fate](Fate)
        """By currency, dimension, value, and date of hand-over."""
        self.booked = defaultdict[tuple[str, str], Money](Money)
        """By currency and the date on which it was booked."""
        self.booked_by_site = defaultdict[tuple[str, str, str], Money](Money)
        """By currency, site and the date on which it was booked."""
        self.kept = defaultdict[tuple[str, str], Money](Money)
        """By currency and month of hand-over: whether what was recovered stayed."""
        self.waits = defaultdict[str, Waits](Waits)
        self._today = date.fromisoformat(business_date)

    def count(self, life: Life) -> None:
        """Count one order, by what is booked up to the date."""
        moves = [move for move in life.moves if move.business_date <= self.business_date]
        handed_over = next((move.business_date for move in moves if move.to_state == State.PENDING), "")
        recovered_minor, recovered_date = 0, ""
        month = handed_over[:7] or "unknown"
        for moved in moved_money(life.amount_minor, moves):
            change = (moved.recovered, moved.refunded, moved.chargeback)
            recovered_minor += moved.recovered
            if moved.recovered > 0:
                recovered_date = moved.move.business_date
            if any(change):
                if moved.move.business_date >= self.start:
                    booked, site = moved.move.business_date, life.traits[_SITE]
                    self.booked[life.currency, booked].add(*change)
                    self.booked_by_site[life.currency, site, booked].add(*change)
                self.kept[life.currency, month].add(*change)
        if handed_over >= self.start:
            end = recovered_date if moves[-1].to_state in NEVER_AGAIN else moves[-1].business_date
            self._count_cohort(life, handed_over, moves[-1].to_state, recovered_minor, end or handed_over)

    def _count_cohort(self, life: Life, handed_over: str, state: str, recovered_minor: int, end: str) -> None:
        began = date.fromisoformat(handed_over)
        days = None if state in OPEN else max(0, (date.fromisoformat(end) - began).days)
        facts = (life.amount_minor, state, recovered_minor, days)
        self.cohorts[life.currency, handed_over].add(*facts)
        for dimension, value in zip(DIMENSIONS, life.traits, strict=True):
            self.kinds[life.currency, dimension, value, handed_over].add(*facts)
        waits = self.waits[life.currency]
        if days is None:
            counted, at = waits.watched, (self._today - began).days
        else:
            counted, at = (waits.recovered if state in NEVER_AGAIN else waits.ended), days
        counted[at] = counted.get(at, 0) + 1


def together(fates: Iterable[Fate]) -> Fate:
    """Several cohorts of one currency as one."""
    whole = Fate()
    for fate in fates:
        whole.take_in(fate)
    return whole
