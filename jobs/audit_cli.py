"""The command line of `mitbatch audit`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options
from schemas.errors import UsageRefused

From = Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first business date; the earliest if left out.")]
To = Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last business date; the latest if left out.")]


def make_audit_app(current: Callable[[], Options]) -> typer.Typer:
    """The group `audit`; `current` tells the global options of this command line."""
    app = typer.Typer(
        help="Finance's files: are they as they were written, and write them again.", no_args_is_help=True, rich_markup_mode=None
    )

    @app.command("verify")
    def audit_verify(first: From = "", last: To = "") -> None:
        """Whether finance's files and the ledger are as they were written: every edit, deletion or reordering is named.

        Example: mitbatch audit verify
        """
        from jobs.audit_check import verify_audit

        raise typer.Exit(verify_audit(current(), first, last))

    @app.command("export")
    def audit_export(
        first: Annotated[
            str,
            typer.Option("--from", metavar="YYYY-MM-DD", help="The first business date; with --xlsx the earliest if left out."),
        ] = "",
        last: Annotated[
            str, typer.Option("--to", metavar="YYYY-MM-DD", help="With --xlsx: the last business date; the latest if left out.")
        ] = "",
        xlsx: Annotated[bool, typer.Option("--xlsx", help="Make one workbook of the files; the files stay as they are.")] = False,
        out: Annotated[
            Path | None, typer.Option("--out", metavar="FILE", help="With --xlsx: where to; into the audit folder if left out.")
        ] = None,
    ) -> None:
        """Write finance's CSV files of a date, and of every later one, again from the ledger; or make a workbook of them.

        Example: mitbatch audit export --xlsx
        """
        if xlsx:
            from jobs.workbook import export_workbook

            raise typer.Exit(export_workbook(current(), first, last, out))
        if last or out is not None:
            raise UsageRefused("--to and --out are for --xlsx alone.", next_step="Example: mitbatch audit export --xlsx")
        if not first:
            raise UsageRefused(
                "audit export needs --from, or --xlsx.", next_step="Example: mitbatch audit export --from 2026-11-23"
            )
        from jobs.night import run_command

        raise typer.Exit(run_command(current(), "audit", first))

    return app
