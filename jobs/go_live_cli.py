"""The command that stands between the sandbox and production."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options


def add_go_live_command(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add it to the program; `current` gives the global options when a command runs."""

    @app.command("go-live")
    def go_live(
        to: Annotated[Path, typer.Option("--to", metavar="PRODUCTION_TOML", help="Production's settings file.")],
        from_: Annotated[
            Path | None, typer.Option("--from", metavar="SANDBOX_TOML", help="The sandbox's; else the one of --config.")
        ] = None,
        confirm: Annotated[str, typer.Option("--confirm", metavar="MID", help="Production's merchant id, typed whole.")] = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at everything; lock and write nothing.")] = False,
    ) -> None:
        """Is everything certified, and nothing of the sandbox left? Then lock production's ledger. Sends nothing.

        Example: mitbatch go-live --to production.toml  # exits 78 without the file
        """
        from jobs.golive.command import Asked, go_live

        raise typer.Exit(go_live(current(), Asked(from_ or current().config, to, confirm, dry_run)))
