"""Sections 5 and 6: what became of the candidates of the date."""

from collections.abc import Mapping, Sequence

from batch.book_entries import Total
from batch.report_figures import ReportFigures
from jobs.report.parts import Figures, Names, Part, Section, plain, short_total
from jobs.report.pictures import bars
from schemas.audit_columns import Section as Summary
from schemas.reasons import REASON_TEXTS, Reason
from schemas.states import RELEASED


def tonight(figures: ReportFigures, names: Names) -> Section:
    """5: where did orders drop out?"""
    intake, handover = (figures.tally.per_line(each) for each in (Summary.INTAKE, Summary.HANDOVER))
    stages: Sequence[tuple[str, Mapping[str, Total]]] = (
        ("candidates", intake.get("candidates", {})),
        ("eligible", intake.get("selected", {})),
        ("held", figures.tally.placed),
        ("sent", handover.get("sent", {})),
        ("accepted", handover.get("acknowledged", {})),
        ("rejected", handover.get("rejected", {})),
    )
    parts = []
    for currency in figures.currencies:
        rows = [(name, totals.get(currency, Total())) for name, totals in stages]
        if not any(total.orders for _, total in rows):
            continue
        said = "; ".join(f"{name} {short_total(total, currency)}" for name, total in rows)
        shown = [(name, total.orders, short_total(total, currency)) for name, total in rows]
        drawn = bars(names, f"From candidate to accepted in {currency}", f"Orders and amount in {currency}: {said}.", shown)
        table = Figures(("Stage", "Orders", currency), [(n, f"{t.orders:,}", plain(t.amount_minor, currency)) for n, t in rows])
        parts.append(Part(currency, drawn, table))
    note = ["Accepted and rejected are answers of this date; a file sent late may be answered on the next."]
    return Section(
        5,
        "tonight",
        "Tonight",
        "Where did orders drop out?",
        parts,
        note if parts else [],
        empty="There were no candidates this date.",
    )


def not_sent(figures: ReportFigures, names: Names) -> Section:
    """6: which problem is worth fixing?"""
    intake = figures.tally.per_line(Summary.INTAKE)
    reasons = {reason: totals for reason, totals in intake.items() if reason not in {"candidates", "selected"}}
    parts = []
    for currency in [
        *figures.currencies,
        *sorted({each for totals in reasons.values() for each in totals} - {*figures.currencies}),
    ]:
        found = {reason: totals[currency] for reason, totals in reasons.items() if currency in totals}
        if not found:
            continue
        ordered = sorted(found.items(), key=lambda pair: (-pair[1].amount_minor, -pair[1].orders, pair[0]))
        name = currency or "no readable currency"
        shown = [
            (reason, total.amount_minor, short_total(total, currency))
            if currency
            else (reason, total.orders, f"{total.orders:,}")
            for reason, total in ordered
        ]
        said = "; ".join(f"{reason} {words}" for reason, _, words in shown)
        drawn = bars(names, f"Why orders were not sent, {name}", f"By amount, most first: {said}.", shown, kind="c1")
        table = Figures(
            ("Reason", "What it means", "Orders", name),
            [(r, _meaning(r), f"{t.orders:,}", plain(t.amount_minor, currency) if currency else "") for r, t in ordered],
            2,
        )
        parts.append(Part(name, drawn, table))
    return Section(6, "why-not", "Why not sent", "Which problem is worth fixing?", parts, empty="Every candidate was sent.")


def _meaning(reason: str) -> str:
    if reason in RELEASED:
        return "selected, and withdrawn before anything was sent"
    return REASON_TEXTS[Reason(reason)] if reason in set(Reason) else "selected, and withdrawn before anything was sent"
