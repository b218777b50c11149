"""The bill of materials of a release: `python -m tests.sbom FILE` writes it from the lock and from what is installed.

CycloneDX 1.6 (ECMA-424) as JSON. It asks nobody: versions and hashes are the lock's, licences and who needs whom are those
of the installed packages. What only the tests need is left out. The same lock gives the same bytes.
"""

import json
import re
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK, OURS = ROOT / "requirements.lock", "mitbatch"
SHIPPED = ("sandbox", "report", "serve", "postgres")
"""Extras whose libraries are locked with the base install's; `keyring` is the operating system's, `dev` the tests'."""


def locked(text: str) -> dict[str, tuple[str, list[str]]]:
    """By name: the version, and the SHA-256 of every file that may be installed for it."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            wanted = Requirement(line.partition("--hash")[0].strip())
            (pin,) = wanted.specifier
            found[canonicalize_name(wanted.name)] = (pin.version, sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)))
    return found


def _project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def needs(name: str, extras: frozenset[str]) -> dict[str, frozenset[str]]:
    """What a package needs on this machine, with the extras that it asks for; nothing of one that is not installed."""
    if name == OURS:
        declared = _project()
        words = [*declared["dependencies"], *(word for extra in extras for word in declared["optional-dependencies"][extra])]
    else:
        installed = _installed(name)
        words = installed.requires or [] if installed is not None else []
    found: dict[str, frozenset[str]] = {}
    for wanted in map(Requirement, words):
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in (*sorted(extras), "")):
            key = canonicalize_name(wanted.name)
            found[key] = found.get(key, frozenset()) | frozenset(wanted.extras)
    return found


def graph(root: str, extras: tuple[str, ...] = SHIPPED) -> dict[str, list[str]]:
    """By name: what it needs; everything that the package brings, and nothing else."""
    asked, found, waiting = {root: frozenset(extras)}, dict[str, list[str]](), [root]
    while waiting:
        name = waiting.pop()
        needed = needs(name, asked[name])
        found[name] = sorted(needed)
        for other, wanted in needed.items():
            if other not in asked or wanted - asked[other]:
                asked[other] = asked.get(other, frozenset()) | wanted
                waiting.append(other)
    return found


def bill(lock: str) -> dict[str, Any]:
    """The document."""
    pins, needed = {**locked(lock), OURS: (_project()["version"], [])}, graph(OURS)
    libraries = sorted(set(needed) - {OURS})
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component("application", OURS, *pins[OURS])},
        "components": [_component("library", name, *pins[name]) for name in libraries],
        "dependencies": [
            {"ref": _purl(name, pins[name][0]), "dependsOn": [_purl(other, pins[other][0]) for other in needed[name]]}
            for name in sorted(needed)
        ],
    }


def _component(kind: str, name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "bom-ref": _purl(name, version), "name": name, "version": version}
    installed = _installed(name)
    licence = installed.metadata.json.get("license_expression") if installed is not None else None
    if licence:
        found["licenses"] = [{"expression": licence}]
    found["purl"] = _purl(name, version)
    if hashes:
        files = [{"alg": "SHA-256", "content": each} for each in hashes]
        source = {"type": "distribution", "url": f"https://pypi.org/simple/{name}/", "hashes": files}
        found["externalReferences"] = [source]
    return found


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _installed(name: str) -> Distribution | None:
    """The installed package; none of one that only another system needs."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def main(path: Path) -> None:
    """Write it."""
    path.write_text(json.dumps(bill(LOCK.read_text(encoding="utf-8")), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
