"""`--json` is a contract (INTERFACE 2): each kind of object has its JSON Schema, and every command keeps to those."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.cli import run
from jobs.clock import SystemClock
from tests.commands.json_schema import FOLDER, misfits, name_of, not_understood, schema_named
from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.commands.walking import ended, examples, moment
from tests.house.command_tree import command_paths
from tests.house.source import modules

HEAD = ("schema", "type", "command", "run_id", "generated_at", "environment")
NAMES = sorted(path.name.removesuffix(".schema.json") for path in FOLDER.iterdir())
LONG = {"demo": "tests/commands/test_demo.py checks its object"}
"""Commands that are not run here, and why not."""


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after a first night, with the provider's folder where `sandbox` looks for it."""
    with merchant_folder(tmp_path_factory.mktemp("json")) as folder:
        assert folder.run("--quiet nightly") == 10
        (folder.folder / "mitbatch-sandbox").symlink_to(folder.folder / "provider")
        yield folder


def objects_in(text: str) -> list[dict[str, Any]]:
    """Every line as the object that it is."""
    return [json.loads(line) for line in text.splitlines()]


def check(objects: list[dict[str, Any]], command: str) -> None:
    """Each object says what it is and fits its schema, and the last one is the result."""
    assert objects, "nothing was printed"
    for each in objects:
        assert tuple(each)[: len(HEAD)] == HEAD
        assert list(misfits(each, schema_named(name_of(each)))) == []
        assert each["command"] == command
        assert abs((SystemClock().now() - moment(each["generated_at"])).total_seconds()) < 600
    assert [each["type"] == "result" for each in objects] == [False] * (len(objects) - 1) + [True]


@pytest.mark.parametrize("path", [path for path in command_paths() if path not in LONG])
def test_every_command_keeps_to_its_schema(path: str, merchant: MerchantFolder) -> None:
    """Every command's own example, run with `--json` as a process, prints objects that fit their schemas, and nothing else."""
    process = ended(merchant, [*examples()[path], "--json"])
    objects = objects_in(process.stdout)

    check(objects, path)
    if objects[-1]["schema"] == "mitbatch.error/1":
        assert objects[-1]["exit_code"] == process.returncode
    else:
        assert process.returncode in {0, 10, objects[-1].get("exit_code", 30)}


