"""The command line of `mitbatch help`: pages about the program itself."""

from collections.abc import Callable
from typing import Annotated

import typer

from jobs import completion
from jobs.output import Options, answer, say
from schemas.errors import EXIT_MEANINGS

_DOCUMENTS = {
    "integration": ("For the engineer: orders table, hold, what is sent and how.", "hold"),
    "operation": ("For whoever runs it: rights, schedule, alerts, decisions.", "lock"),
    "runbook": ("What to do when: by exit code, kind of item, or emergency.", "20"),
    "finance": ("For finance: the files, the report, whether the books agree.", "report"),
    "contract": ("The provider's contract as implemented, with its sources.", "webhooks"),
}


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

    for document, (about, word) in _DOCUMENTS.items():
        app.command(document, help=f"{about}\n\nExample: mitbatch help {document} {word}")(_printing(current, document))

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


def _printing(current: Callable[[], Options], document: str) -> Callable[[str], None]:
    def print_document(
        word: Annotated[
            str,
            typer.Argument(
                metavar="[SECTION]",
                help="A section, by its title or a word of that.",
                autocompletion=completion.sections(document),
            ),
        ] = "",
    ) -> None:
        from jobs.documents import show_document

        schema = "mitbatch.runbook/1" if document == "runbook" else "mitbatch.document/1"
        raise typer.Exit(show_document(current(), document, word, schema))

    return print_document
