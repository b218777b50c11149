"""What happens to orders, told to whoever listens: once each, in order, outside the brain's lock."""

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from jobs.sandbox.courses import Event, Order, Step, course_of

Listener = Callable[[Event, Order], None]
"""Called with the event and the order as it then was; `order.changed` is the moment of the event."""


@dataclass(order=True)
class _Due:
    at: datetime
    n: int
    key: str = field(compare=False)
    step: Step = field(compare=False)


class News:
    """Notice steps when their moment has come, keep what happened in a line, and tell it.

    Everything but `tell` is called with the brain's lock held.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._agenda: list[_Due] = []
        self._line: deque[tuple[Event, Order]] = deque()
        self._count = itertools.count()
        self._telling = threading.RLock()

    def watch(self, listener: Listener) -> None:
        """Tell this listener too, from now on."""
        self._listeners.append(listener)

    def forget(self) -> None:
        """Drop what is due and what is not told yet; the listeners stay."""
        self._agenda.clear()
        self._line.clear()

    def expect(self, order: Order, steps: list[Step]) -> None:
        """Put the steps that announce themselves on the agenda."""
        for step in steps:
            if step.event is not None:
                heapq.heappush(self._agenda, _Due(step.at, next(self._count), order.order_session_key, step))

    def happened(self, event: Event, order: Order, at: datetime) -> None:
        """Put one event at the end of the line."""
        if self._listeners:
            self._line.append((event, replace(order, changed=at)))

    def notice(self, orders: dict[str, Order], now: datetime) -> None:
        """Put every step that is due by now into the line, unless the order has gone another way since."""
        while self._agenda and self._agenda[0].at <= now:
            due = heapq.heappop(self._agenda)
            order = orders.get(due.key)
            if order is not None and due.step.event is not None and due.step in course_of(order):
                self.happened(due.step.event, order, due.at)

    def tell(self) -> None:
        """Call the listeners with everything in the line; one thread at a time, so that the order stays."""
        with self._telling:
            while True:
                try:
                    event, order = self._line.popleft()
                except IndexError:
                    return
                for listener in self._listeners:
                    listener(event, order)
