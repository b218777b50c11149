"""Sections 7 and 8: how cohorts recover, and what is still out."""

from datetime import date

from markupsafe import Markup

from batch.report_figures import ReportFigures
from batch.report_lives import Fate
from batch.report_operation import AGES, DUES
from jobs.report import definitions as means
from jobs.report.charts import cohort_curves
from jobs.report.parts import Cell, Figures, Names, Part, Section, percent, plain
from jobs.report.pictures import stacked
from jobs.report.rates import cohort_curve, median
from schemas.states import OPEN

MOST_COHORTS, MOST_DAYS, MOST_KINDS = 42, 28, 15
_MARKS = (1, 3, 7, 14, 21)


def cohorts(figures: ReportFigures, names: Names) -> Section:
    """7: are we better or worse than usual?"""
    today, parts = date.fromisoformat(figures.day.business_date), []
    for currency in figures.currencies:
        days = sorted((day, fate) for (of, day), fate in figures.lives.cohorts.items() if of == currency)[-MOST_COHORTS:]
        if not days:
            continue
        curves = [(day, fate, cohort_curve(fate, min(MOST_DAYS, (today - date.fromisoformat(day)).days))) for day, fate in days]
        final = [curve for _, fate, curve in curves if fate.is_final]
        middle = [median(each[at] for each in final if len(each) > at) for at in range(MOST_DAYS + 1)]
        known = [share for share in middle if share is not None]
        last = f"the median of final cohorts reaches {percent(known[-1])}" if known else "none is final yet"
        drawn = cohort_curves(
            names,
            f"Share of amount recovered by days since hand-over, {currency}",
            f"{len(curves)} cohorts, {len(final)} of them final; {last}.",
            final=final,
            provisional=[curve for _, fate, curve in curves if not fate.is_final],
            middle=known,
            most_days=MOST_DAYS,
        )
        rows = [
            _cohort_row(day, fate, curve, currency, (today - date.fromisoformat(day)).days)
            for day, fate, curve in reversed(curves)
        ]
        head = (
            "Cohort",
            "Label",
            "Orders",
            f"Handed over ({currency})",
            *(f"day {day}" for day in _MARKS),
            "so far (amount)",
            "so far (count)",
            "Open",
            "Cancelled",
        )
        parts.append(Part(f"{currency}, by amount", drawn, Figures(head, rows, 2), is_wide=False))
    said = [means.HANDED_OVER, means.COHORT, means.RATE_AMOUNT, means.RATE_COUNT, means.PROVISIONAL]
    return Section(
        7,
        "cohorts",
        "Recovery by cohort",
        "Are we better or worse than usual?",
        parts,
        definitions=said,
        empty="Nothing was handed over yet.",
    )


def _cohort_row(day: str, fate: Fate, curve: list[float], currency: str, age: int) -> list[Cell]:
    label = "final" if fate.is_final else f"provisional, day {age}"
    heat: list[Cell] = [_heat(curve[mark]) if mark < len(curve) else "" for mark in _MARKS]
    recovered, handed = fate.recovered_by(), fate.handed
    amount = recovered.amount_minor / handed.amount_minor if handed.amount_minor else 0.0
    cancelled = fate.ended.get("cancelled")
    return [
        day,
        label,
        f"{handed.orders:,}",
        plain(handed.amount_minor, currency),
        *heat,
        percent(amount),
        percent(recovered.orders / handed.orders if handed.orders else 0.0),
        f"{fate.is_open.orders:,}",
        f"{cancelled.orders:,}" if cancelled else "0",
    ]


def _heat(share: float) -> Markup:
    return Markup('<span class="heat heat{}">{}</span>').format(min(5, int(share * 10)), percent(share))


def pending(figures: ReportFigures, names: Names) -> Section:
    """8: what is still out, and for how long?"""
    parts = []
    for currency in figures.currencies:
        for heading, groups, found in (
            (f"{currency}: days since hand-over", AGES, figures.waiting.ages),
            (f"{currency}: days to expiry", DUES, figures.waiting.dues),
        ):
            states = [str(state) for state in OPEN if any(of == currency and s == state for of, _, s in found)]
            if not states:
                continue
            rows: list[tuple[str, dict[str, float], str]] = []
            cells: list[list[str]] = []
            for group in groups:
                totals = {s: found[currency, group, s] for s in states if (currency, group, s) in found}
                whole = sum(t.orders for t in totals.values()), sum(t.amount_minor for t in totals.values())
                rows.append(
                    (group, {s: float(t.orders) for s, t in totals.items()}, f"{whole[0]:,} · {plain(whole[1], currency)}")
                )
                each = [f"{totals[s].orders:,}" if s in totals else "0" for s in states]
                cells.append([group, *each, f"{whole[0]:,}", plain(whole[1], currency)])
            said = "; ".join(f"{group} {words}" for group, _, words in rows)
            drawn = stacked(names, f"Open orders, {heading}", f"Orders and amount: {said}.", rows, states)
            parts.append(Part(heading, drawn, Figures(("Days", *states, "Orders", currency), cells)))
    return Section(
        8,
        "pending",
        "Pending by age and time to expiry",
        "What is still out, and for how long?",
        parts,
        definitions=[means.OVERDUE],
        empty="Nothing is open.",
    )
