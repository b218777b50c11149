"""The project's own source, as text and as syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("batch", "schemas", "jobs")


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name, its place under the root, its text and its tree."""

    name: str
    place: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.place)

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.name.partition(".")[0]


def planted(text: str, name: str = "batch.planted") -> Module:
    """A module that exists only in a test."""
    return Module(name, name.replace(".", "/") + ".py", text)


@cache
def tracked_files() -> tuple[str, ...]:
    """Every file that a checkout holds (known to git, or new and not ignored), under the root, sorted."""
    words = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(words, capture_output=True, check=False)
    if listed.returncode == 0:
        found = {name.decode() for name in listed.stdout.split(b"\0") if name}
    else:
        tops = [ROOT / top for top in (*PACKAGES, "tests", "sample-data")]
        found = {str(path.relative_to(ROOT)) for top in tops for path in top.rglob("*") if "__pycache__" not in path.parts}
        found |= {path.name for path in ROOT.iterdir() if path.is_file()}
    return tuple(sorted(name for name in found if (ROOT / name).is_file()))


def read_tracked(name: str) -> str:
    """The text of a file; empty when it has gone since it was listed, or is no text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """The modules of these packages; of batch, schemas and jobs when none is named."""
    found = []
    for place in tracked_files():
        if place.endswith(".py") and place.partition("/")[0] in (packages or PACKAGES):
            name = place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            found.append(Module(name, place, read_tracked(place)))
    return tuple(found)


def imported(module: Module) -> set[str]:
    """Every dotted name that a module imports, anywhere in it: `from a import b` counts as `a` and as `a.b`."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = module.name.split(".")[: -node.level]
                base = ".".join([*parent, *([base] if base else [])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def full_names(module: Module) -> Iterator[tuple[int, str, bool]]:
    """Every name or attribute that is read, written out by the module's imports: line, full name, whether it is called."""
    meant: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            meant |= {alias.asname or _top(alias.name): alias.name if alias.asname else _top(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            meant |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    called = {id(node.func) for node in ast.walk(module.tree) if isinstance(node, ast.Call)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            parts: list[str] = []
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name):
                start = meant.get(inner.id, inner.id)
                yield node.lineno, ".".join([start, *reversed(parts)]), id(node) in called
            elif parts:
                yield node.lineno, "." + ".".join(reversed(parts)), id(node) in called


def _top(name: str) -> str:
    return name.partition(".")[0]


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(module: Module) -> Iterator[tuple[str, Definition]]:
    """Every class and function with its path inside the module."""

    def inside(node: ast.AST, path: str) -> Iterator[tuple[str, Definition]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield f"{path}{child.name}", child
                yield from inside(child, f"{path}{child.name}.")
            else:
                yield from inside(child, path)

    return inside(module.tree, "")


def length(node: Definition) -> int:
    """How many lines a definition has, its docstring and decorators included."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return (node.end_lineno or node.lineno) - first + 1
