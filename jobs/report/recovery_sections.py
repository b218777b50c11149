"""Sections 11 and 12: how long recovery takes, and whether the money stays."""

from batch.report_figures import ReportFigures
from batch.report_lives import Money
from jobs.report import definitions as means
from jobs.report.charts import step_curve
from jobs.report.parts import Figures, Names, Part, Section, percent, signed
from jobs.report.pictures import bridge
from jobs.report.rates import quantile, recovered_share
from schemas.counted import counted

MOST_COHORTS, MOST_DAYS, MOST_KINDS = 42, 28, 15


def recovery_time(figures: ReportFigures, names: Names) -> Section:
    """11: how long should we hold?"""
    parts = []
    for currency, waits in sorted(figures.lives.waits.items(), key=lambda pair: figures.currencies.index(pair[0])):
        curve = recovered_share(waits, MOST_DAYS)
        half, most = quantile(waits.recovered, 0.5), quantile(waits.recovered, 0.9)
        marks = [(day, name) for day, name in ((half, "median"), (most, "90th percentile")) if day is not None]
        n = sum(sum(counts.values()) for counts in (waits.recovered, waits.ended, waits.watched))
        said = f"{counted(n, 'order')}; " + "; ".join(f"{name} day {day}" for day, name in marks)
        last = "" if len(curve) > MOST_DAYS else ", the last that is known"
        drawn = step_curve(
            names,
            f"Share of orders recovered by day, {currency}",
            f"{said}; {percent(curve[-1])} by day {len(curve) - 1}{last}.",
            curve,
            marks,
            MOST_DAYS,
        )
        rows = [
            (f"{day}", f"{waits.recovered.get(day, 0):,}", f"{waits.ended.get(day, 0):,}", percent(share))
            for day, share in enumerate(curve)
        ]
        table = Figures(("Day", "Recovered on it", "Otherwise ended on it", "Share recovered by it"), rows)
        ends = ["none yet" if day is None else f"{day} d" for day in (half, most)]
        note = f"n = {n:,}; median {ends[0]}, 90th percentile {ends[1]}."
        parts.append(Part(currency, drawn, table, note=note))
    said_ = [means.SHARE_BY_DAY, means.QUANTILES, means.RECOVERY_DAY, means.BOOKED_LATER]
    return Section(
        11, "time", "Time to recovery", "How long should we hold?", parts, definitions=said_, empty="Nothing was handed over yet."
    )


def kept(figures: ReportFigures, names: Names) -> Section:
    """12: does recovered money stay?"""
    parts = []
    for currency in figures.currencies:
        by_month: dict[str, Money] = {}
        for (of, day), money in sorted(figures.lives.booked.items()):
            if of == currency:
                by_month.setdefault(day[:7], Money()).add(money.recovered, money.refunded, money.chargeback)
        by_cohort = {month: money for (of, month), money in sorted(figures.lives.kept.items()) if of == currency}
        for heading, found in (("by month of hand-over", by_cohort), ("by month of booking", by_month)):
            if not found:
                continue
            rows = [(f"={month}", money.refunded + money.chargeback, _lost(money, currency)) for month, money in found.items()]
            said = "; ".join(f"{name[1:]} {words}" for name, _, words in rows)
            drawn = bridge(
                names,
                f"Refunds and chargebacks in {currency}, {heading}",
                f"Amount, and share of what was recovered: {said}.",
                rows,
            )
            cells = [
                (
                    m,
                    *(signed(getattr(money, x), currency) for x in ("recovered", "refunded", "chargeback", "net")),
                    _lost_share(money),
                )
                for m, money in found.items()
            ]
            head = (
                "Month",
                *(f"{x} ({currency})" for x in ("Recovered", "Refunded", "Chargeback", "Net")),
                "Given back / recovered",
            )
            parts.append(Part(f"{currency} {heading}", drawn, Figures(head, cells)))
    said_ = [means.NET, "Given back / recovered: refunds and chargebacks over what was recovered, of the same month."]
    return Section(
        12,
        "kept",
        "Refunds and chargebacks after recovery",
        "Does recovered money stay?",
        parts,
        definitions=said_,
        empty="Nothing was recovered yet.",
    )


def _lost_share(money: Money) -> str:
    return percent(-(money.refunded + money.chargeback) / money.recovered) if money.recovered > 0 else ""


def _lost(money: Money, currency: str) -> str:
    share = _lost_share(money)
    return signed(money.refunded + money.chargeback, currency) + (f" · {share}" if share else "")
