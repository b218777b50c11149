"""Judging a planted bug: by its aim, or by fresh seeds; and whether the invariant that it breaks is the one that says so."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.world.planted.bug import REPOSITORY, Fails, Planted
from tests.world.planted.in_place import replaced_in_place
from tests.world.planted.listening import failures
from tests.world.planted.planting import MOST_WAITING, in_child, plant

MOST_SECONDS = 120
"""Time of the processor that a bug's judge may take."""


@dataclass(frozen=True)
class Verdict:
    """What came of a bug: whether it was caught, what was said, how many fresh seeds it took (0: none found it), CPU time."""

    slug: str
    caught: bool
    said: tuple[str, ...]
    seeds: int = 0
    seconds: float = 0.0


def aimed(bug: Planted) -> Verdict:
    """Plant a bug and let its aim judge it; before it is called missed, once more in a project that is loaded anew with it."""
    started = time.process_time() + sum(os.times()[2:4])
    is_caught, said = _judged(bug, anew=False)
    if not is_caught:
        is_caught, said = _judged(bug, anew=True)
    spent = time.process_time() + sum(os.times()[2:4]) - started
    return Verdict(bug.slug, is_caught, tuple(said), seconds=spent)


def _judged(bug: Planted, *, anew: bool) -> tuple[bool, list[str]]:
    aim = bug.aim
    if isinstance(aim, Fails):
        said = _said_in_copy(bug, aim) if aim.copied else in_child(partial(_failures, bug, aim, anew=anew), MOST_SECONDS)
        return any(aim.words in words for words in said), said
    said = in_child(partial(happened, bug, aim.schedule, anew=anew), MOST_SECONDS)
    return any(words.startswith(f"{bug.invariant}:") for words in said), said


def hunted(bug: Planted, first: int, most: int) -> Verdict:
    """Plant a bug and try fresh seeds until one breaks its invariant, at most so many."""
    said = in_child(partial(_hunt, bug, first, most), MOST_SECONDS + 2 * most)
    return Verdict(bug.slug, bool(said[0]), tuple(said[1]), seeds=said[0], seconds=said[2])


def happened(bug: Planted | None, schedule: str, *, anew: bool = False) -> list[str]:
    """Violations of a schedule with the bug there, or with none; for a child that ends with it.

    `anew`: whatever can be done, the project is loaded anew with the bug.
    """
    if bug is not None and (anew or not replaced_in_place(bug.file, bug.patched())):
        plant(bug.file, bug.patched())
    from tests.world.schedule import from_json
    from tests.world.shrink import violations_of
    from tests.world.world import ground, leave_ground

    parents = ground() if ground.cache_info().currsize else None  # kept: what it has open must not be closed in a child
    leave_ground()
    try:
        return violations_of(from_json(schedule))
    finally:
        leave_ground()
        del parents


def _hunt(bug: Planted, first: int, most: int) -> tuple[int, list[str], float]:
    plant(bug.file, bug.patched())
    from tests.world.schedule import schedule_of
    from tests.world.shrink import ids_of, violations_of
    from tests.world.world import ground

    others: list[str] = []
    try:
        for tried in range(most):
            violations = violations_of(schedule_of(first + tried))
            if bug.invariant in ids_of(violations):
                return tried + 1, [schedule_of(first + tried).as_json(), *violations], time.process_time()
            others += violations[: 3 - len(others)]
        return 0, others, time.process_time()
    finally:
        ground().leave()


def _failures(bug: Planted, aim: Fails, *, anew: bool) -> list[str]:
    """What the aimed test says when it fails; for a child that ends with it."""
    return failures(bug.file, bug.patched(), (aim.node,), "-vvv", anew=anew)


def _said_in_copy(bug: Planted, aim: Fails) -> list[str]:
    """The same by a pytest of its own in a copy of the source."""
    with tempfile.TemporaryDirectory(prefix="mitbatch-planted-") as temporary:
        folder = Path(temporary)
        for name in ("batch", "jobs", "schemas", "tests"):
            shutil.copytree(REPOSITORY / name, folder / name)
        shutil.copy2(REPOSITORY / "pyproject.toml", folder)
        (folder / bug.file).write_text(bug.patched(), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        command = [sys.executable, "-m", "pytest", "--tb=short", "-vvv", "-rf", aim.node]
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=MOST_WAITING, check=False
            )
            return [done.stdout[-20000:]] if f"FAILED {aim.node}" in done.stdout else []
    return []
