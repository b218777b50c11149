"""The commands that show a business date: the page, and the day's figures in the terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options

_Date = Annotated[
    str, typer.Option("--date", metavar="YYYY-MM-DD", help="The business date; the latest one with files if left out.")
]


def add_report_commands(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add them to the program; `current` gives the global options when a command runs."""

    @app.command()
    def report(
        date: _Date = "",
        out: Annotated[
            Path | None, typer.Option("--out", metavar="FILE", help="Where to; beside the date's files if left out.")
        ] = None,
    ) -> None:
        """Draw a business date's page, report.html: one file, no script, nothing loaded from elsewhere.

        Example: mitbatch report
        """
        from jobs.report.command import make_report

        raise typer.Exit(make_report(current(), date, out))

    @app.command()
    def summary(date: _Date = "") -> None:
        """A business date in figures, by currency and site, with the month to date.

        Example: mitbatch summary
        """
        from jobs.summary import show_summary

        raise typer.Exit(show_summary(current(), date))
