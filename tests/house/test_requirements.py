"""Every requirement has its test, which exists; and the requirements that are about the source itself."""

import ast
import re
import tomllib
from functools import cache

import pytest

from tests.house.requirements import PAGES, RULES, SECURITY
from tests.house.source import ROOT, Module, modules, planted

REFERENCE = re.compile(r"[a-z_]+/test_[a-z0-9_]+::test_[a-z0-9_]+")
ALL = {**RULES, **PAGES, **SECURITY}


@cache
def functions_of(place: str) -> frozenset[str]:
    """The names of the tests of a file."""
    path = ROOT / "tests" / f"{place}.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def missing(words: str) -> list[str]:
    """Which of the tests that are named do not exist; a sentence instead of tests names what is missing."""
    named = words.split()
    if not all(REFERENCE.fullmatch(each) for each in named):
        return [] if words.endswith(".") and " " in words and "::" not in words else [words]
    return (
        [each for each in named if each.partition("::")[2] not in functions_of(each.partition("::")[0])] if named else ["nothing"]
    )


@pytest.mark.parametrize("requirement", ALL)
def test_every_requirement_has_its_test(requirement: str) -> None:
    """Each of the 25 rules, the pages and S1 to S32 names tests that exist, or says in a sentence what is missing."""
    assert missing(ALL[requirement]) == []


def test_no_requirement_is_left_out() -> None:
    """The rules are 1 to 25, what is printed and written 2 to 9, the security requirements S1 to S32; hardly any has no test."""
    assert [int(name.split()[0]) for name in RULES] == list(range(1, 26))
    assert {int(name.split()[0]) for name in PAGES} == set(range(2, 10))
    assert list(SECURITY) == [f"S{number}" for number in range(1, 33)]
    assert len([words for words in ALL.values() if "::" not in words]) <= 2


def test_a_test_that_does_not_exist_is_found() -> None:
    """A requirement without a test, or with one that is gone, is told."""
    assert missing("commands/test_streams::test_that_never_was") != []
    assert missing("commands/test_nowhere::test_colour") != []
    assert missing("") == ["nothing"]
    assert missing("It is not there yet.") == []
    assert missing("commands/test_streams::test_a half") != []


ASKING = {"text", "exec_driver_sql", "execute", "DDL"}
SPLICED = {
    "jobs/certify/scratch_orders.py": "a table made, shared and dropped: names of the settings that are checked, and our own",
    "batch/writeback.py": "the statement of a view, from names of the settings that are checked and quoted by the driver",
    "jobs/doctor/ledger_storage.py": "SHOW takes no parameter; the three names stand beside it",
    "jobs/sample_orders.py": "the demo's own database, made from its own table",
}


def spliced(found: list[Module]) -> list[str]:
    """Places where SQL is put together from pieces instead of taking parameters."""
    places = []
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ASKING:
                pieces = [each for argument in node.args[:1] for each in ast.walk(argument)]
                if any(isinstance(each, ast.JoinedStr | ast.Mod) or _formats(each) for each in pieces):
                    places.append(f"{module.place}:{node.lineno}")
    return places


def _formats(node: ast.AST) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_call and node.func.attr in {"format", "format_map"}  # type: ignore[attr-defined]


def test_sql_takes_parameters_only() -> None:
    """No statement of the merchant's side is spliced from pieces; the linter's own rule is silenced in one place only."""
    ours = [each for each in modules("jobs", "batch") if ".sandbox" not in each.name]
    assert [place for place in spliced(ours) if place.partition(":")[0] not in SPLICED] == []
    silenced = [each.place for each in ours if "noqa: S608" in (ROOT / each.place).read_text(encoding="utf-8")]
    assert set(silenced) <= set(SPLICED)
    bad = ['connection.execute(text(f"DELETE FROM {table}"))', 'c.exec_driver_sql("SELECT %s" % name)', 'text("{}".format(x))']
    assert [len(spliced([planted(line)])) > 0 for line in bad] == [True] * 3
    assert spliced([planted('connection.execute(text("SELECT 1"), {"a": b})')]) == []


def test_the_security_rules_of_the_linter_are_on() -> None:
    """Pickle, eval, unsafe YAML, shells, weak hashes and the like are refused by ruff's rules S and B, everywhere in our code."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert {"S", "B"} <= set(settings["select"])
    assert [code for code in settings["ignore"] if re.match(r"S\d|B\d", code)] == []
    elsewhere = {place: codes for place, codes in settings["per-file-ignores"].items() if not place.startswith("tests/")}
    assert [code for codes in elsewhere.values() for code in codes if re.match(r"S\d|B\d", code)] == []
    banned = {"pickle", "marshal", "shelve", "yaml", "xml", "zipfile", "tarfile"}
    imports = [
        f"{module.place} imports {name}"
        for module in modules("jobs", "batch", "schemas")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.partition(".")[0] in banned
    ]
    assert imports == []


def test_no_file_has_a_name_that_can_be_guessed() -> None:
    """Nothing is put under /tmp by a name of its own: what only passes by comes from `tempfile`, which makes it private."""
    texts = [
        f"{module.place}:{node.lineno}"
        for module in modules("jobs", "batch", "schemas")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"(^|[\s'\"])/(var/)?tmp/", node.value)
    ]
    assert texts == []
