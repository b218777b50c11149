"""Section 15: the nights, the files that left, and the calls of the API that failed."""

from collections import Counter
from datetime import date, timedelta

from batch.report_figures import ReportFigures
from jobs.report import definitions as means
from jobs.report.charts import strip
from jobs.report.head import mood
from jobs.report.parts import Figures, Names, Part, Section, size_text, span
from schemas.counted import counted
from schemas.errors import ExitCode

MOST_FILES = 40


def operation(figures: ReportFigures, names: Names) -> Section:
    """15: is the machine healthy?"""
    today = date.fromisoformat(figures.day.business_date)
    by_date = {night.business_date: night for night in figures.nights}
    cells, rows = [], []
    for back in reversed(range(1, 30)):
        day = (today - timedelta(days=back)).isoformat()
        night = by_date.get(day)
        cells.append((day[5:], *_night(night.exit_code if night else None, is_there=night is not None)))
        if night:
            rows.append(
                (day, "cut off" if night.exit_code is None else str(night.exit_code), night.started_at, span(night.seconds))
            )
    cells.append((figures.day.business_date[5:], str(int(figures.exit_code)), mood(figures.exit_code)))
    missed = sum(said == "–" for _, said, _ in cells)
    clean = sum(said == "0" for _, said, _ in cells)
    desc = f"30 nights up to {today}: {clean} ended with exit 0, on {missed} none ran; the last is as its books stand."
    drawn = strip(names, "The last 30 nights by exit code", desc, cells)
    head: tuple[str, ...] = ("Night", "Exit", "Began (UTC)", "Took")
    parts = [Part("The last 30 nights by exit code", drawn, Figures(head, rows[::-1], 3))]
    files = [
        (
            each.name,
            each.kind,
            each.step,
            f"{each.rows:,}",
            "–" if each.size is None else size_text(each.size),
            each.delivered_at or "–",
            span(each.delivery_seconds),
            span(each.answer_seconds) or "–",
        )
        for each in figures.leaving
    ]
    if files:
        head = ("File", "Kind", "Step", "Rows", "Size", "Delivered (UTC)", "Claim to delivery", "Delivery to answer")
        note = f"{len(files) - MOST_FILES:,} more; see submissions.csv." if len(files) > MOST_FILES else ""
        parts.append(
            Part("Files of this date", figures=Figures(head, files[:MOST_FILES], 3), note=note, is_open=True, is_wide=True)
        )
    called = _called(figures, names, today)
    said = [means.CALLS] if called else []
    return Section(15, "operation", "Operation", "Is the machine healthy?", [parts[0], *called, *parts[1:]], definitions=said)


def _called(figures: ReportFigures, names: Names, today: date) -> list[Part]:
    """Calls of the API that failed, date by date, and which ones."""
    if not figures.calls:
        return []
    made, failed, kinds = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for each in figures.calls:
        made[each.date] += each.calls
        if each.failed:
            failed[each.date] += each.calls
            kinds[each.operation, each.answer] += each.calls
    cells = []
    for back in reversed(range(1, 31)):
        day = (today - timedelta(days=back)).isoformat()
        said = f"{failed[day]:,}" if day in made else "–"
        cells.append((day[5:], said, "none" if day not in made else "warn" if failed[day] else "good"))
    every, lost = sum(made.values()), sum(failed.values())
    title = "Calls of the API that failed, the 30 dates before"
    desc = f"{counted(every, 'call')}, of which {lost:,} failed, on {len(failed)} of {counted(len(made), 'date')} with calls."
    rows = [(day, f"{made[day]:,}", f"{failed[day]:,}") for day in sorted(made, reverse=True)]
    parts = [Part(title, strip(names, title, desc, cells), Figures(("Date", "Calls", "Failed"), rows), note=desc)]
    if kinds:
        found = [(*kind, f"{calls:,}") for kind, calls in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))]
        head = ("Operation", "Answer", "Calls")
        parts.append(Part("Which calls failed", figures=Figures(head, found, 2), is_open=True))
    return parts


def _night(code: int | None, *, is_there: bool) -> tuple[str, str]:
    if not is_there:
        return "–", "none"
    if code is None:
        return "cut", "bad"
    known = code in {int(each) for each in ExitCode}
    return str(code), mood(ExitCode(code)) if known else "bad"
