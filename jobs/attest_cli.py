"""The command with which a person attests an item of the certification."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options


def add_attest_command(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add it to the group `certify`; `current` gives the global options when a command runs."""

    @app.command()
    def attest(
        item: Annotated[str, typer.Argument(metavar="ID", help="The item, such as cit.standard.success_screen.")],
        evidence: Annotated[Path, typer.Option("--evidence", metavar="FILE", help="What shows it: a picture or a PDF.")],
        by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who attests it; it stays in the pack.")],
        reason: Annotated[str, typer.Option("--reason", help="What is to be seen; it stays in the pack.")] = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be kept; write nothing.")] = False,
        yes: Annotated[bool, typer.Option("--yes", help="Do it without asking; for scripts.")] = False,
    ) -> None:
        """Attest an item that only a page of yours or the provider's portal can show, with a file. It is never called passed.

        Example: mitbatch certify attest cit.standard.success_screen --evidence page.png --by Ada  # exits 2 without the file
        """
        from jobs.certify.attest_command import Word, attest_item

        raise typer.Exit(attest_item(current(), Word(item, evidence, by, reason), dry_run=dry_run, yes=yes))
