"""The command line of `mitbatch reconcile`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options


def add_reconcile_command(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add `reconcile`; `current` gives the global options when it runs."""

    @app.command()
    def reconcile(
        settlement: Annotated[
            Path | None, typer.Option("--settlement", metavar="FILE", help="The provider's settlement as CSV, compared as well.")
        ] = None,
        everything: Annotated[
            bool, typer.Option("--all", help="Write every order that was compared, not only those that differ.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Compare with a copy of the ledger; write nothing, tell nobody.")
        ] = False,
    ) -> None:
        """Compare ledger, orders table, files sent and the provider's list, order by order; changes no order.

        Example: mitbatch reconcile
        """
        from jobs.reconcile import run_reconcile

        raise typer.Exit(run_reconcile(current(), settlement=settlement, everything=everything, dry_run=dry_run))
