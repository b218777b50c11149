"""The statistics of the report: intervals, curves and quantiles. Each is a function of counts alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, sqrt

from batch.report_lives import Fate, LivesTally, Waits, together

FEW = 30
"""Fewer orders than this say little; they are shown in grey."""

_Z = 1.959963984540054


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score interval); nothing is known of no orders: 0 to 1."""
    if n == 0:
        return 0.0, 1.0
    share, square = successes / n, _Z * _Z
    middle = share + square / (2 * n)
    half = _Z * sqrt(share * (1 - share) / n + square / (4 * n * n))
    whole = 1 + square / n
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


@dataclass(frozen=True, slots=True)
class Rate:
    """How one kind of order did: by count with its interval, and by amount. `is_final` as its cohorts."""

    value: str
    fate: Fate
    low: float
    high: float

    @property
    def count_rate(self) -> float:
        """Recovered orders over orders handed over."""
        return self.fate.recovered_by().orders / self.fate.handed.orders if self.fate.handed.orders else 0.0

    @property
    def amount_rate(self) -> float:
        """Recovered amount over amount handed over."""
        handed = self.fate.handed.amount_minor
        return self.fate.recovered_by().amount_minor / handed if handed else 0.0

    @property
    def is_few(self) -> bool:
        """Whether there are too few orders to say much."""
        return self.fate.handed.orders < FEW


def rate_of(value: str, fate: Fate) -> Rate:
    """A rate with its interval."""
    return Rate(value, fate, *wilson(fate.recovered_by().orders, fate.handed.orders))


def settled_dates(lives: LivesTally, currency: str) -> frozenset[str]:
    """The cohorts of a currency that are final."""
    return frozenset(day for (of, day), fate in lives.cohorts.items() if of == currency and fate.is_final)


def rates_by(lives: LivesTally, currency: str, dimension: str) -> tuple[list[Rate], bool]:
    """The rates of one dimension, largest amount first, and whether they are final.

    They are over final cohorts alone, so that young ones do not spoil them; where none is final yet, over all.
    """
    settled = settled_dates(lives, currency)
    found: dict[str, list[Fate]] = {}
    for (of, kind, value, day), fate in lives.kinds.items():
        if (of, kind) == (currency, dimension) and (day in settled or not settled):
            found.setdefault(value, []).append(fate)
    rates = [rate_of(value, together(fates)) for value, fates in found.items()]
    return sorted(rates, key=lambda rate: (-rate.fate.handed.amount_minor, rate.value)), bool(settled)


def recovered_share(waits: Waits, most_days: int) -> list[float]:
    """The share of orders recovered by each day since hand-over, 0 to `most_days`, as if all had been watched to the end.

    The Aalen-Johansen estimate: an order counts in each day as long as it is watched, so open ones neither flatter nor
    spoil it; other ends compete with recovery. It ends with the last day on which an order that is open was watched:
    of what comes after it, nothing is known.
    """
    everyone = sum(sum(counts.values()) for counts in (waits.recovered, waits.ended, waits.watched))
    at_risk, still_open, share = everyone, 1.0, 0.0
    curve: list[float] = []
    for day in range(most_days + 1):
        if everyone and not at_risk and still_open:
            break
        recovered, ended = waits.recovered.get(day, 0), waits.ended.get(day, 0)
        if at_risk:
            share += still_open * recovered / at_risk
            still_open *= 1 - (recovered + ended) / at_risk
        curve.append(share)
        at_risk -= recovered + ended + waits.watched.get(day, 0)
    return curve


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """The smallest number of days within which this share of recovered orders had been recovered; None where none was."""
    wanted, seen = max(1, ceil(share * sum(counts.values()))), 0
    for day in sorted(counts):
        seen += counts[day]
        if seen >= wanted:
            return day
    return None


def median(values: Iterable[float]) -> float | None:
    """The middle of some numbers, the mean of both middles where there are two; None of none."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def cohort_curve(fate: Fate, age: int) -> list[float]:
    """The cumulative share of a cohort's amount recovered by each day since hand-over, up to its age."""
    handed = fate.handed.amount_minor
    return [fate.recovered_by(day).amount_minor / handed if handed else 0.0 for day in range(age + 1)]
