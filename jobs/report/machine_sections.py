"""Sections 14 and 16: the three books, and where to look things up."""

import re
from datetime import date, timedelta

from batch.report_figures import ReportFigures
from batch.report_operation import Comparing
from jobs.report import definitions as means
from jobs.report.charts import strip
from jobs.report.parts import Figures, Names, Part, Section
from schemas.audit_columns import FILE_TEXTS
from schemas.counted import counted
from schemas.matches import MATCH_TEXTS, Match
from schemas.money import people_text

_CURRENCY = re.compile(r"[A-Z]{3}\Z")


def reconciliation(figures: ReportFigures, names: Names) -> Section:
    """14: do three books agree?"""
    today = date.fromisoformat(figures.day.business_date)
    compared = {each.business_date: each for each in figures.comparisons}
    parts, lines = [], list[str]()
    if compared:
        last = figures.comparisons[-1]
        whole = "" if last.is_whole else "; the provider's list was not had to its end"
        settled = ", with a settlement" if last.is_settled else ""
        counts = f"{counted(last.orders, 'order')}, {last.differing:,} differ{whole}"
        lines.append(f"Last compared on {last.business_date} ({last.compared_at}){settled}: {counts}.")
        cells = []
        for back in reversed(range(30)):
            day = (today - timedelta(days=back)).isoformat()
            found = compared.get(day)
            cells.append((day[5:], f"{found.differing:,}" if found else "–", _accord(found)))
        differ = sum(each.differing > 0 for each in compared.values())
        desc = f"30 dates up to {today}: compared on {len(compared)} of them, with differences on {differ}."
        rows = [
            (day, f"{each.orders:,}", f"{each.differing:,}", "yes" if each.is_whole else "no", "yes" if each.is_settled else "no")
            for day, each in sorted(compared.items(), reverse=True)
        ]
        head = ("Date", "Orders compared", "Differ", "Whole list", "Settlement")
        drawn = strip(names, "Orders that differ, the last 30 dates", desc, cells)
        parts.append(Part("Orders that differ, the last 30 dates", drawn, Figures(head, rows)))
        parts += _differing(figures, today)
    empty = "Not compared yet: mitbatch reconcile compares the ledger, the order system, the files and the provider's list."
    return Section(
        14, "reconciliation", "Reconciliation", "Do three books agree?", parts, lines, [means.DIFFERENCE] if parts else [], empty
    )


def _accord(found: Comparing | None) -> str:
    if found is None:
        return "none"
    return "bad" if found.differing else "good" if found.is_whole else "warn"


def _differing(figures: ReportFigures, today: date) -> list[Part]:
    rows = [
        (
            each.match,
            MATCH_TEXTS[Match(each.match)],
            each.first_seen_date,
            f"{(today - date.fromisoformat(each.first_seen_date)).days} d",
            f"{each.orders:,}",
            people_text(each.amount_minor, each.currency) if _CURRENCY.match(each.currency) else "",
            people_text(each.difference_minor, each.currency) if _CURRENCY.match(each.currency) else "",
        )
        for each in figures.differing
    ]
    head = ("Match", "What it means", "Since", "Age", "Orders", "Their amount", "Difference")
    return [Part("What differs, by kind and age", figures=Figures(head, rows, 3), is_open=True, is_wide=True)] if rows else []


def lookup(figures: ReportFigures, _names: Names) -> Section:
    """16: where do I look it up?"""
    rows = []
    for file in figures.files:
        sums = "; ".join(people_text(minor, currency) for currency, minor in sorted(file.amount_minor.items()) if currency)
        rows.append((file.name, FILE_TEXTS[file.name.partition(".")[0]], file.sha256, f"{file.rows:,}", sums))
    head = ("File", "What it holds", "SHA-256", "Rows", "Sum of amount")
    day = figures.day
    start, end = day.interval()
    facts = [
        ("business date", day.business_date),
        ("from (inclusive), UTC", start),
        ("to (exclusive), UTC", end),
        ("time zone", day.timezone.key),
        ("merchant account", day.mid),
        ("environment", figures.environment),
        ("run", figures.run_id or "none"),
        ("last event, UTC", figures.heads.as_of or "none"),
        ("digest over all event chains", figures.heads.digest),
    ]
    parts = [
        Part("The day's files", figures=Figures(head, rows, 3), is_open=True, is_wide=True),
        Part("What this page stands on", figures=Figures(("Fact", "Value"), facts, 2), is_open=True, is_wide=True),
    ]
    lines = ["manifest.json seals these files; mitbatch audit verify checks them. This page is drawn from the same ledger."]
    return Section(16, "files", "Files and definitions", "Where do I look it up?", parts, lines, means.ALL)
