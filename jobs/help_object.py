"""The help of a command for machines: `--help --json` prints one object with the text that people see, and its parts."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

from jobs.output import Options, answer

USAGE = "Usage: "


def answer_help(options: Options, found: Any, show: Callable[[], Any]) -> Any:  # noqa: ANN401 - typer's own kinds of command
    """Let the program show a help page, and print it as an object. What turns out to be no help page is printed as it is."""
    shown = io.StringIO()
    with redirect_stdout(shown):
        result = show()
    text = shown.getvalue()
    if text.startswith(USAGE):
        answer(options, help_object(found, text))
    else:
        print(text, end="")  # noqa: T201 - an option's value was `--help`
    return result


def help_object(found: Any, text: str) -> dict[str, object]:  # noqa: ANN401 - as above
    """The parts of a help page: what it is about, its arguments and options, and the commands of a group."""
    lines = [line.strip() for line in str(found.help or "").splitlines()]
    about = [line for line in lines if line and not line.startswith("Example: ")]
    parameters = [each for each in found.params if not getattr(each, "hidden", False)]
    return {
        "schema": "mitbatch.help/1",
        "text": text,
        "about": " ".join(about),
        "examples": [line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")],
        "arguments": [_parameter(each, [_named(each)]) for each in parameters if each.param_type_name == "argument"],
        "options": [
            _parameter(each, [*each.opts, *each.secondary_opts]) for each in parameters if each.param_type_name == "option"
        ],
        "commands": {name: (each.help or "").strip().partition("\n")[0] for name, each in getattr(found, "commands", {}).items()},
    }


def _parameter(each: Any, names: list[str]) -> dict[str, object]:  # noqa: ANN401 - as above
    return {"names": names, "help": getattr(each, "help", None) or "", "required": bool(each.required)}


def _named(each: Any) -> str:  # noqa: ANN401 - as above
    return str(each.metavar or each.name)
