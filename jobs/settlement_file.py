"""A settlement file on this machine, read line by line: bounded, and refused with a sentence where it is none."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from batch.settlement import SettledLine, settled_lines
from schemas.errors import UsageRefused
from schemas.profile import SettlementLayout

_MOST_IN_A_LINE = 1 << 16


def read_settlement(path: Path, layout: SettlementLayout) -> Iterator[SettledLine | None]:
    """The file's lines, None for one that cannot be read. Raises UsageRefused for a file that is no such table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from settled_lines(csv.reader(_lines(file), delimiter=layout.delimiter, strict=True), layout)
    except OSError as error:
        raise UsageRefused(f"The settlement {path} could not be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise UsageRefused(f"The settlement {path} is not UTF-8.") from error
    except csv.Error as error:
        raise UsageRefused(f"The settlement {path} is not CSV: {error}.") from error


def check_settlement(path: Path, layout: SettlementLayout) -> None:
    """Raise UsageRefused for a file that is not there, or whose header lacks a column, before anything is begun."""
    next(read_settlement(path, layout), None)


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_MOST_IN_A_LINE):
        if len(line) == _MOST_IN_A_LINE and not line.endswith("\n"):
            raise UsageRefused(f"The settlement has a line of more than {_MOST_IN_A_LINE:,} characters.")
        yield line
