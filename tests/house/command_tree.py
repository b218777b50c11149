"""Every command of the program, as its own command line knows them."""

from typing import Any

import typer

from jobs.cli import app

COMMANDS: Any = typer.main.get_command(app)


def command_paths() -> dict[str, str]:
    """Every command with the help that it prints; a group counts as a command where it also works alone."""
    found: dict[str, str] = {}

    def walk(group: Any, path: str) -> None:  # noqa: ANN401 - typer's own kinds of command
        for name, each in group.commands.items():
            is_group = hasattr(each, "commands")
            if not is_group or each.invoke_without_command:
                found[f"{path}{name}"] = str(each.help or "")
            if is_group:
                walk(each, f"{path}{name} ")

    walk(COMMANDS, "")
    return found


def examples_in(text: str) -> list[str]:
    """The examples that a command's help shows."""
    return [line.strip().removeprefix("Example: ") for line in text.splitlines() if line.strip().startswith("Example: ")]
