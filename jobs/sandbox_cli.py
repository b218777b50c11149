"""The commands of `mitbatch sandbox`. As in `jobs.cli`, nothing heavy is loaded before a command runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs.output import Options

FOLDER = Path("mitbatch-sandbox")

Folder = Annotated[Path | None, typer.Option("--folder", help="Where its keys, files and journal are.", show_default=str(FOLDER))]
Port = Annotated[int, typer.Option(min=0, max=65535, help="A free port if 0.")]
OutcomeFiles = Annotated[bool, typer.Option("--outcome-files", help="Tell outcomes in files too.")]
StrictAmounts = Annotated[
    bool, typer.Option("--strict-amounts", help="Take only 11 to 19999 cents, as the real test environment.")
]
SampleOrders = Annotated[bool, typer.Option("--sample-orders", help="Make an orders table with the sample orders.")]
Names = Annotated[list[str] | None, typer.Option(metavar="NAME", help="A fault's name; may be repeated.")]


def make_sandbox_app(current: Callable[[], Options]) -> typer.Typer:
    """The group `sandbox`; `current` tells the global options of this command line."""
    app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    app.callback()(_start_command(current))
    app.command("journal")(_journal_command(current))
    app.command("faults")(_faults_command(current))
    app.command("clock")(_clock_command(current))
    return app


def _start_command(current: Callable[[], Options]) -> Callable[..., None]:
    def sandbox(
        context: typer.Context,
        folder: Folder = None,
        seed: Annotated[int, typer.Option("--seed", help="Decides credentials and outcomes.")] = 0,
        http_port: Port = 0,
        sftp_port: Port = 0,
        fault: Names = None,
        deduplicate: Annotated[
            str, typer.Option(metavar="off|order_id|key_24h|file_name", help="What it does with a second submission.")
        ] = "off",
        outcome_files: OutcomeFiles = False,
        strict_amounts: StrictAmounts = False,
        webhook: Annotated[str, typer.Option(metavar="URL", help="Tell this address on this machine what happens.")] = "",
        sample_orders: SampleOrders = False,
        checkout: Annotated[bool, typer.Option("--checkout", help="Open a shop to pay in, with orders of its own.")] = False,
    ) -> None:
        """Start a pretend provider (HTTP and SFTP) on loopback until it is stopped; or steer one that runs.

        Example: mitbatch sandbox --folder mitbatch-sandbox --sample-orders
        """
        context.obj = folder
        if context.invoked_subcommand is not None:
            return
        from jobs.sandbox_command import Start, serve

        start = Start(
            seed,
            http_port,
            sftp_port,
            tuple(fault or ()),
            deduplicate,
            outcome_files,
            strict_amounts,
            webhook,
            checkout,
            sample_orders,
        )
        raise typer.Exit(serve(current(), folder or FOLDER, start))

    return sandbox


def _journal_command(current: Callable[[], Options]) -> Callable[..., None]:
    def journal(context: typer.Context, folder: Folder = None) -> None:
        """What it received, accepted and answered, one JSON object a line, oldest first.

        Example: mitbatch sandbox journal
        """
        from jobs.sandbox_command import print_journal

        raise typer.Exit(print_journal(current(), folder or context.obj or FOLDER))

    return journal


def _faults_command(current: Callable[[], Options]) -> Callable[..., None]:
    def faults(
        context: typer.Context,
        folder: Folder = None,
        on: Annotated[list[str] | None, typer.Option("--on", metavar="NAME", help="Switch it on; may be repeated.")] = None,
        off: Annotated[list[str] | None, typer.Option("--off", metavar="NAME", help="Switch it off; may be repeated.")] = None,
        times: Annotated[int, typer.Option("--times", min=1, help="How often it strikes.")] = 1,
        skip: Annotated[int, typer.Option("--skip", min=0, help="How many calls pass first.")] = 0,
        after: Annotated[int | None, typer.Option("--after", help="The fault's own figure: bytes, a row number.")] = None,
        where: Annotated[str | None, typer.Option("--where", help="One operation, route, kind of file or event.")] = None,
    ) -> None:
        """Every fault by name with its sentence and ids; with --on or --off the sandbox that runs in the folder obeys.

        Example: mitbatch sandbox faults
        """
        from jobs.sandbox_control import show_faults

        wanted = {"times": times, "skip": skip, "after": after, "where": where}
        raise typer.Exit(show_faults(current(), folder or context.obj or FOLDER, on or [], off or [], wanted))

    return faults


def _clock_command(current: Callable[[], Options]) -> Callable[..., None]:
    def clock(
        context: typer.Context,
        folder: Folder = None,
        advance: Annotated[str, typer.Option("--advance", metavar="1h|2d|30m", help="Move it on by so much.")] = "",
    ) -> None:
        """What time it is in the sandbox that runs in the folder, after moving its clock if asked to.

        Example: mitbatch sandbox clock
        """
        from jobs.sandbox_control import show_clock

        raise typer.Exit(show_clock(current(), folder or context.obj or FOLDER, advance))

    return clock
