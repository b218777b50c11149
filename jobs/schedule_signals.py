"""Ctrl-C and SIGTERM to a schedule: whenever they come, each ends the wait, and reaches every job at work exactly once.

A handler may come amid any line of the main thread, so here it takes no lock that this thread may hold: it notes the signal
and passes it on. What wakes the wait is a byte that is written as the signal arrives, so that none is lost before the wait.
"""

import contextlib
import signal
import socket
import subprocess
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether a schedule was asked to stop, and the jobs at work that hear of it."""

    def __init__(self) -> None:
        self._asked: list[int] = []
        self._jobs: set[subprocess.Popen[bytes]] = set()
        self._passed_on: dict[tuple[subprocess.Popen[bytes], int], object] = {}
        self._bell, self._rung = socket.socketpair()
        for end in (self._bell, self._rung):
            end.settimeout(0)

    @property
    def is_asked(self) -> bool:
        """Whether anybody asked for it."""
        return bool(self._asked)

    @property
    def first(self) -> int:
        """The number of the first signal."""
        return self._asked[0]

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for both signals inside the block, which only the main thread can."""
        waker = signal.set_wakeup_fd(self._rung.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, self._signalled) for number in ENDING}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)
            signal.set_wakeup_fd(waker)
            self._bell.close()
            self._rung.close()

    def wait(self) -> None:
        """Wait until somebody asks for it."""
        self._bell.settimeout(None)
        while not self._asked:
            self._bell.recv(1)

    def began(self, job: "subprocess.Popen[bytes]") -> None:
        """A job is at work: it hears of every signal, also of one that came as it was started."""
        self._jobs.add(job)
        self._pass_on()

    def ended(self, job: "subprocess.Popen[bytes]") -> None:
        """A job is at work no more."""
        self._jobs.discard(job)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._asked.append(number)
        self._pass_on()

    def _pass_on(self) -> None:
        """Send each signal to each job that has not had it: a second one would cut off the step in hand.

        Two threads may be here at once, and one of them twice. Who is the first to claim a signal for a job sends it.
        """
        for job in list(self._jobs):
            for place, number in enumerate(list(self._asked)):
                mine = object()
                if self._passed_on.setdefault((job, place), mine) is mine:
                    job.send_signal(number)
