"""Lines with the tests that come to them, a number in place of each group of tests: thousands of lines are met by the same."""

from collections.abc import Mapping, Sequence
from typing import Any

Lines = Mapping[str, Mapping[int, Sequence[str]]]


def packed(lines: Lines, names: Sequence[str]) -> dict[str, Any]:
    """The same as JSON has it, where all tests have these names."""
    groups: dict[tuple[str, ...], int] = {}
    numbers = {name: number for number, name in enumerate(names)}
    numbered = {
        file: {str(line): groups.setdefault(tuple(those), len(groups)) for line, those in of_file.items()}
        for file, of_file in lines.items()
    }
    return {"lines": numbered, "groups": [[numbers[name] for name in group] for group in groups]}


def unpacked(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, dict[int, list[str]]]:
    """The lines as they were; lists are shared."""
    groups = [[names[number] for number in group] for group in found["groups"]]
    return {file: {int(line): groups[number] for line, number in of_file.items()} for file, of_file in found["lines"].items()}
