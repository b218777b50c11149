"""Where a change outside of every function can come to light: the functions that use the names it stands under."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.world.planted.bug import REPOSITORY


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((REPOSITORY / file).read_text(encoding="utf-8"))


@cache
def _bodies(file: str) -> list[range]:
    """The lines inside the functions of a file: not their heads, which are run when the module is loaded."""
    return [
        range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def is_in_function(file: str, line: int) -> bool:
    """Whether a line belongs to a function's body."""
    return any(line in body for body in _bodies(file))


def names_at(file: str, line: int) -> set[str]:
    """The names that the top-level statement on a line gives, and those that are made of them further down in the file."""
    statements = _tree(file).body
    return {name for number in statements_of(file, line) for name in _given(statements[number])}


def statements_of(file: str, line: int) -> list[int]:
    """The top-level statement on a line, and those that make something of what it gives, by their numbers in the file."""
    found, names = [], set[str]()
    for number, each in enumerate(_tree(file).body):
        is_made = isinstance(each, ast.Assign | ast.AnnAssign) and not names.isdisjoint(_used(each))
        if is_made or each.lineno <= line <= (each.end_lineno or 0):
            found.append(number)
            names |= {*_given(each)}
    return found


def lines_with(names: Iterable[str], file: str) -> set[int]:
    """The lines of a file that use one of these names."""
    return {number for number, line in enumerate(_text(file).splitlines(), 1) if mentions(names, line)}


def mentions(names: Iterable[str], text: str) -> bool:
    """Whether a text uses one of these names."""
    return not {*names}.isdisjoint(re.findall(r"\w+", text))


@cache
def _text(file: str) -> str:
    return (REPOSITORY / file).read_text(encoding="utf-8")


def those_that_mention(names: Iterable[str], files: Iterable[str]) -> set[str]:
    """The files in whose text one of these names stands."""
    return {file for file in files if (REPOSITORY / file).is_file() and mentions(names, _text(file))}


def product_files() -> list[str]:
    """Every file of the product that decides: not the commands, nor the sandbox."""
    found = (path for part in ("batch", "schemas") for path in Path(REPOSITORY, part).rglob("*.py"))
    return sorted(str(path.relative_to(REPOSITORY)) for path in found)


def is_near(test: str, file: str) -> bool:
    """Whether a test's file is named after a module, or names it: such a test is likely to tell of it."""
    test_file, module = test.partition("::")[0], file.removesuffix(".py")
    named = Path(module).name in Path(test_file).stem
    return named or ((REPOSITORY / test_file).is_file() and module.replace("/", ".") in _text(test_file))


def _given(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield statement.name
        return
    yield from (node.id for node in _outside_of_comprehensions(statement) if isinstance(node, ast.Name) and _is_stored(node))


def _outside_of_comprehensions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, ast.comprehension):
            yield from _outside_of_comprehensions(each)


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _used(statement: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    value = statement.value or statement
    yield from (node.id for node in ast.walk(value) if isinstance(node, ast.Name))
