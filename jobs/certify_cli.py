"""The command line of `mitbatch certify`."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jobs.attest_cli import add_attest_command
from jobs.output import Options


class ItemsOrCommand(TyperGroup):
    """A group whose first words may be items of the checklist: those that are no command of it are kept for the round."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own context
        """Take the items away before the words are read as commands."""
        at = next((place for place, word in enumerate(args) if word in self.commands), len(args))
        ctx.meta["items"] = [word for word in args[:at] if not word.startswith("-")]
        return list(super().parse_args(ctx, [word for word in args[:at] if word.startswith("-")] + args[at:]))


def make_certify_app(current: Callable[[], Options]) -> typer.Typer:
    """The group `certify`; `current` gives the global options when a command runs."""
    app = typer.Typer(cls=ItemsOrCommand, invoke_without_command=True, subcommand_metavar="[ID|GROUP]...", rich_markup_mode=None)

    @app.callback()
    def certify(
        context: typer.Context,
        sandbox: Annotated[
            bool, typer.Option("--sandbox", help="Against a pretend provider of its own, in the folder mitbatch-certify.")
        ] = False,
    ) -> None:
        """Show the provider's launch checklist, item by item, against its sandbox; ids or groups name a part of it.

        Example: mitbatch certify mit.api
        """
        if context.invoked_subcommand is None:
            from jobs.certify.against_sandbox import certify_against_sandbox
            from jobs.certify.command import run_certify

            show = certify_against_sandbox if sandbox else run_certify
            raise typer.Exit(show(current(), context.meta["items"]))

    add_attest_command(app, current)
    return app
