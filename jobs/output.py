"""Where words go: the answer to stdout, the talk to stderr, JSON alone on stdout where it is asked for."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from schemas.errors import MitbatchError


@dataclass(slots=True)
class Options:
    """The options that stand before or after any command."""

    config: Path
    json: bool = False
    verbose: bool = False
    quiet: bool = False
    color: bool | None = None


def say(options: Options, lines: Iterable[str]) -> None:
    """Print the answer for people; nothing with `--json`. Colour only on a terminal, and only on a few words."""
    if options.json:
        return
    painted = is_coloured(options, sys.stdout)
    for line in lines:
        sys.stdout.write((_paint(line) if painted else line) + "\n")
    sys.stdout.flush()


def answer(options: Options, fields: Mapping[str, Any]) -> None:
    """Print one JSON object on its own line, only with `--json`."""
    if options.json:
        sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def complain(options: Options, problem: MitbatchError) -> None:
    """Print an error: its sentence to stderr, and with `--json` an object to stdout as well."""
    sys.stderr.write(f"{problem}\n")
    answer(
        options,
        {
            "schema": "mitbatch.error/1",
            "type": "result",
            "code": problem.code,
            "sentence": str(problem),
            "exit_code": int(problem.exit_code),
        },
    )


def is_coloured(options: Options, stream: TextIO) -> bool:
    """NO_COLOR, `--no-color` or a dumb terminal: off; FORCE_COLOR: on; else as the stream is a terminal or not."""
    if options.color is False or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def _paint(line: str) -> str:
    for start, colour in (("WARN ", "33"), ("NEED ", "35"), ("EXIT 0", "32"), ("EXIT ", "31")):
        if line.startswith(start):
            return f"\x1b[{colour}m{line}\x1b[0m"
    if line.startswith("balance "):
        return line.replace("DOES NOT CLOSE", "\x1b[31mDOES NOT CLOSE\x1b[0m")
    return line
