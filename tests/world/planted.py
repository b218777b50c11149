"""Planted bugs: small patches, each of which breaks a promise, and the invariant that must notice it.

A patch replaces one text of one file. It is made in a copy of the source, never in the source itself.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Planted:
    """One bug: what it is, where, the text that is replaced (it stands there exactly once), and who must notice."""

    name: str
    file: str
    old: str
    new: str
    invariant: str


PLANTED = (
    Planted(
        "a lost connection at the rename is taken for a failure, and the file is sent again",
        "batch/delivery.py",
        "if batch.step in (BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT):\n            return self._resume(batch)",
        "if batch.step in (BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT):\n            return self._publish("
        "self._write_part(batch))",
        "I2",
    ),
    Planted(
        "a decline releases although the provider says that it is still processing",
        "batch/conclusions.py",
        "        return _arrived(facts, said)\n    if meaning is Meaning.COMPLETED",
        "        return _not_recovered(facts, Meaning.NOT_RECOVERED, said)\n    if meaning is Meaning.COMPLETED",
        "I1",
    ),
    Planted(
        "every final answer counts as recovered",
        "batch/conclusions.py",
        "    return _not_recovered(facts, meaning, said)\n",
        '    return _onwards(facts, State.COMPLETED, "recovered")\n',
        "I3",
    ),
    Planted(
        "the token is kept in the exported CSV",
        "batch/delivery.py",
        "equipment.export.write(batch.business_date, batch.batch_id, batch.kind, canonical)",
        "equipment.export.write(batch.business_date, batch.batch_id, batch.kind, canonical"
        " + equipment.api.fresh_token().encode())",
        "I18",
    ),
    Planted(
        "results are never written to the order rows",
        "batch/results.py",
        "    refused = equipment.writer.lift_holds(withdrawn, now=now) | equipment.writer.write_results(results, now=now)",
        "    refused = {result.order_id: 'no' for result in results if False}\n    return dict.fromkeys("
        "[s.hold_reference for s in due], Outcome.WRITTEN)",
        "I5",
    ),
    Planted(
        "an error while writing an export is not foreseen",
        "batch/export.py",
        "        except OSError as error:",
        "        except ZeroDivisionError as error:",
        "I20",
    ),
)
"""Each is caught by the invariant that it names, within the seeds that the test gives it."""


def hunted(bug: Planted, folder: Path, seeds: int) -> str:
    """Plant a bug in a copy of the source and hunt it; what the hunt printed. Raises ValueError when the patch does not fit."""
    for name in ("batch", "jobs", "schemas", "tests"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / bug.file
    text = path.read_text(encoding="utf-8")
    if text.count(bug.old) != 1:
        message = f"{bug.name}: its text stands {text.count(bug.old)} times in {bug.file}"
        raise ValueError(message)
    path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    command = [sys.executable, "-m", "tests.world", "hunt", "0", str(seeds), "--until", bug.invariant]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)
    return done.stdout + done.stderr
