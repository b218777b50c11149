"""S26: a release has its bill of materials, made from the lock by the build, and it leaves nothing out."""

import json
import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests import sbom
from tests.house.source import ROOT
from tests.house.test_dependencies import declared, locked

BILL = sbom.bill(sbom.LOCK.read_text(encoding="utf-8"))
NAMES = {each["name"] for each in BILL["components"]}


def test_everything_that_is_shipped_is_on_the_bill() -> None:
    """Each direct dependency, and whatever those need, with the lock's version and hashes; nothing of the tests alone."""
    wanted = [*declared(), *(each for extra in sbom.SHIPPED for each in declared(extra))]

    assert {canonicalize_name(each.name) for each in wanted} <= NAMES
    assert {"pycparser", "markupsafe", "psycopg-binary"} <= NAMES
    assert NAMES & {"pytest", "mypy", "ruff", "hypothesis", "openpyxl"} == set()
    for each in BILL["components"]:
        (source,) = each["externalReferences"]
        assert each["version"] == str(locked()[each["name"]][0])
        assert len(source["hashes"]) == locked()[each["name"]][1] > 0
        assert each["bom-ref"] == each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"


def test_the_bill_says_who_needs_whom() -> None:
    """Every library is reached from the program, and every name in the graph is on the bill."""
    refs = {each["bom-ref"] for each in BILL["components"]} | {BILL["metadata"]["component"]["bom-ref"]}
    edges = {each["ref"]: set(each["dependsOn"]) for each in BILL["dependencies"]}
    reached, waiting = set[str](), [BILL["metadata"]["component"]["bom-ref"]]
    while waiting:
        ref = waiting.pop()
        reached.add(ref)
        waiting += edges[ref] - reached

    assert set(edges) == refs == reached


def test_the_bill_has_the_form_of_its_standard(tmp_path: Path) -> None:
    """CycloneDX 1.6: what names it, and the forms of what is in it; the same lock gives the same bytes."""
    sbom.main(tmp_path / "one.json")
    sbom.main(tmp_path / "two.json")
    found = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))

    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    assert found["metadata"]["component"]["name"] == "mitbatch"
    hashes = [each for one in found["components"] for each in one["externalReferences"][0]["hashes"]]
    assert [each for each in hashes if not re.fullmatch("[0-9a-f]{64}", each["content"]) or each["alg"] != "SHA-256"] == []


def test_what_is_not_locked_is_no_bill() -> None:
    """A library without its line in the lock ends the build."""
    text = sbom.LOCK.read_text(encoding="utf-8")
    short = re.sub(r"^paramiko==(?:[^\\\n]|\\\n)*", "", text, flags=re.MULTILINE)
    with pytest.raises(KeyError, match="paramiko"):
        sbom.bill(short)


def test_the_build_makes_it() -> None:
    """What decides whether a change lands installs by hash alone, and writes the bill."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "-m tests.sbom" in script
    assert "--require-hashes -r requirements.lock" in script
