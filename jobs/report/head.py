"""Section 1: the head of the page, with its verdict and its tiles."""

from datetime import date, timedelta

from batch.book_entries import Total
from batch.report_figures import ReportFigures
from batch.report_lives import Money
from jobs.report.day_sections import month_to_date
from jobs.report.parts import NOTHING, Names, Tile
from jobs.report.pictures import sparkline
from schemas.audit_columns import Section as Summary
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode
from schemas.money import people_text

_NIGHTS = 30


def tiles(figures: ReportFigures, names: Names) -> list[Tile]:
    """The five figures at the top, with the course of the last 30 nights where there is one."""
    today, lives = figures.day.business_date, figures.lives
    nights = [(date.fromisoformat(today) - timedelta(days=back)).isoformat() for back in reversed(range(_NIGHTS))]
    handed = [sum(fate.handed.orders for (_, day), fate in lives.cohorts.items() if day == night) for night in nights]
    booked = figures.tally.per_line(Summary.MONEY).get("recovered", {})
    first = figures.currencies[0] if figures.currencies else ""
    recovered = [lives.booked.get((first, night), Money()).recovered for night in nights]
    net = [month_to_date(figures, first, night).net for night in nights]
    closing = figures.tally.by_currency()
    pending = figures.tally.per_line(Summary.CLOSING_BY_STATE).get("pending", {})
    held = sum(balance.closing.orders for balance in closing.values())
    needs = len(figures.items)
    return [
        Tile(
            "Handed over", [counted(handed[-1], "order")], "accepted this date", sparkline(names, "Handed over a night", handed)
        ),
        Tile(
            "Recovered today",
            [people_text(booked.get(each, Total()).amount_minor, each) for each in figures.currencies] or ["nothing"],
            "by booking date",
            sparkline(names, f"Recovered a night, {first} minor units", recovered) if first else NOTHING,
        ),
        Tile(
            "Net, month to date",
            [people_text(month_to_date(figures, each, today).net, each) for each in figures.currencies] or ["nothing"],
            "after refunds and chargebacks",
            sparkline(names, f"Net, month to date, {first} minor units", net) if first else NOTHING,
        ),
        Tile("Pending", [counted(sum(total.orders for total in pending.values()), "order")], f"{held:,} held in all"),
        Tile("Needs a person", [f"{needs:,}"], "see section 2" if needs else "nothing waits", mood="warn" if needs else "good"),
    ]


def verdict(figures: ReportFigures) -> str:
    """One sentence: is everything all right?"""
    doubted = sum(total.orders for total in figures.waiting.in_doubt.values())
    overdue = sum(total.orders for total in figures.waiting.overdue.values())
    if not figures.balanced:
        return "The books do not close: send nothing more until section 3 is understood."
    books = "The books close to the cent"
    if doubted:
        return f"{books}, but {counted(doubted, 'order is', 'orders are')} in doubt: they stay held until it is known."
    if figures.items:
        late = f", and {counted(overdue, 'order is', 'orders are')} overdue" if overdue else ""
        return f"{books}; {counted(len(figures.items), 'thing needs', 'things need')} a person{late}."
    if overdue:
        return f"{books}; {counted(overdue, 'order is', 'orders are')} overdue."
    return f"{books}, nothing is in doubt, and nothing needs a person."


def mood(code: ExitCode) -> str:
    """How an exit code is coloured; its word always stands beside it."""
    return {ExitCode.CLEAN: "good", ExitCode.NEEDS_PERSON: "warn"}.get(code, "bad")


def meaning_of(code: ExitCode) -> str:
    """An exit code with its word."""
    return f"{int(code)} {EXIT_MEANINGS[code]}"
