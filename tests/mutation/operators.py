"""How a mutant is made: one place of one file, replaced in its text."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_REPLACED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.FloorDiv: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """A file with one place changed: the first and the last line of the place, what stood and stands there, the text."""

    file: str
    line: int
    was: str
    now: str
    text: str
    end: int = 0

    def words(self) -> str:
        """The change on one line."""
        return f"{self.file}:{self.line}: {self.change()}"

    def change(self) -> str:
        """What stood there and what stands there now."""
        return f"{' '.join(self.was.split())[:110]} -> {' '.join(self.now.split())[:110]}"


def mutants_of(root: Path, file: str) -> list[Mutant]:
    """Every mutant of a file, in the order of the text."""
    text = (root / file).read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = []
    for node in _places(tree):
        for replaced, now in _changes(node):
            found.append(_spliced(file, text, replaced, now))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.was, mutant.now))


def _places(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that is run, but no annotation, no name of a type, no assertion and no import."""
    ahead: list[ast.AST] = [tree]
    while ahead:
        node = ahead.pop()
        yield node
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "decorator_list", "bases", "msg"}:
                continue
            inner = value if isinstance(value, list) else [value]
            ahead += [each for each in inner if isinstance(each, ast.AST) and not _is_left_alone(each)]


def _is_left_alone(node: ast.AST) -> bool:
    """Whether a part decides nothing: an assertion, an import, a type that is given a name (`Turn = Callable[...]`).

    Nor does `expanding` of a parameter: SQLAlchemy makes each one that stands in an `in_` so. And `strict` of a `zip` is an
    assertion that both are of one length.
    """
    if isinstance(node, ast.keyword):
        return node.arg in {"expanding", "strict"}
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id.lstrip("_")
        return name[0].isupper() and not name.isupper()
    return isinstance(node, ast.Assert | ast.ImportFrom)


Change = tuple[ast.expr | ast.stmt, str]
"""A node, and the text that may stand in its place."""


def _changes(node: ast.AST) -> Iterator[Change]:
    """What may stand in place of a node, or of a part of it."""
    for kinds, changed in _OPERATORS:
        if isinstance(node, kinds):
            yield from changed(node)


def _compare(node: ast.Compare) -> Iterator[Change]:
    if len(node.ops) == 1:
        other = ast.Compare(node.left, [_COMPARED[type(node.ops[0])]()], node.comparators)
        yield node, f"({ast.unparse(other)})"


def _and_or(node: ast.BoolOp) -> Iterator[Change]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield node, f"({ast.unparse(ast.BoolOp(other, node.values))})"
    for left_out in range(len(node.values)):
        rest = [value for place, value in enumerate(node.values) if place != left_out]
        yield node, f"({ast.unparse(ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0])})"


def _not(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield node, f"({ast.unparse(node.operand)})"


def _arithmetic(node: ast.BinOp) -> Iterator[Change]:
    if type(node.op) in _REPLACED:
        yield node, f"({ast.unparse(ast.BinOp(node.left, _REPLACED[type(node.op)](), node.right))})"


def _constant(node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node.value, int):
        yield node, str(node.value + 1)


def _condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[Change]:
    if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield node.test, f"(not ({ast.unparse(node.test)}))"


def _loop(node: ast.For) -> Iterator[Change]:
    yield node.iter, "[]"


def _filter(node: ast.comprehension) -> Iterator[Change]:
    yield from ((condition, "True") for condition in node.ifs)


def _caught(node: ast.ExceptHandler) -> Iterator[Change]:
    if node.type is not None:
        yield node.type, "ZeroDivisionError"


def _statement(node: ast.Expr) -> Iterator[Change]:
    if isinstance(node.value, ast.Call):
        yield node, "pass"


def _entry(node: ast.Tuple) -> Iterator[Change]:
    if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for left_out in range(len(node.elts)):
            rest = [ast.unparse(each) for place, each in enumerate(node.elts) if place != left_out]
            yield node, f"({', '.join(rest)},)"


_OPERATORS: tuple[tuple[Any, Callable[[Any], Iterator[Change]]], ...] = (
    (ast.Compare, _compare),
    (ast.BoolOp, _and_or),
    (ast.UnaryOp, _not),
    (ast.BinOp, _arithmetic),
    (ast.Constant, _constant),
    ((ast.If, ast.While, ast.IfExp), _condition),
    (ast.For, _loop),
    (ast.comprehension, _filter),
    (ast.ExceptHandler, _caught),
    (ast.Expr, _statement),
    (ast.Tuple, _entry),
)


def _spliced(file: str, text: str, node: ast.expr | ast.stmt, now: str) -> Mutant:
    lines = text.encode().splitlines(keepends=True)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    content = text.encode()
    changed = content[:start] + now.encode() + content[end:]
    return Mutant(file, node.lineno, content[start:end].decode(), now, changed.decode(), node.end_lineno)
