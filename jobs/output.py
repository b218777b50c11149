"""Where words go: the answer to stdout, the talk to stderr, JSON alone on stdout where it is asked for."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from batch.pace import utc_text
from jobs.clock import SystemClock
from schemas.errors import MitbatchError
from schemas.plain_text import one_line


@dataclass(slots=True)
class Options:
    """The options that stand before or after any command; `command` is its name, `kept_back` what `--quiet` holds back."""

    config: Path
    json: bool = False
    verbose: bool = False
    quiet: bool = False
    color: bool | None = None
    command: str = ""
    kept_back: list[str] = field(default_factory=list)


def say(options: Options, lines: Iterable[str]) -> None:
    """Print the answer for people; nothing with `--json`. Colour only on a terminal, and only on a few words.

    With `--quiet` it is held back until `say_kept_back`. What moves a cursor is escaped, whoever wrote it.
    """
    if options.json:
        return
    shown = ["\n".join(map(one_line, line.split("\n"))) for line in lines]
    if options.quiet:
        options.kept_back += shown
        return
    painted = is_coloured(options, sys.stdout)
    for line in shown:
        sys.stdout.write((_paint(line) if painted else line) + "\n")
    sys.stdout.flush()


def say_kept_back(options: Options) -> None:
    """Print what `--quiet` held back: the command was not clean after all."""
    lines, options.kept_back, options.quiet = options.kept_back, [], False
    say(options, lines)


def answer(options: Options, fields: Mapping[str, Any]) -> None:
    """Print one JSON object on its own line, only with `--json`; what every object says of itself is filled in."""
    if options.json:
        sys.stdout.write(json.dumps({**_head(options), **fields}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def complain(options: Options, problem: MitbatchError, *, environment: str = "") -> None:
    """Print an error: its sentence to stderr, and with `--json` an object to stdout as well."""
    sys.stderr.write(f"{problem}\n")
    answer(
        options,
        {
            "schema": "mitbatch.error/1",
            "environment": environment,
            "code": problem.code,
            "sentence": str(problem),
            "exit_code": int(problem.exit_code),
        },
    )


def _head(options: Options) -> dict[str, str]:
    """What every object of `--json` has; the object's own fields come over it."""
    generated_at = utc_text(SystemClock().now())
    return {
        "schema": "",
        "type": "result",
        "command": options.command,
        "run_id": "",
        "generated_at": generated_at,
        "environment": "",
    }


def is_coloured(options: Options, stream: TextIO) -> bool:
    """NO_COLOR, `--no-color` or a dumb terminal: off; FORCE_COLOR: on; else as the stream is a terminal or not."""
    if options.color is False or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


_COLOURS = (
    *(("WARN ", "33"), ("NEED ", "35"), ("FAIL ", "31"), ("EXIT 0", "32"), ("EXIT ", "31")),
    *(("ok    ", "32"), ("warn  ", "33"), ("fail  ", "31"), ("skip  ", "2")),
)


def _paint(line: str) -> str:
    for start, colour in _COLOURS:
        if line.startswith(start):
            return f"\x1b[{colour}m{line}\x1b[0m"
    if line.startswith("balance "):
        return line.replace("DOES NOT CLOSE", "\x1b[31mDOES NOT CLOSE\x1b[0m")
    return line
