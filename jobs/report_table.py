"""The summary of a run for a person at a terminal: the same facts as the plain lines, in a table, amounts to the right."""

import sys
from typing import TYPE_CHECKING

from batch.book_entries import Total
from jobs.output import Options, is_coloured
from jobs.report_lines import banner, of_this_run, orders_of, verdict
from jobs.running import RunReport
from schemas.money import people_text
from schemas.reasons import REASON_TEXTS, Reason
from schemas.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table


def print_table(options: Options, report: RunReport, settings: Settings) -> None:
    """Print the table, then what needs attention, then what to run next. Colour only on warnings, needs and the balance."""
    from rich.console import Console
    from rich.text import Text

    coloured = is_coloured(options, sys.stdout)
    console = Console(color_system="auto" if coloured else None, no_color=not coloured, highlight=False)
    console.print(Text(banner(report.job, report.business_date, settings, report.run_id), style="bold"))
    console.print(_facts(report))
    for problem in report.findings.problems:
        console.print(Text(f"WARN  {problem}", style="yellow"))
    if report.items:
        words = f"NEED  {len(report.items):,} open {'item' if len(report.items) == 1 else 'items'}, {report.new_items:,} new"
        console.print(Text(words, style="magenta"))
    if report.audit is not None:
        console.print(Text(f"audit {report.audit.folder}"))
    console.print(Text(f"EXIT {int(report.code)} {verdict(report)}", style="green" if report.code == 0 else "red"))
    console.print(Text("next: mitbatch status   mitbatch explain ORDER", style="dim"))


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
    for state, totals in figures.answers.items():
        fact(state, dict(totals))
    if report.overdue.totals:
        fact("overdue", report.overdue.totals, "no final answer although the expiry and the grace are over")
    for currency, balance in sorted(figures.balances.items()):
        mark = Text("closes", style="green") if balance.balanced else Text("DOES NOT CLOSE", style="bold red")
        open_now = people_text(balance.closing.amount_minor, currency)
        table.add_row(Text(f"open in {currency}"), Text(f"{balance.closing.orders:,}"), Text(open_now), mark)
    return table
