"""What is installed: few libraries, each used, none below its safe version, all locked with hashes; and what is shipped."""

import fnmatch
import re
import tomllib
from functools import cache
from importlib.metadata import version
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.source import ROOT, imported, modules, tracked_files

IMPORT_NAMES = {
    "pydantic-settings": "pydantic_settings",
    "httpx-aiohttp": "httpx_aiohttp",
    "pytest-mock": "pytest_mock",
    "prometheus-client": "prometheus_client",
}
NOT_IMPORTED = {
    "aiohttp": "httpx-aiohttp imports it; it is declared for the version that is safe",
    "psycopg": "SQLAlchemy imports it where a database URL names PostgreSQL",
    "pytest-xdist": "pytest loads it by itself",
}
FLOORS = {"paramiko": "3.4", "asyncssh": "2.23.1"}


@cache
def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    found: dict[str, Any] = pyproject()["project"]
    return found


@cache
def pyproject() -> dict[str, Any]:
    """The whole of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def declared(extra: str = "") -> list[Requirement]:
    """The direct dependencies of the base install, or of one extra."""
    words = project()["optional-dependencies"][extra] if extra else project()["dependencies"]
    return [Requirement(word) for word in words]


@cache
def locked() -> dict[str, tuple[Version, int]]:
    """By canonical name: the locked version, and how many hashes it has."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, tuple[Version, int]] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement = Requirement(line.partition("--hash")[0].strip())
            pin = next(iter(requirement.specifier))
            assert pin.operator == "=="
            found[canonicalize_name(requirement.name)] = (
                Version(pin.version),
                len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)),
            )
    return found


def test_the_base_install_is_small() -> None:
    """The base install has at most 16 direct dependencies."""
    assert 0 < len(declared()) <= 16


def test_every_dependency_is_used() -> None:
    """Every declared dependency of the base and of an extra for users is imported somewhere, or says why not."""
    used = {name.partition(".")[0] for module in modules() for name in imported(module)}
    wanted = [*declared(), *(each for extra in project()["optional-dependencies"] if extra != "dev" for each in declared(extra))]
    names = {each.name: IMPORT_NAMES.get(each.name, each.name) for each in wanted}

    assert [name for name, module in names.items() if module not in used and name not in NOT_IMPORTED] == []


def test_every_library_that_is_imported_is_declared() -> None:
    """Nothing is imported that only happens to be there because another library brought it."""
    import sys

    extras = [each for extra in ("sandbox", "keyring", "report") for each in declared(extra)]
    names = {IMPORT_NAMES.get(each.name, each.name) for each in [*declared(), *extras]}
    brought = {
        "click": "typer's own foundation, whose exceptions end a command line",
        "markupsafe": "Jinja2's own foundation, which tells text from markup",
    }
    used = {name.partition(".")[0] for module in modules() for name in imported(module)}

    assert sorted(used - names - set(sys.stdlib_module_names) - {"batch", "schemas", "jobs"} - set(brought)) == []


def test_security_floors_hold() -> None:
    """The libraries that speak SSH are declared, locked and installed at versions without the known holes."""
    asked = {each.name: each for each in [*declared(), *declared("sandbox")]}
    for name, floor in FLOORS.items():
        lowest = max(Version(each.version) for each in asked[name].specifier if each.operator in {">=", "~=", "=="})

        assert lowest >= Version(floor), name
        assert locked()[name][0] >= Version(floor), name
        assert Version(version(name)) >= Version(floor), name


def test_the_lock_has_a_hash_for_everything() -> None:
    """Every locked requirement is pinned to one version and has at least one SHA-256."""
    assert len(locked()) > 20
    assert [name for name, (_, hashes) in locked().items() if not hashes] == []


def test_the_lock_covers_what_is_declared() -> None:
    """Every declared requirement, of the base and of every extra but the keyring, is locked at a version that it allows."""
    wanted = [*declared(), *declared("sandbox"), *declared("postgres"), *declared("dev")]
    missing = [each.name for each in wanted if canonicalize_name(each.name) not in locked()]
    unfit = [
        f"{each} is locked at {locked()[canonicalize_name(each.name)][0]}"
        for each in wanted
        if each.name not in missing and not each.specifier.contains(locked()[canonicalize_name(each.name)][0])
    ]

    assert missing == []
    assert unfit == []


def test_every_package_is_shipped() -> None:
    """The patterns of packages to install fit every package of batch, schemas and jobs, and nothing else."""
    patterns = pyproject()["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = {place.rpartition("/")[0].replace("/", ".") for place in tracked_files() if place.endswith(".py")}
    shipped = {folder for folder in folders if any(fnmatch.fnmatch(folder, pattern) for pattern in patterns)}

    assert shipped == {folder for folder in folders if folder.partition(".")[0] in {"batch", "schemas", "jobs"}}
    assert [folder for folder in shipped if f"{folder.replace('.', '/')}/__init__.py" not in tracked_files()] == []


def test_every_data_file_is_shipped() -> None:
    """Whatever lies beside the modules (rules, profiles, the contract, the migrations' template) is named as package data."""
    patterns = {package.replace(".", "/"): globs for package, globs in pyproject()["tool"]["setuptools"]["package-data"].items()}
    loose = [p for p in tracked_files() if p.partition("/")[0] in {"batch", "schemas", "jobs"} and not p.endswith(".py")]
    left = [
        place
        for place in loose
        if not any(
            place.startswith(f"{package}/")
            and fnmatch.fnmatch(place.removeprefix(f"{package}/"), glob)
            and place.removeprefix(f"{package}/").count("/") == glob.count("/")
            for package, globs in patterns.items()
            for glob in globs
        )
    ]

    assert len(loose) >= 4
    assert left == []


def test_the_command_is_installed() -> None:
    """The script `mitbatch` starts what `python -m jobs` starts."""
    assert project()["scripts"] == {"mitbatch": "jobs.__main__:main"}
    assert Version(project()["version"]) == Version(version("mitbatch"))
