"""How big files and functions are."""

import ast

from tests.house import rules
from tests.house.source import definitions, length, modules, planted

MOST_FUNCTIONS, MOST_FILES = 0.9, 0.8

SIZED = tuple(module for module in modules() if ".migrations.versions" not in module.name)


def test_no_file_and_no_function_is_too_long() -> None:
    """No file has more than 350 lines and no function more than 70; generated migrations may."""
    assert rules.too_long(SIZED, file_lines=350, function_lines=70) == []


def test_most_functions_are_short() -> None:
    """At least nine functions of ten have at most 40 lines."""
    lengths = [length(node) for module in SIZED for _, node in definitions(module) if not isinstance(node, ast.ClassDef)]
    short = sum(lines <= 40 for lines in lengths)

    assert short / len(lengths) >= MOST_FUNCTIONS, f"{short} of {len(lengths)}"


def test_most_files_are_short() -> None:
    """At least eight files of ten have at most 160 lines."""
    lengths = [len(module.text.splitlines()) for module in SIZED]
    short = sum(lines <= 160 for lines in lengths)

    assert short / len(lengths) >= MOST_FILES, f"{short} of {len(lengths)}"


def test_what_is_too_long_is_found() -> None:
    """A planted long file and a planted long method are both named with their sizes."""
    text = "class A:\n    @decorated\n    def f(self):\n" + "        x = 1\n" * 8

    assert rules.too_long([planted(text)], file_lines=10, function_lines=9) == [
        "batch/planted.py has 11 lines",
        "batch/planted.py: A.f has 10 lines",
    ]
    assert rules.too_long([planted(text)], file_lines=11, function_lines=10) == []
