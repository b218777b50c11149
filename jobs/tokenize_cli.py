"""The command that turns cards into payment tokens."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs.output import Options


def add_tokenize_command(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add it to the program; `current` gives the global options when it runs."""

    @app.command()
    def tokenize(
        replace: Annotated[bool, typer.Option("--replace", help="Overwrite the token of an order that has one.")] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Show what would be done; write nothing, not even a claim.")
        ] = False,
    ) -> None:
        """Turn cards, one JSON object a line on a pipe, into payment tokens and write those to their orders.

        Example: mitbatch tokenize --dry-run
        """
        from jobs.tokenize import run_tokenize

        raise typer.Exit(run_tokenize(current(), replaces=replace, is_dry_run=dry_run))
