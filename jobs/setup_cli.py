"""The commands before money moves: init, doctor, and the lock of the ledger."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs import completion
from jobs.init_cli import add_init_command
from jobs.output import Options


def add_setup_commands(app: typer.Typer, current: Callable[[], Options]) -> None:
    """Add them to the program; `current` gives the global options when a command runs."""
    add_init_command(app, current)

    @app.command()
    def doctor(
        groups: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[GROUP]...", help="Only these: config, secrets, database, ledger, ...", autocompletion=completion.groups
            ),
        ] = None,
        offline: Annotated[bool, typer.Option("--offline", help="Let nothing leave this machine.")] = False,
        strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as failures.")] = False,
        probe: Annotated[bool, typer.Option("--probe", help="Try a rename at the provider in production as well.")] = False,
        show_key: Annotated[bool, typer.Option("--show-key", help="With sftp: print the key that the server shows.")] = False,
    ) -> None:
        """Check settings, secrets, databases, ledger, server, API, webhooks and machine; say what to do about each finding.

        Example: mitbatch doctor --offline
        """
        from jobs.doctor.command import run_doctor

        code = run_doctor(current(), groups or [], offline=offline, strict=strict, probe=probe, show_key=show_key)
        raise typer.Exit(code)

    lock = typer.Typer(help="What the ledger is locked to.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(lock, name="lock")

    @lock.command("show")
    def lock_show() -> None:
        """What the ledger is locked to beside what the settings say: exit 0 = the same, 30 = they differ.

        Example: mitbatch lock show
        """
        from jobs.lock import show_lock

        raise typer.Exit(show_lock(current()))

    @lock.command("update")
    def lock_update(
        reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the ledger for ever.")],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
        yes: Annotated[bool, typer.Option("--yes", help="Do it without asking; for scripts.")] = False,
    ) -> None:
        """Lock the ledger to what the settings say now: another host key that the provider announced, another address.

        Example: mitbatch lock update --reason "the provider announced a new host key" --dry-run
        """
        from jobs.lock import update_lock

        raise typer.Exit(update_lock(current(), reason=reason, dry_run=dry_run, yes=yes))
