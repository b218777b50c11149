"""The last weeks in figures, for the dashboard: counts by date, added up as they are asked for."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from batch.ledger.gauges import Row
from batch.pace import business_date
from jobs.metrics.samples import Seen
from jobs.serve.pictures import line_points
from schemas.money import people_text

NIGHTS = 30
FIGURES = tuple(
    f"mitbatch_{name}"
    for name in (
        "candidates skipped handed_over handed_over_minor_units rejected outcomes recovered_minor_units refunded_minor_units"
        " chargeback_minor_units api_requests"
    ).split()
)
"""What the page shows by date."""


View = dict[str, Any]
"""What a template is given."""


class RecentDays:
    """Counts by date, summed as they are asked for."""

    def __init__(self, figures: Iterable[tuple[str, str, str, int]], today: date) -> None:
        self.today = today
        self.dates = [(today - timedelta(days=back)).isoformat() for back in reversed(range(NIGHTS))]
        self._rows = [
            (day, name.removeprefix("mitbatch_"), tuple(json.loads(labels)), value) for day, name, labels, value in figures
        ]

    def latest(self) -> str:
        """The last date of which there is a candidate."""
        return max((day for day, name, _, _ in self._rows if name == "candidates"), default="")

    def per_currency(self, name: str, since: str, until: str = "9999") -> dict[str, int]:
        """Sums by the label `currency`, the second of those that are asked for here."""
        found: dict[str, int] = defaultdict(int)
        for day, of, labels, value in self._rows:
            if of == name and since <= day <= until:
                found[labels[1]] += value
        return dict(found)

    def on(self, name: str, day: str) -> int:
        """The sum of one date."""
        return sum(value for at, of, _, value in self._rows if of == name and at == day)

    def by_label(self, name: str, day: str, index: int) -> dict[str, int]:
        """The sums of one date by one label."""
        found: dict[str, int] = defaultdict(int)
        for at, of, labels, value in self._rows:
            if of == name and at == day:
                found[labels[index]] += value
        return dict(found)

    def sum_of(self, name: str, wanted: Callable[[tuple[str, ...]], bool] = lambda _: True) -> int:
        """The sum of the last seven dates."""
        since = self.dates[-7]
        return sum(value for at, of, labels, value in self._rows if of == name and at >= since and wanted(labels))

    def line(self, *names: str, signs: Sequence[int] = (1,), currency: str = "") -> str:
        """Thirty nights of one figure, or of several added up by their signs; of one currency, where they are money."""
        by_day: dict[str, int] = defaultdict(int)
        of_sign = dict(zip(names, signs, strict=True))
        for day, name, labels, value in self._rows:
            if name in of_sign and (not currency or labels[1] == currency):
                by_day[day] += of_sign[name] * value
        return line_points([by_day[day] for day in self.dates])


def minor_of_rows(rows: Iterable[Row]) -> dict[str, int]:
    """What groups of orders add up to, by currency."""
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row["currency"]] += int(row["minor"])
    return dict(found)


def amounts(per_currency: Mapping[str, int]) -> list[str]:
    """Sums by currency, for people."""
    return [people_text(minor, currency) for currency, minor in sorted(per_currency.items())]


def first_amount(per_currency: Mapping[str, int]) -> str:
    """The first of them, or nought."""
    return next(iter(amounts(per_currency)), "0")


def other_amounts(per_currency: Mapping[str, int]) -> list[str]:
    """The others."""
    return amounts(per_currency)[1:]


def today_of(seen: Seen) -> date:
    """The business date now."""
    return date.fromisoformat(business_date(seen.now, seen.settings.schedule.timezone))
