"""The summary of a run for a person at a terminal: the same facts as the plain lines, in a table, amounts to the right."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batch.book_entries import Total
from jobs.output import Options, is_coloured
from jobs.report_lines import of_this_run, orders_of
from jobs.running import RunReport
from schemas.money import people_text
from schemas.plain_text import one_line
from schemas.reasons import REASON_TEXTS, Reason

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_IN_TABLE = ("candidates", "not sent", "held", "sent", "acknowledged", "answers", "overdue")
_STYLES = {"WARN": "yellow", "NEED": "magenta", "EXIT 0": "green", "EXIT": "red"}


def print_table(options: Options, report: RunReport, lines: Sequence[str]) -> None:
    """Print the plain lines with a table in place of those that are figures, then what to run next.

    Colour only on warnings, needs, the balance mark and the verdict.
    """
    from rich.console import Console
    from rich.text import Text

    coloured = is_coloured(options, sys.stdout)
    console = Console(color_system="auto" if coloured else None, no_color=not coloured, highlight=False)
    first, started, *rest = map(one_line, lines)
    console.print(Text(first, style="bold"))
    console.print(Text(started))
    console.print(_facts(report))
    for line in rest:
        if not line.startswith(tuple(f"{label} " for label in _IN_TABLE)):
            console.print(_styled(line))
    console.print(Text(f"next: {_next(report)}", style="dim"))


def _styled(line: str) -> "Text":
    from rich.text import Text

    text = Text(line, style=next((style for start, style in _STYLES.items() if line.startswith(start)), ""))
    if line.startswith("balance "):
        text.highlight_regex("DOES NOT CLOSE$", "bold red")
        text.highlight_regex(" ok$", "green")
    return text


def _next(report: RunReport) -> str:
    return "mitbatch review list   mitbatch status" if report.items else "mitbatch status   mitbatch explain ORDER"


def _facts(report: RunReport) -> "Table":
    from rich.table import Table
    from rich.text import Text

    figures = report.figures
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for justify in ("left", "right", "right", "left"):
        table.add_column(justify=justify, overflow="fold")

    def fact(name: str, totals: "dict[str, Total]", words: str = "") -> None:
        money = "\n".join(people_text(total.amount_minor, currency) for currency, total in sorted(totals.items()) if currency)
        table.add_row(Text(name), Text(f"{orders_of(totals):,}"), Text(money), Text(words))

    if report.job in {"nightly", "rerun"}:
        fact("candidates", dict(figures.candidates))
        for reason, totals in sorted(figures.not_sent.items(), key=lambda pair: (-orders_of(pair[1]), pair[0])):
            fact(f"  {reason}", dict(totals), REASON_TEXTS.get(Reason(reason), "") if reason in set(Reason) else "")
        fact("held", dict(figures.held))
        fact("sent", dict(figures.sent), of_this_run(report))
        fact("  accepted", dict(figures.acknowledged_pending))
        fact("  refused", dict(figures.acknowledged_rejected))
    table.add_row(Text("answers"), Text(f"{figures.answered:,}"), Text(), Text())
    for state, totals in figures.answers.items():
        fact(f"  {state}", dict(totals))
    if report.overdue.totals:
        fact("overdue", report.overdue.totals, "no final answer although the expiry and the grace are over")
    return table
