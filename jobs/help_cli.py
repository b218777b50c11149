"""The command line of `mitbatch help`: pages about the program itself."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs import completion
from jobs.output import Options, answer, say
from schemas.errors import EXIT_MEANINGS


def make_help_app(current: Callable[[], Options]) -> typer.Typer:
    """The group `help`; `current` tells the global options of this command line."""
    app = typer.Typer(help="Pages about the program itself.", no_args_is_help=True, rich_markup_mode=None)

    @app.command("exit-codes")
    def help_exit_codes() -> None:
        """Every exit code and what it means.

        Example: mitbatch help exit-codes
        """
        lines = [f"{int(code):>3}  {meaning}" for code, meaning in EXIT_MEANINGS.items()]
        say(current(), [*lines, "Treat an unknown code as failure. 1 never happens."])
        codes = {str(int(code)): meaning for code, meaning in EXIT_MEANINGS.items()}
        answer(current(), {"schema": "mitbatch.exit_codes/1", "exit_codes": codes})

    @app.command("runbook")
    def help_runbook(
        word: Annotated[str, typer.Argument(metavar="[CODE|ITEM|TITLE]", help="An exit code, a kind of item, or a title.")] = "",
    ) -> None:
        """What to do when: by exit code, by kind of item, and when the night did not run or the ledger is lost.

        Example: mitbatch help runbook 20
        """
        from jobs.runbook import show_runbook

        raise typer.Exit(show_runbook(current(), word))

    @app.command("settings")
    def help_settings(
        key: Annotated[
            str,
            typer.Argument(
                metavar="[KEY|SECTION]", help="One key such as sftp.port, or a section.", autocompletion=completion.settings_keys
            ),
        ] = "",
    ) -> None:
        """What each key of the settings file means, its values, its default, and its name in the environment.

        Example: mitbatch help settings sftp
        """
        from jobs.settings_help import show_settings

        raise typer.Exit(show_settings(current(), key))

    return app
