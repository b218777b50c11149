"""The rules of the house. Each takes modules and returns complaints; a test feeds it the source, another a planted sin."""

import ast
import re
from collections.abc import Iterable, Mapping

from tests.house.source import Module, definitions, full_names, imported, length

MAY_IMPORT = {"schemas": {"schemas"}, "batch": {"batch", "schemas"}, "jobs": {"batch", "jobs", "schemas"}}
HOUSE = {"batch", "schemas", "jobs", "tests"}

IO_LIBRARIES = {
    "sqlalchemy",
    "httpx",
    "aiohttp",
    "httpx_aiohttp",
    "paramiko",
    "asyncssh",
    "socket",
    "ssl",
    "os",
    "shutil",
    "tempfile",
    "subprocess",
    "time",
    "random",
    "secrets",
    "threading",
    "asyncio",
    "logging",
    "pandas",
    "alembic",
    "sqlite3",
    "importlib.resources",
}
READS_OR_WRITES_FILES = re.compile(
    r"^open$|^io\.open$|\.(open|read_text|read_bytes|write_text|write_bytes|mkdir|unlink|touch|iterdir|rglob|glob|rename|exists|is_file|stat)$"
)
OUTSIDE = re.compile(
    r"^(datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today|time\.\w+|uuid\.uuid(1|4|6|7|8)|uuid\.getnode"
    r"|random\.\w+|secrets\.\w+|os\.(urandom|environ|getenv|getpid)|asyncio\.sleep|socket\.create_(connection|server)"
    r"|sqlalchemy\.(engine\.)?create_engine|os\.getrandom)$"
)
OUTSIDE_WHEN_CALLED = re.compile(r"^(socket\.socket|open|input|print)$")
BANNED_WORDS = {"helper", "manager", "util", "handle", "process", "data", "info"}
BANNED_MODULES = {"select", "queue", "csv", "io", "operator", "inspect", "types", "email", "signal"}
LEFTOVERS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b")
UNSAFE = re.compile(r"\bAutoAddPolicy\b|\bWarningPolicy\b|\bverify\s*=\s*False\b|\bCERT_NONE\b|\bknown_hosts\s*=\s*None\b")


def wrong_way(modules: Iterable[Module]) -> list[str]:
    """Imports that do not point jobs -> batch -> schemas, and whatever the pretend provider shares with the merchant's side."""
    complaints = []
    for module in modules:
        allowed = MAY_IMPORT[module.package] if not is_sandbox(module.name) else {"jobs"}
        tops = {name.partition(".")[0] for name in imported(module)}
        complaints += [f"{module.place} imports {top}" for top in sorted((tops & HOUSE) - allowed)]
    return complaints


def is_sandbox(name: str) -> bool:
    """Whether a module belongs to the pretend provider."""
    return name == "jobs.sandbox" or name.startswith("jobs.sandbox.")


def shared_with_the_sandbox(modules: Iterable[Module]) -> list[str]:
    """Modules of jobs that the pretend provider uses and that lead, over any number of steps, to batch or schemas."""
    by_name = {module.name: module for module in modules}
    complaints = []
    for start in (module for module in by_name.values() if is_sandbox(module.name)):
        reached, ahead = {start.name}, [start.name]
        while ahead:
            found = imported(by_name[ahead.pop()])
            fresh = {name for name in found if name in by_name and name not in reached and name != "jobs"}
            reached |= fresh
            ahead += fresh
        complaints += [f"{start.place} reaches {name}" for name in sorted(reached) if not name.startswith("jobs")]
    return complaints


Kinds = Mapping[str, tuple[str, str]]
"""By module name: its kind, and for an edge the outside thing that it speaks to."""


def wrong_kind(modules: Iterable[Module], kinds: Kinds, types_of_edges: Mapping[str, frozenset[str]]) -> list[str]:
    """What a module of batch imports or does although its kind forbids it; a module without a kind is a complaint."""
    complaints = []
    for module in modules:
        if module.name not in kinds:
            complaints.append(f"{module.place} has no kind: enter it as pure, edge or flow")
            continue
        kind, thing = kinds[module.name]
        found = imported(module)
        others = {name for name in found if name in kinds and name != module.name}
        if kind != "edge":
            allowed = types_of_edges.get(module.name, frozenset())
            libraries = sorted(
                name for name in found if _library(name) and name not in allowed and name + "." not in _starts(allowed)
            )
            complaints += [f"{module.place} ({kind}) imports {name}" for name in libraries]
            complaints += [f"{module.place}:{line} ({kind}) {name}" for line, name in _file_calls(module)]
        if kind == "pure":
            complaints += [
                f"{module.place} (pure) imports {name} ({kinds[name][0]})" for name in sorted(others) if kinds[name][0] != "pure"
            ]
        if kind == "edge":
            strange = [
                name
                for name in sorted(others)
                if kinds[name][0] == "flow" or (kinds[name][0] == "edge" and kinds[name][1] != thing)
            ]
            complaints += [f"{module.place} (edge: {thing}) imports {name}" for name in strange]
    return complaints


def _starts(allowed: Iterable[str]) -> set[str]:
    """`sqlalchemy.` for an allowed `sqlalchemy.Connection`: the library's own name comes along with the type."""
    return {name.partition(".")[0] + "." for name in allowed}


