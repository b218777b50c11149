"""The command line of `mitbatch review`."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs import completion
from jobs.output import Options
from schemas.resolutions import Resolution

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would follow, and change nothing.")]


def make_review_app(current: Callable[[], Options]) -> typer.Typer:
    """The group `review`; `current` tells the global options of this command line."""
    app = typer.Typer(help="What waits for a person, and what they decide.", no_args_is_help=True, rich_markup_mode=None)

    @app.command("list")
    def review_list() -> None:
        """Everything that waits for a person, oldest first, and the decisions that fit.

        Example: mitbatch review list
        """
        from jobs.review_list import list_review

        raise typer.Exit(list_review(current()))

    @app.command("resolve")
    def review_resolve(
        about: Annotated[
            str, typer.Argument(metavar="ITEM", help="Its id, or order:ID, or batch:ID.", autocompletion=completion.open_items)
        ],
        decision: Annotated[
            str, typer.Option("--as", metavar="DECISION", help=" | ".join(Resolution), autocompletion=completion.decisions)
        ],
        reason: Annotated[str, typer.Option("--reason", help="Why, and by whose word; it is kept for ever.")] = "",
        yes: Yes = False,
        dry_run: DryRun = False,
    ) -> None:
        """Decide about an item. The provider is asked first: what it says now cannot be overruled.

        Example: mitbatch review resolve 3f2a91c0d4e5 --as noted --reason "row mended"   # exit 2 when there is no such item
        """
        from jobs.review import resolve

        raise typer.Exit(resolve(current(), about, decision, reason, yes=yes, dry_run=dry_run))

    return app
