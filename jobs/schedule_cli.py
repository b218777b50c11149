"""The command that runs all jobs at their times."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs.output import Options


def add_schedule_commands(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add it to the program; `current` gives the global options when it runs."""

    @app.command()
    def schedule(
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the next times of each job; run nothing.")] = False,
    ) -> None:
        """Run nightly, poll, transmit and reconcile at their times, one night per business date, until it is stopped.

        Example: mitbatch schedule --dry-run
        """
        from jobs.schedule import run_schedule

        raise typer.Exit(run_schedule(current(), dry_run=dry_run))