def _library(name: str) -> bool:
    return name in IO_LIBRARIES or any(name.startswith(f"{library}.") for library in IO_LIBRARIES)


def _file_calls(module: Module) -> list[tuple[int, str]]:
    return [(line, name) for line, name, called in full_names(module) if called and READS_OR_WRITES_FILES.search(name)]


FILE_LIBRARIES = {"os", "io", "shutil", "tempfile", "subprocess", "glob", "fcntl", "mmap"}
READS_OR_WRITES_PATHS = re.compile(
    r"\.(read_text|read_bytes|write_text|write_bytes|mkdir|unlink|touch|iterdir|rglob|is_file|symlink_to)$"
)


def goes_past_the_disk(modules: Iterable[Module]) -> list[str]:
    """Modules, edges too, that touch files in any other way than through the disk that they are handed."""
    complaints = []
    for module in modules:
        found = sorted({name.partition(".")[0] for name in imported(module)} & FILE_LIBRARIES)
        complaints += [f"{module.place} imports {name}" for name in found]
        complaints += [
            f"{module.place}:{line} {name}"
            for line, name, called in full_names(module)
            if called and READS_OR_WRITES_PATHS.search(name)
        ]
    return complaints


def reaches_outside(modules: Iterable[Module]) -> list[str]:
    """Clocks, ids, randomness, sleeps, sockets and engines that a module makes instead of being handed them."""
    complaints = []
    for module in modules:
        for line, name, called in full_names(module):
            if OUTSIDE.match(name) or (called and OUTSIDE_WHEN_CALLED.match(name)):
                complaints.append(f"{module.place}:{line} {name}")
    return complaints


def too_long(modules: Iterable[Module], *, file_lines: int, function_lines: int) -> list[str]:
    """Files and functions over their size."""
    complaints = []
    for module in modules:
        lines = len(module.text.splitlines())
        if lines > file_lines:
            complaints.append(f"{module.place} has {lines} lines")
        complaints += [
            f"{module.place}: {path} has {length(node)} lines"
            for path, node in definitions(module)
            if not isinstance(node, ast.ClassDef) and length(node) > function_lines
        ]
    return complaints


def without_docstring(modules: Iterable[Module]) -> list[str]:
    """Modules, and public classes and functions, that do not say what they are."""
    complaints = []
    for module in modules:
        if not ast.get_docstring(module.tree):
            complaints.append(module.place)
        inside_functions = {
            id(inner)
            for _, outer in definitions(module)
            if not isinstance(outer, ast.ClassDef)
            for inner in ast.walk(outer)
            if inner is not outer
        }
        for path, node in definitions(module):
            is_public = not any(part.startswith("_") for part in path.split("."))
            if is_public and id(node) not in inside_functions and not ast.get_docstring(node):
                complaints.append(f"{module.place}: {path}")
    return complaints


def not_one_sentence(modules: Iterable[Module]) -> list[str]:
    """Tests whose docstring is missing or is not one sentence."""
    complaints = []
    for module in modules:
        for path, node in definitions(module):
            if isinstance(node, ast.ClassDef) or not node.name.startswith("test_"):
                continue
            words = " ".join((ast.get_docstring(node) or "").split())
            if not words.endswith(".") or re.search(r"[a-z0-9)\"'`][.!?] +[A-Z]", words):
                complaints.append(f"{module.place}: {path}: {words!r}")
    return complaints


def banned_names(modules: Iterable[Module], allowed: Mapping[str, str]) -> list[str]:
    """Files, classes and functions with a word in their name that says nothing, or the name of a standard module."""
    complaints = []
    for module in modules:
        last = module.name.rpartition(".")[2]
        named = [(module.place, last), *((f"{module.place}: {path}", node.name) for path, node in definitions(module))]
        complaints += [where for where, name in named if name not in allowed and words_of(name) & BANNED_WORDS]
        if last in BANNED_MODULES:
            complaints.append(f"{module.place} is called like a standard module")
    return complaints


def words_of(name: str) -> set[str]:
    """The words of a name, split at `_` and at capitals, in lower case and without a plural s."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {plain for word in words for plain in (word.lower(), word.lower().removesuffix("s"), word.lower().removesuffix("r"))}


def leftovers(texts: Mapping[str, str]) -> list[str]:
    """Marks of unfinished work."""
    return [
        f"{place}:{number}"
        for place, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if LEFTOVERS.search(line)
    ]


def skips_without_reason(modules: Iterable[Module]) -> list[str]:
    """Tests that are passed over without saying why."""
    complaints = []
    for module in modules:
        called = {id(node.func): node for node in ast.walk(module.tree) if isinstance(node, ast.Call)}
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail"}):
                continue
            call = called.get(id(node))
            words = (
                []
                if call is None
                else [*(call.args if node.attr == "skip" else []), *[k for k in call.keywords if k.arg == "reason"]]
            )
            if "pytest" in ast.unparse(node) and not words:
                complaints.append(f"{module.place}:{node.lineno}")
    return complaints


def unsafe(texts: Mapping[str, str]) -> list[str]:
    """Words that switch off a check of who is at the other end."""
    return [
        f"{place}:{number}"
        for place, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if UNSAFE.search(line)
    ]
