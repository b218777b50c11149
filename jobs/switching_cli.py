"""The commands that stop sending, and let it go on: switch, pause, resume."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs import completion
from jobs.output import Options

_Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the ledger for ever.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking; for scripts.")]


def add_switching_commands(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add them to the program; `current` gives the global options when a command runs."""

    @app.command()
    def switch(
        name: Annotated[
            str,
            typer.Argument(
                metavar="NAME", help="mit, cit_website, cit_call_center, or site:NAME.", autocompletion=completion.switches
            ),
        ],
        to: Annotated[str, typer.Argument(metavar="on|off", help="On or off.")],
        reason: _Reason = "",
        confirm: Annotated[str, typer.Option("--confirm", help="For `mit off` in production: your merchant id.")] = "",
        dry_run: _DryRun = False,
        yes: _Yes = False,
    ) -> None:
        """Turn a kind of order or a site off at the next order, even of a run at work, or on again; off if the file says so too.

        Example: mitbatch switch site:acme-us off --reason "their prices are wrong" --dry-run
        """
        from jobs.switches import turn_switch

        raise typer.Exit(turn_switch(current(), name, to, reason=reason, confirm=confirm, dry_run=dry_run, yes=yes))

    @app.command()
    def pause(reason: _Reason = "", dry_run: _DryRun = False, yes: _Yes = False) -> None:
        """Send nothing new at all from the next order on, until `resume`; outcomes are still collected.

        Example: mitbatch pause --reason "the descriptor is wrong" --dry-run
        """
        from jobs.switches import turn_sending

        raise typer.Exit(turn_sending(current(), on=False, reason=reason, dry_run=dry_run, yes=yes))

    @app.command()
    def resume(reason: _Reason = "", dry_run: _DryRun = False, yes: _Yes = False) -> None:
        """Let sending go on after `pause`; the next nightly sends.

        Example: mitbatch resume --reason "the descriptor is right again" --dry-run
        """
        from jobs.switches import turn_sending

        raise typer.Exit(turn_sending(current(), on=True, reason=reason, dry_run=dry_run, yes=yes))
