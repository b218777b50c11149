"""Dying without losing the world: the process forks at a point, and the fork is the world after the death.

The fork never goes back into the run that died: its frames stay as they were, nothing of it is rolled back, closed or
tidied. Its databases are copies of the files as they lay there at that moment, with whatever journal stood beside them.
The run itself goes on in the parent, untouched, to the next point.
"""

import asyncio
import gc
import os
import pickle
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.world.world import Ended, World

Result = TypeVar("Result")

_UNTOUCHED: list[Any] = []
"""What belongs to the dead: kept, so that nothing of it is ever closed."""


@contextmanager
def watching(world: World, at_each: Callable[[str], None]) -> Iterator[None]:
    """Something is done at each point of the runs inside the block, by a function that gets the label."""
    world.points.watchers.append(at_each)
    try:
        yield
    finally:
        world.points.watchers.remove(at_each)


def in_a_fork(world: World, life: Callable[[], Result], died: str = "") -> Result:
    """What `life` says in a fork of this world. `died` is the job of the run that dies here; empty: none does.

    Whatever it does, this process and its world are afterwards as they were. Raises AssertionError for what broke out of it.
    """
    folder = world.ground.folder
    aside = folder.with_name(f"{folder.name}-{os.getpid()}")
    answers, ours = os.pipe()
    folder.rename(aside)
    pid = os.fork()
    if pid == 0:
        os.close(answers)
        _live(world, life, died, aside, ours)
    os.close(ours)
    with os.fdopen(answers, "rb") as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    assert said, "a fork ended without a word"
    failure, result = pickle.loads(said)  # noqa: S301 - our own fork wrote it
    assert not failure, failure
    return result  # type: ignore[no-any-return]


def _live(world: World, life: Callable[[], Result], died: str, aside: Path, ours: int) -> None:
    """The fork's whole life."""
    try:
        gc.freeze()
        _arise(world, died, aside)
        said = pickle.dumps(("", life()))
    except BaseException:  # noqa: BLE001 - the parent shows it
        said = pickle.dumps((traceback.format_exc(), None))
    with os.fdopen(ours, "wb") as stream:
        stream.write(said)
    sys.stdout.flush()
    os._exit(0)


def _arise(world: World, died: str, aside: Path) -> None:
    """Stand on copies of all files, and let go of everything that the dead run had open."""
    shutil.copytree(aside, world.ground.folder, ignore=shutil.ignore_patterns("*-shm"))
    asyncio.events._set_running_loop(None)
    for engine in world.ground.engines.values():
        _UNTOUCHED.append(engine.pool)
        engine.dispose(close=False)
    journal = world.provider._journal
    _UNTOUCHED.append(journal._file)
    journal._file = None
    points = world.points
    points.watchers.clear()
    points.plan.clear()
    points._inside = False
    if died:
        world._alive.discard(world._process)
        world.witness.ends()
        world.runs.append((died, Ended(killed=True, code=137)))
