"""Where tests put what need not wait for a disk."""

import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT
from tests.in_memory import IN_MEMORY, in_memory

MADE = """
import os
from tests.in_memory import private_folder
folder = private_folder("mine")
child = os.fork()
if not child:
    raise SystemExit
os.waitpid(child, 0)
print(folder, folder.is_dir())
"""


def test_what_is_too_small_or_missing_is_not_used(tmp_path: Path) -> None:
    """A place that lacks the room, or is not there, is not taken; one that fits is."""
    assert in_memory(place=tmp_path) == tmp_path
    assert in_memory(1 << 60, place=tmp_path) is None
    assert in_memory(place=tmp_path / "none") is None


def test_a_private_folder_is_gone_with_its_maker() -> None:
    """It outlives a child of the process that made it, and ends with that process; others cannot look into it."""
    ended = subprocess.run([sys.executable, "-c", MADE], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    folder, is_there = ended.stdout.split()

    assert is_there == "True"
    assert "mitbatch-mine-" in folder
    assert not Path(folder).exists()
    assert in_memory() in {None, IN_MEMORY}
