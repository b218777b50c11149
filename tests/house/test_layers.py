"""What may import what, and what nobody but jobs may reach for."""

import pytest

from tests.house import rules
from tests.house.kinds import KINDS, TYPES_OF_EDGES
from tests.house.source import Module, imported, modules, planted


def test_imports_point_one_way() -> None:
    """Imports point from jobs to batch to schemas, and the pretend provider imports nothing of the merchant's side."""
    assert rules.wrong_way(modules()) == []


def test_the_sandbox_reaches_nothing_of_ours_by_a_detour() -> None:
    """Whatever the pretend provider imports of jobs does not itself lead to batch or schemas."""
    assert rules.shared_with_the_sandbox(modules()) == []


def test_every_module_of_batch_keeps_to_its_kind() -> None:
    """Pure modules do no I/O, an edge knows one outside thing, and only flows hold several."""
    assert rules.wrong_kind(modules("batch"), KINDS, TYPES_OF_EDGES) == []


def test_the_table_of_kinds_names_only_modules_that_exist() -> None:
    """The table of kinds has no entry for a module that is gone."""
    assert sorted(set(KINDS) - {module.name for module in modules("batch")}) == []


def test_batch_and_schemas_are_handed_what_they_need() -> None:
    """No module of batch or schemas reads a clock, makes an id, sleeps, opens a socket or an engine, or prints."""
    assert rules.reaches_outside(modules("batch", "schemas")) == []


def test_batch_and_schemas_touch_files_only_through_the_disk_that_they_are_handed() -> None:
    """No module of batch or schemas opens, reads, makes or removes a file by itself."""
    assert rules.goes_past_the_disk(modules("batch", "schemas")) == []


@pytest.mark.parametrize(
    "text", ["import os", "from os import open", "from io import FileIO", "x = path.read_bytes()", "p.mkdir()"]
)
def test_going_past_the_disk_is_found(text: str) -> None:
    """A planted file library or a path that is read or made is named."""
    assert len(rules.goes_past_the_disk([planted(text)])) == 1


def test_schemas_do_no_io() -> None:
    """Schemas say what things look like; outside the migrations none imports a library that touches the world."""
    allowed = {"sqlalchemy"}
    found = [
        f"{module.place} imports {name}"
        for module in modules("schemas")
        if ".migrations" not in module.name
        for name in imported(module)
        if name.partition(".")[0] in rules.IO_LIBRARIES - allowed
    ]

    assert found == []


@pytest.mark.parametrize(
    ("module", "complaint"),
    [
        (planted("import jobs.cli", "batch.x"), "batch/x.py imports jobs"),
        (planted("def f():\n    from batch import gate", "schemas.x"), "schemas/x.py imports batch"),
        (planted("from tests.house import rules", "jobs.x"), "jobs/x.py imports tests"),
        (planted("import schemas.order", "jobs.sandbox.x"), "jobs/sandbox/x.py imports schemas"),
        (planted("from ..batch import gate", "jobs.sandbox.x"), ""),
        (planted("import jobs.clock\nimport batch", "jobs.x"), ""),
    ],
)
def test_an_import_against_the_direction_is_found(module: Module, complaint: str) -> None:
    """A planted import against the direction is named with its file, an allowed one is not."""
    assert rules.wrong_way([module]) == ([complaint] if complaint else [])


def test_a_detour_is_found() -> None:
    """A planted detour from the sandbox over jobs to schemas is named."""
    chain = [
        planted("import jobs.y", "jobs.sandbox.x"),
        planted("from schemas import order", "jobs.y"),
        planted("", "schemas.order"),
    ]

    assert rules.shared_with_the_sandbox(chain) == ["jobs/sandbox/x.py reaches schemas.order"]


PLANTED_KINDS = {
    "batch.p": ("pure", ""),
    "batch.e": ("edge", "one thing"),
    "batch.e2": ("edge", "one thing"),
    "batch.other": ("edge", "another thing"),
    "batch.f": ("flow", ""),
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("batch.p", "import sqlalchemy"),
        ("batch.p", "from sqlalchemy import select"),
        ("batch.p", "def f():\n    import os.path"),
        ("batch.p", "from pathlib import Path\nx = Path('a').read_text()"),
        ("batch.p", "x = open('a')"),
        ("batch.p", "from batch.e import thing"),
        ("batch.p", "from batch import f"),
        ("batch.e", "from batch.other import thing"),
        ("batch.e", "import batch.f"),
        ("batch.f", "from sqlalchemy import update"),
        ("batch.f", "import paramiko"),
        ("batch.new", ""),
    ],
)
def test_a_module_against_its_kind_is_found(name: str, text: str) -> None:
    """A planted module that does what its kind may not, or that has no kind, is named."""
    assert len(set(rules.wrong_kind([planted(text, name)], PLANTED_KINDS, {}))) >= 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("batch.p", "from uuid import uuid5\nfrom datetime import datetime, time\nimport batch.p"),
        ("batch.e", "import sqlalchemy\nfrom batch.e2 import x\nfrom batch.p import y"),
        ("batch.f", "from batch import e, other, p"),
    ],
)
def test_a_module_that_keeps_to_its_kind_is_left_alone(name: str, text: str) -> None:
    """A planted module that does only what its kind may is not complained of."""
    assert rules.wrong_kind([planted(text, name)], PLANTED_KINDS, {}) == []


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\nx = datetime.now(UTC)",
        "import datetime as d\nx = d.datetime.utcnow()",
        "import time\ntime.sleep(1)",
        "from time import monotonic as m\nx = m()",
        "from uuid import uuid4\nx = field(default_factory=uuid4)",
        "import uuid\nx = uuid.uuid1()",
        "import random\nx = random.choice(y)",
        "import secrets\nx = secrets.token_hex()",
        "import os\nx = os.urandom(3)",
        "import os\nx = os.environ['A']",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)",
        "import socket\nx = socket.create_connection(y)",
        "import socket\nx = socket.socket()",
        "from sqlalchemy import create_engine\nx = create_engine(y)",
        "print('hello')",
    ],
)
def test_reaching_outside_is_found(text: str) -> None:
    """A planted clock, id, sleep, socket or engine is named with its line."""
    assert len(rules.reaches_outside([planted(text)])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import time, datetime\nx = time(0)\ny = datetime.fromisoformat(z)",
        "from uuid import UUID, uuid5\nx = uuid5(UUID(a), b)",
        "import socket\ndef f() -> socket.socket: ...",
        "x = clock.now()\nclock.sleep(3)\nself.time.sleep(3)",
    ],
)
def test_what_is_handed_is_left_alone(text: str) -> None:
    """Times of day, version 5 ids, types and clocks that were handed in are not complained of."""
    assert rules.reaches_outside([planted(text)]) == []
