"""The clocks that a run can be given: the machine's own, one that is shifted, and one that stands still until it is moved."""

import threading
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock. `now()` is UTC; `monotonic()` counts seconds for deadlines; `sleep()` waits."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""
        time.sleep(seconds)


class ShiftedClock(SystemClock):
    """The machine's clock plus an offset that can be moved: time goes on by itself, and can be made to leap."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The machine's time plus all the leaps so far, in UTC."""
        with self._lock:
            return datetime.now(UTC) + self._offset

    def advance(self, step: timedelta) -> datetime:
        """Leap by `step` (may be negative) and return the new time."""
        with self._lock:
            self._offset += step
            return datetime.now(UTC) + self._offset


class MovableClock:
    """A clock that stands still until somebody moves it; a sleep moves it, so nobody waits."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._slept = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time it was set to, in UTC."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Seconds by which it has been moved forward since it was made."""
        with self._lock:
            return self._slept

    def sleep(self, seconds: float) -> None:
        """Move forward by so many seconds instead of waiting."""
        self.advance(timedelta(seconds=seconds))

    def advance(self, step: timedelta) -> datetime:
        """Move by `step` (may be negative) and return the new time."""
        with self._lock:
            self._now += step
            self._slept += max(step.total_seconds(), 0.0)
            return self._now
