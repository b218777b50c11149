"""The commands about holds: which stand, and whether the merchant's own retry may charge an order."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs.output import Options


def make_holds_app(current: Callable[[], Options]) -> typer.Typer:
    """The group `holds`; `current` gives the global options when a command runs."""
    holds_app = typer.Typer(help="The holds that keep in-house retries away.", no_args_is_help=True, rich_markup_mode=None)

    @holds_app.command("list")
    def holds_list() -> None:
        """Every order that is held now, and until when.

        Example: mitbatch holds list
        """
        from jobs.holds import list_holds

        raise typer.Exit(list_holds(current()))

    @holds_app.command("check")
    def holds_check(order: Annotated[str, typer.Argument(metavar="ORDER")]) -> None:
        """Whether the merchant's own retry may charge this order: exit 0 = it may, 30 = it must not.

        Example: mitbatch holds check 000471
        """
        from jobs.holds import check_hold

        raise typer.Exit(check_hold(current(), order))

    @holds_app.command("view")
    def holds_view(
        create: Annotated[bool, typer.Option("--create", help="Make the view, where the rights allow it.")] = False,
    ) -> None:
        """The SQL of the view `retryable_orders`: exactly the rows that the merchant's own retry may take.

        Example: mitbatch holds view
        """
        from jobs.holds import show_view

        raise typer.Exit(show_view(current(), create=create))

    return holds_app