@pytest.mark.parametrize("path", command_paths())
def test_every_command_keeps_to_the_schema_of_errors(path: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Every command with an option that nobody knows ends with 2 and one error object, whose sentence stands on stderr."""
    assert run([*path.split(), "--no-such-option", "--json"]) == 2
    out, err = capfd.readouterr()
    objects = objects_in(out)

    check(objects, path)
    assert (len(objects), objects[0]["schema"], objects[0]["exit_code"]) == (1, "mitbatch.error/1", 2)
    assert err == f"{objects[0]['sentence']}\n"


RUNS = ("nightly", "rerun", "poll", "transmit", "reconcile", "audit")


def test_what_every_run_says_is_required(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Every field that a run's object always has is required by the schema of each kind of run."""
    assert after_a_night.run("--json poll") == 0
    (found,) = objects_in(capfd.readouterr().out)

    assert {"metrics_problem", "alerts", "switches"} < set(found)
    assert [(name, field) for name in RUNS for field in set(found) - set(schema_named(name)["required"])] == []


GROUPS = sorted({path.rpartition(" ")[0] for path in command_paths()})


@pytest.mark.parametrize("path", sorted({*command_paths(), *GROUPS}))
def test_help_is_an_object_too(path: str, capfd: pytest.CaptureFixture[str]) -> None:
    """`--help --json` prints one object: the page that people see, what it is about, and every option with its names."""
    assert run([*path.split(), "--help"]) == 0
    page = capfd.readouterr().out
    assert run([*path.split(), "--help", "--json"]) == 0
    objects = objects_in(capfd.readouterr().out)

    check(objects, path)
    (found,) = objects
    assert (found["schema"], found["text"]) == ("mitbatch.help/1", page)
    assert found["about"].partition(".")[0][:40] in " ".join(page.split())
    for option in found["options"]:
        assert option["names"][0] in page
    assert sorted(found["commands"]) == sorted(
        {each.split()[len(path.split())] for each in command_paths() if _inside(each, path)}
    )


def _inside(each: str, path: str) -> bool:
    return each != path and each.split()[: len(path.split())] == path.split()


def test_the_version_is_an_object_too(capfd: pytest.CaptureFixture[str]) -> None:
    """`--version --json` prints what `--version` prints, as an object."""
    assert run(["--version"]) == 0
    said = capfd.readouterr().out
    assert run(["--version", "--json"]) == 0
    (found,) = objects = objects_in(capfd.readouterr().out)

    check(objects, "")
    assert said == f"mitbatch {found['version']}\n"


def test_help_of_what_does_not_exist_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """A misspelt command is refused, help or not."""
    assert run(["nigthly", "--help", "--json"]) == 2
    (found,) = objects_in(capfd.readouterr().out)
    assert found["code"] == "MB-USAGE"


def test_an_error_names_the_environment(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Where the settings can be read, an error says for which environment they are."""
    assert after_a_night.run("--json explain never-heard-of") == 2
    (found,) = objects_in(capfd.readouterr().out)

    assert (found["environment"], found["command"], found["code"]) == ("sandbox", "explain", "MB-USAGE")


def test_every_schema_that_is_printed_has_its_file() -> None:
    """Every `mitbatch.NAME/1` in the source has its schema, and every schema is one that the source can print."""
    texts = [node.value for module in modules("jobs") for node in ast.walk(module.tree) if isinstance(node, ast.Constant)]
    printed = {found[1] for text in texts if isinstance(text, str) for found in re.finditer(r"\bmitbatch\.([a-z_]+)/1$", text)}
    printed -= {"health"}  # it is answered over HTTP
    by_name = {path.replace(" ", "_") for path in command_paths()} | {"audit", "error"}

    assert sorted(printed - set(NAMES)) == [], "write schemas/json/NAME.schema.json"
    assert sorted(set(NAMES) - printed - by_name) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_well_made(name: str) -> None:
    """A schema names itself, requires what every object has, describes each field, and has no word that nothing checks."""
    schema = schema_named(name)

    assert schema["title"] == f"mitbatch.{name}/1" == schema["properties"]["schema"]["const"]
    assert set(HEAD) <= set(schema["required"]) <= set(schema["properties"])
    assert schema["description"]
    assert [field for field, inner in schema["properties"].items() if not inner.get("description")] == []
    assert list(not_understood(schema)) == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"orders": None}, "is no integer"),
        ({"orders": True}, "is no integer"),
        ({"schema": "mitbatch.holds/2"}, "is not 'mitbatch.holds/1'"),
        ({"environment": "staging"}, "is not among"),
        ({"generated_at": "yesterday"}, "does not match"),
    ],
)
def test_an_object_that_does_not_fit_is_found(change: dict[str, Any], wrong: str) -> None:
    """A field of another type or value, and one that is missing, is told with its place."""
    good: dict[str, Any] = {"schema": "mitbatch.holds/1", "type": "result", "command": "holds list", "run_id": ""}
    good |= {"generated_at": "2026-11-23T06:30:00Z", "environment": "sandbox", "orders": 3}

    assert list(misfits(good, schema_named("holds"))) == []
    assert any(wrong in each for each in misfits(good | change, schema_named("holds")))
    assert list(misfits({**good, "extra": 1}, schema_named("holds"))) == []
    del good["orders"]
    assert list(misfits(good, schema_named("holds"))) == ["$: orders is missing"]


def test_what_is_wrong_deep_inside_is_found() -> None:
    """A list, a map by currency, and a moment inside are checked too."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "object", "additionalProperties": {"$ref": "#/$defs/m"}}}},
        "$defs": {"m": {"type": "integer"}},
    }

    assert list(misfits({"a": [{"USD": 1}, {"USD": "1"}]}, schema)) == ["$.a[1].USD: '1' is no integer"]
    assert list(not_understood({"items": {"oneOf": []}})) == ["oneOf"]


def test_the_schemas_are_shipped() -> None:
    """Whoever installs the program has the schemas."""
    from importlib.resources import files

    assert sorted(Path(str(each)).name for each in files("schemas").joinpath("json").iterdir()) == [
        f"{name}.schema.json" for name in NAMES
    ]
