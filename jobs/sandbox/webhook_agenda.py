"""What is still to be told, each at its moment on the sandbox's clock, by one background thread."""

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jobs.sandbox.moments import Clock
from jobs.sandbox.webhook_delivery import Endpoint
from jobs.sandbox.webhook_events import Notice


@dataclass(order=True)
class Due:
    """One notice to be sent at a moment. `ready` holds headers and body that are to be sent again as they are.

    `held` says that faults have had their say in what and when; `resent` that it was sent before.
    """

    at: datetime
    n: int
    notice: Notice = field(compare=False)
    endpoint: Endpoint = field(compare=False)
    attempt: int = field(compare=False, default=1)
    resent: bool = field(compare=False, default=False)
    held: bool = field(compare=False, default=False)
    ready: tuple[dict[str, str], bytes] | None = field(compare=False, default=None)


class Agenda:
    """Hold what is due and hand it to `tell`, one at a time and in order. Nothing is kept while there is no endpoint."""

    def __init__(self, clock: Clock, tell: Callable[[Due], None]) -> None:
        self.endpoint: Endpoint | None = None
        self._clock, self._tell = clock, tell
        self._heap: list[Due] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._is_telling = False
        self._stopping = False
        self._is_inline = False
        self._thread: threading.Thread | None = None

    def register(self, endpoint: Endpoint, *, inline: bool = False) -> None:
        """Tell this endpoint from now on; the thread starts with the first.

        `inline`: without a thread, by whoever calls `catch_up`, which then returns when everything due has been told.
        """
        with self._changed:
            self.endpoint = endpoint
            self._is_inline = inline
            if self._thread is None and not inline:
                self._stopping = False
                self._thread = threading.Thread(target=self._serve, name="webhooks", daemon=True)
                self._thread.start()

    def forget(self) -> None:
        """Forget the endpoint and what is due."""
        with self._changed:
            self.endpoint = None
            self._heap.clear()

    def stop(self) -> None:
        """End the thread after what it is sending; what is due stays untold."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def line_up(self, notice: Notice) -> None:
        """Let this be told now."""
        with self._changed:
            if self.endpoint is not None:
                self._push(Due(self._clock.now(), next(self._count), notice, self.endpoint))

    def follow(self, due: Due, wait: timedelta, **changed: object) -> None:
        """Line up what follows from a delivery, unless its endpoint has been forgotten or replaced since."""
        follower = replace(due, at=due.at + wait, n=next(self._count), **changed)  # type: ignore[arg-type]
        with self._changed:
            if self.endpoint is due.endpoint:
                self._push(follower)

    def catch_up(self) -> None:
        """Let everything be sent that is due by now."""
        while self._is_inline and (due := self._next_due()) is not None:
            self._tell(due)
        with self._changed:
            if self._heap and self._heap[0].at <= self._clock.now():
                self._changed.notify_all()

    def settle(self, seconds: float) -> bool:
        """Wait until everything that is due by now has been sent and answered; False if that takes too long."""
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._stopping or not (self._is_telling or self._has_due()), seconds)

    def _push(self, due: Due) -> None:
        heapq.heappush(self._heap, due)
        self._changed.notify_all()

    def _has_due(self) -> bool:
        return bool(self._heap) and self._heap[0].at <= self._clock.now()

    def _next_due(self) -> Due | None:
        with self._changed:
            return heapq.heappop(self._heap) if self._has_due() else None

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._has_due())
                if self._stopping:
                    return
                due = heapq.heappop(self._heap)
                self._is_telling = True
            try:
                self._tell(due)
            finally:
                with self._changed:
                    self._is_telling = False
                    self._changed.notify_all()
