"""The outside world that a run is given besides its servers: process identity, deadlines, signals, threads, fresh ids."""

import asyncio
import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

from batch.ledger import Batch, Owner
from schemas.errors import AnswerUnreadable, Interrupted, NothingSent, Stopped, Terminated

Given = TypeVar("Given")
STDERR = 2


def this_process() -> Owner:
    """Who runs this: enough to tell later, on the same machine, whether it still does."""
    return Owner(host=socket.gethostname(), pid=os.getpid(), pid_started=_started(os.getpid()))


def is_alive(owner: Owner) -> bool:
    """Whether a process of this machine still runs, and is not another one that was given its number since."""
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not owner.pid_started or _started(owner.pid) == owner.pid_started


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def new_run_id() -> str:
    """A fresh id for a run."""
    return uuid.uuid4().hex


def new_batch_id() -> str:
    """A fresh id for a batch: 12 hex digits."""
    return uuid.uuid4().hex[:12]


def new_scrub_key() -> str:
    """A fresh key, in hex, for hashing ids that hold a card number."""
    return os.urandom(32).hex()


@contextmanager
def watch(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Run the action unless the block has ended within so many seconds."""
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def side_by_side(workers: int) -> Callable[[Callable[[Batch], None], Sequence[Batch]], None]:
    """Several batches at a time on that many threads; one worker goes through them in order, in this thread."""

    def in_order(work: Callable[[Batch], None], batches: Sequence[Batch]) -> None:
        for batch in batches:
            work(batch)

    def in_threads(work: Callable[[Batch], None], batches: Sequence[Batch]) -> None:
        if len(batches) < 2:
            in_order(work, batches)
            return
        with ThreadPoolExecutor(max_workers=min(workers, len(batches))) as pool:
            futures = [pool.submit(work, batch) for batch in batches]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise min(errors, key=lambda error: isinstance(error, NothingSent | AnswerUnreadable))  # the gravest first

    return in_order if workers == 1 else in_threads


async def aside(work: Callable[[], Given]) -> Given:
    """Do a piece of work on another thread, while this one goes on with the requests that are under way."""
    return await asyncio.to_thread(work)


class StopRequest:
    """Ctrl-C and SIGTERM: the first lets the step in hand finish, the second stops at once. Either is safe."""

    def __init__(self) -> None:
        self._wanted: Stopped | None = None

    def check(self) -> None:
        """Raise Interrupted or Terminated when somebody asked for it."""
        if self._wanted is not None:
            raise self._wanted

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for both signals inside the block; only possible in the main thread, elsewhere nothing is listened for."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)

    def _asked(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self._wanted is not None:
            raise KeyboardInterrupt
        kind = Interrupted if number == signal.SIGINT else Terminated
        self._wanted = kind(f"The run was asked to stop ({name}); the step in hand was finished.")
        line = f"{name}: finishing the step in hand; once more stops at once.\n"
        with suppress(OSError):  # past sys.stderr, which may be in the midst of another line: it refuses to be entered twice
            os.write(STDERR, line.encode())
