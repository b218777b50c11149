"""Sections 9 and 10: which orders are recovered more often than others."""

from batch.report_figures import ReportFigures
from jobs.report import definitions as means
from jobs.report.parts import Figures, Names, Part, Section, percent, plain, short_total
from jobs.report.pictures import bars, dots
from jobs.report.rates import FEW, Rate, rates_by

MOST_COHORTS, MOST_DAYS, MOST_KINDS = 42, 28, 15
_KINDS = {"site": "By site", "brand": "By card brand", "origin": "By origin", "channel": "By channel"}


def declines(figures: ReportFigures, names: Names) -> Section:
    """9: which declines are worth handing over?"""
    parts = []
    for currency in figures.currencies:
        for dimension, heading in (("group", "by decline group"), ("code", "by decline code")):
            rates, is_final = rates_by(figures.lives, currency, dimension)
            if not rates:
                continue
            label = "final" if is_final else "provisional"
            parts.append(_rates_part(names, f"{currency} {heading}", rates[:MOST_KINDS], rates, currency, label))
            shown = [(r.value, r.fate.handed.amount_minor, short_total(r.fate.handed, currency)) for r in rates[:MOST_KINDS]]
            said = "; ".join(f"{name} {words}" for name, _, words in shown)
            drawn = bars(names, f"Amount handed over, {currency} {heading}", f"Most first: {said}.", shown)
            parts.append(Part(f"{currency} {heading}: amount handed over ({label})", drawn))
    claims = [means.RATE_COUNT, means.INTERVAL, means.SETTLED]
    return Section(
        9,
        "declines",
        "By decline group and code",
        "Which declines are worth handing over?",
        parts,
        definitions=claims,
        empty="Nothing was handed over yet.",
    )


def kinds(figures: ReportFigures, names: Names) -> Section:
    """10: who differs?"""
    parts = []
    for currency in figures.currencies:
        for dimension, heading in _KINDS.items():
            rates, is_final = rates_by(figures.lives, currency, dimension)
            if rates:
                label = "final" if is_final else "provisional"
                parts.append(_rates_part(names, f"{currency} {heading.lower()}", rates[:MOST_KINDS], rates, currency, label))
    said = [means.RATE_COUNT, means.RATE_AMOUNT, means.INTERVAL, means.SETTLED]
    return Section(
        10,
        "kinds",
        "By site, brand, origin, channel",
        "Who differs?",
        parts,
        definitions=said,
        empty="Nothing was handed over yet.",
    )


def _rates_part(names: Names, heading: str, shown: list[Rate], rates: list[Rate], currency: str, label: str) -> Part:
    rows = [(r.value, r.count_rate, r.low, r.high, f"{percent(r.count_rate)} of {r.fate.handed.orders:,}") for r in shown]
    faint = frozenset(place for place, rate in enumerate(shown) if rate.is_few)
    said = "; ".join(f"{name} {words}" for name, *_, words in rows)
    drawn = dots(names, f"Recovery rate (count), {heading}, {label}", f"With 95 % intervals: {said}.", rows, faint=faint)
    table = Figures(
        (
            "Kind",
            "Orders",
            f"Handed over ({currency})",
            f"Recovered ({currency})",
            "Rate (count)",
            "95 % interval",
            "Rate (amount)",
            "Cancelled",
        ),
        [_rate_row(rate, currency) for rate in rates],
    )
    note = f"{len(rates) - len(shown):,} more are in the figures." if len(rates) > len(shown) else ""
    return Part(f"{heading} ({label})", drawn, table, note=note)


def _rate_row(rate: Rate, currency: str) -> list[str]:
    cancelled = rate.fate.ended.get("cancelled")
    return [
        rate.value + (f" (under {FEW})" if rate.is_few else ""),
        f"{rate.fate.handed.orders:,}",
        plain(rate.fate.handed.amount_minor, currency),
        plain(rate.fate.recovered_by().amount_minor, currency),
        percent(rate.count_rate),
        f"{rate.low * 100:.1f} to {rate.high * 100:.1f} %",
        percent(rate.amount_rate),
        f"{cancelled.orders:,}" if cancelled else "0",
    ]
