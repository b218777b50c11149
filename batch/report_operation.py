"""How the machine and its surroundings did: files, nights, what waits and for how long. Nothing here does I/O."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from batch.audit_rows import Day
from batch.book_entries import Decision, Total
from batch.books import Standing
from batch.pace import from_utc_text, utc_text
from batch.report_lives import DIMENSIONS, LivesTally
from schemas.network_rules import brand_name
from schemas.states import OPEN, State

AGES = ("0-1 d", "2-3 d", "4-7 d", "8-14 d", "15-21 d", "over 21 d", "overdue")
"""Groups of days since an order was handed over, or claimed where it was not yet."""

DUES = ("overdue", "0-1 d", "2-3 d", "4-7 d", "8-14 d", "15-21 d", "over 21 d")
"""Groups of days to an order's expiry."""

_BOUNDS = ((1, "0-1 d"), (3, "2-3 d"), (7, "4-7 d"), (14, "8-14 d"), (21, "15-21 d"))
_AT_PROVIDER = (State.PENDING, State.CAPTURE_REQUIRED)
_NOTHING = Total()


@dataclass(frozen=True, slots=True, order=True)
class Avoided:
    """Orders of one currency that one rule held back for the first time on one date."""

    date: str
    rule_id: str
    reason: str
    currency: str
    orders: int
    amount_minor: int


@dataclass(frozen=True, slots=True, order=True)
class Leaving:
    """One file, or group of calls, and how far it had got: times are UTC, empty for what had not happened.

    `size` is what was written to the server last, in bytes: None for calls, and for files of a version that did not note it.
    """

    name: str
    kind: str
    rows: int
    claimed_at: str
    delivered_at: str
    answered_at: str
    step: str
    size: int | None = None

    @property
    def delivery_seconds(self) -> int | None:
        """From its claim to its delivery."""
        return seconds_between(self.claimed_at, self.delivered_at)

    @property
    def answer_seconds(self) -> int | None:
        """From its delivery to the provider's answer."""
        return seconds_between(self.delivered_at, self.answered_at)


@dataclass(frozen=True, slots=True)
class Night:
    """The last nightly run of a business date; without a code it was cut off."""

    business_date: str
    exit_code: int | None
    started_at: str
    finished_at: str

    @property
    def seconds(self) -> int | None:
        """How long it took."""
        return seconds_between(self.started_at, self.finished_at)


@dataclass(frozen=True, slots=True, order=True)
class Called:
    """Calls of the provider's API on one date, by what was asked and what came back: a class of HTTP status, or `timeout`."""

    date: str
    operation: str
    answer: str
    calls: int

    @property
    def failed(self) -> bool:
        """Whether the provider did not do what it was asked."""
        return self.answer not in ("2xx", "3xx")


@dataclass(frozen=True, slots=True)
class Comparing:
    """The last comparison of a date: how many orders it looked at, how many of them differ; `is_whole` as the provider's list."""

    business_date: str
    compared_at: str
    is_whole: bool
    is_settled: bool
    orders: int
    differing: int


@dataclass(frozen=True, slots=True, order=True)
class Differing:
    """Orders of one currency that differ in one way since one date, and what the other books have more in minor units."""

    match: str
    currency: str
    first_seen_date: str
    orders: int
    amount_minor: int
    difference_minor: int


def seconds_between(first: str, last: str) -> int | None:
    """Whole seconds from one UTC time to another; None where either is missing."""
    return int((from_utc_text(last) - from_utc_text(first)).total_seconds()) if first and last else None


@dataclass(slots=True)
class Waiting:
    """Orders that are open at the end of a date: by currency, group of days and state."""

    ages: dict[tuple[str, str, str], Total] = field(default_factory=dict)
    dues: dict[tuple[str, str, str], Total] = field(default_factory=dict)
    overdue: dict[str, Total] = field(default_factory=dict)
    in_doubt: dict[str, Total] = field(default_factory=dict)


class WaitingTally:
    """Counts what is open. Overdue is an order that the provider has, and whose expiry and grace are over."""

    def __init__(self, day: Day, grace_seconds: int) -> None:
        self.found = Waiting()
        self._today = date.fromisoformat(day.business_date)
        self._end = day.interval()[1]
        self._latest = utc_text(from_utc_text(self._end) - timedelta(seconds=grace_seconds))

    def count_standing(self, standing: Standing) -> None:
        """Count one claim, if it is open."""
        if standing.closing not in OPEN:
            return
        currency, state, total = standing.attempt.currency, str(standing.closing), standing.total
        is_late = state in _AT_PROVIDER and standing.attempt.expires_at < self._latest
        since = (standing.handed_over or standing.claim).business_date
        age = "overdue" if is_late else _group((self._today - date.fromisoformat(since)).days)
        due = "overdue" if is_late else _group(self._days_to(from_utc_text(standing.attempt.expires_at)))
        _add(self.found.ages, (currency, age, state), total)
        _add(self.found.dues, (currency, due, state), total)
        if is_late:
            self.found.overdue[currency] = self.found.overdue.get(currency, _NOTHING) + total
        if state == State.IN_DOUBT:
            self.found.in_doubt[currency] = self.found.in_doubt.get(currency, _NOTHING) + total

    def _days_to(self, expiry: datetime) -> int:
        return max(0, (expiry - from_utc_text(self._end)).days)


def _group(days: int) -> str:
    return next((name for bound, name in _BOUNDS if days <= bound), "over 21 d")


def _add(sums: dict[tuple[str, str, str], Total], key: tuple[str, str, str], total: Total) -> None:
    sums[key] = sums.get(key, _NOTHING) + total


@dataclass(slots=True)
class BrandCount:
    """Attempts on one brand's cards: candidates of the date, what the merchant had tried, and what we handed over."""

    candidates: int = 0
    merchant_attempts: int = 0
    most_attempts: int = 0
    at_limit: int = 0
    handed_over_30d: int = 0


@dataclass(slots=True)
class BrandTally:
    """The counter over the merchant's attempts and ours, by brand."""

    found: dict[str, BrandCount] = field(default_factory=dict)

    def count_decision(self, decision: Decision) -> None:
        """Count one candidate with the attempts of 30 days that its row shows."""
        count = self.found.setdefault(_brand(str(decision.cells.get("card_brand") or "")), BrandCount())
        shown = str(decision.cells.get("attempts_30d") or "")
        attempts = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else 0
        count.candidates += 1
        count.merchant_attempts += attempts
        count.most_attempts = max(count.most_attempts, attempts)
        count.at_limit += decision.reason == "network_limit"

    def count_handed_over(self, lives: LivesTally) -> None:
        """Add what was handed over in the 30 days that end with the date: at least one attempt each."""
        first = (date.fromisoformat(lives.business_date) - timedelta(days=29)).isoformat()
        place = DIMENSIONS.index("brand")
        for (_, dimension, value, day), fate in lives.kinds.items():
            if dimension == DIMENSIONS[place] and day >= first:
                self.found.setdefault(value, BrandCount()).handed_over_30d += fate.handed.orders


def _brand(name: str) -> str:
    return brand_name(name) or "unknown"
