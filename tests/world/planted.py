"""Planted bugs: small patches, each of which breaks a promise, and the invariant that must notice it.

A patch replaces one text of one file. It is made in a copy of the source, never in the source itself.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.world.schedule import Deed, Kind, Schedule

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Planted:
    """One bug: what it is, where, the text that is replaced (it stands there exactly once), who notices, in which schedule."""

    name: str
    file: str
    old: str
    new: str
    invariant: str
    aim: str


def _after(kind: Kind, at: int, name: str = "") -> str:
    return Schedule(1, 4, (Deed(kind, 0, at, name),)).as_json()


_QUIET = Schedule(1, 4, ()).as_json()

PLANTED = (
    Planted(
        "a lost answer to the rename is taken for a failure, and the file is sent again",
        "batch/delivery.py",
        '                return self._delivered(batch, "the part is gone: the rename happened")\n'
        "            if isinstance(problem, SftpRefused):",
        "                folder.write_part(part, self._content(batch)[0])\n            if isinstance(problem, SftpRefused):",
        "I2",
        _after("fault", 0, "drop_after_rename"),
    ),
    Planted(
        "a decline releases although the provider says that it is still processing",
        "batch/conclusions.py",
        "        return _arrived(facts, said)\n    if meaning is Meaning.COMPLETED",
        "        return _not_recovered(facts, Meaning.NOT_RECOVERED, said)\n    if meaning is Meaning.COMPLETED",
        "I1",
        _QUIET,
    ),
    Planted(
        "every final answer counts as recovered",
        "batch/conclusions.py",
        "    return _not_recovered(facts, meaning, said)\n",
        '    return _onwards(facts, State.COMPLETED, "recovered")\n',
        "I3",
        _QUIET,
    ),
    Planted(
        "the token is kept in the exported CSV",
        "batch/delivery.py",
        "equipment.export.write(batch.business_date, batch.batch_id, batch.kind, canonical)",
        "equipment.export.write(batch.business_date, batch.batch_id, batch.kind, canonical"
        " + equipment.api.fresh_token().encode())",
        "I18",
        _QUIET,
    ),
    Planted(
        "results are never written to the order rows",
        "batch/results.py",
        "    refused = equipment.writer.lift_holds(withdrawn, now=now) | equipment.writer.write_results(results, now=now)",
        "    refused = {result.order_id: 'no' for result in results if False}\n    return dict.fromkeys("
        "[s.hold_reference for s in due], Outcome.WRITTEN)",
        "I5",
        _QUIET,
    ),
    Planted(
        "an error while writing an export is not foreseen",
        "batch/export.py",
        "        except OSError as error:",
        "        except ZeroDivisionError as error:",
        "I20",
        _after("disk full", 19),
    ),
)
"""Each is caught by the invariant that it names; a test plants every one."""


def judged(bug: Planted, folder: Path) -> str:
    """Plant a bug in a copy of the source and judge its schedule there; what that said. Raises ValueError for a misfit."""
    for name in ("batch", "jobs", "schemas", "tests"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / bug.file
    text = path.read_text(encoding="utf-8")
    if text.count(bug.old) != 1:
        message = f"{bug.name}: its text stands {text.count(bug.old)} times in {bug.file}"
        raise ValueError(message)
    path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    command = [sys.executable, "-m", "tests.world", "judge", bug.aim]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)
    return done.stdout + done.stderr
