"""What one campaign of the long tests says when it is over, and how its cases are spread over the cores."""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

Case = TypeVar("Case")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Campaign:
    """One campaign: the target figure that it serves (T1 to T15), what it counted, and every violation that it found.

    `figures` are counts by what they count ("schedules", "faults fired"); `violations` are sentences that say how to
    run the case again; `seconds` is wall time.
    """

    target: str
    title: str
    figures: dict[str, int]
    violations: tuple[str, ...]
    seconds: float
    notes: tuple[str, ...] = field(default=())


def on_all_cores(work: Callable[[Case], Result], cases: Iterable[Case], *, chunk: int = 1) -> Iterator[Result]:
    """Do the work for every case in forked workers, one for each core; results come in the order of the cases.

    The parent must have no other thread. An error in a worker is raised here.
    """
    with multiprocessing.get_context("fork").Pool(os.cpu_count() or 1, initializer=_begin) as pool:
        yield from pool.imap(work, cases, chunksize=chunk)


def _begin() -> None:
    """Leave Ctrl-C to the parent, which ends the pool; and what it has imported is no garbage: never look at it again."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
