"""All 118 faults of the catalogue, by id: what it is, and what lets it strike, or why nothing can yet.

`world`: it strikes in seeded worlds, and is counted there each time. `tests`: these files let it strike on another
level, where it cannot strike inside one process, or as well. `door`: the product has no way by which it (or the rest
of it) could come in; `DOORS` says how to see that it has one, and a test fails then until somebody lets it strike.
"""

from pathlib import Path
from typing import get_args

from typer.main import get_command

from jobs.cli import app
from schemas.settings import Settings
from tests.world.faults_inside import INSIDE
from tests.world.faults_outside import OUTSIDE

REPOSITORY = Path(__file__).resolve().parents[2]
FAULTS = OUTSIDE | INSIDE

DOORS: dict[str, tuple[str, ...]] = {
    "import": ("command intake", "module batch/intake.py"),
}
"""What would have to be there for a fault to come in: a module, a command, a section or a choice of the settings."""


def is_open(door: str) -> bool:
    """Whether the product has got the door since."""
    return any(_is_there(*mark.split(" ")) for mark in DOORS[door])


def _is_there(kind: str, name: str, choice: str = "") -> bool:
    if kind == "module":
        return (REPOSITORY / name).exists()
    if kind == "command":
        return name in get_command(app).commands  # type: ignore[attr-defined]
    section, _, key = name.partition(".")
    if kind == "section":
        return section in Settings.model_fields
    inner = Settings.model_fields[section].annotation
    assert inner is not None
    return choice in get_args(inner.model_fields[key].annotation)
