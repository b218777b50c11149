"""The commands about what comes in by itself: the receiver, and the address that the provider is given."""

from collections.abc import Callable

import typer

from jobs.output import Options


def add_serve_commands(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add them to the program; `current` gives the global options when a command runs."""
    webhook_app = typer.Typer(help="What the provider tells us by itself.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(webhook_app, name="webhook")

    @app.command()
    def serve() -> None:
        """Take the provider's webhooks, and answer your own programs whether an order may be charged, until it is stopped.

        Example: mitbatch serve
        """
        from jobs.serve.command import serve as serve_until_stopped

        raise typer.Exit(serve_until_stopped(current()))

    @webhook_app.command("url")
    def webhook_url() -> None:
        """The address to register at the provider for all events.

        Example: mitbatch webhook url
        """
        from jobs.serve.address import show_url

        raise typer.Exit(show_url(current()))
