"""Waiting for the provider: our own sandbox's clock can be moved, anybody else's outcome is waited for, and never for ever."""

import http.client
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from batch.equipment import Clock
from schemas.settings_sections import LOOPBACK_HOSTS

STEPS = (timedelta(minutes=15), timedelta(hours=2), *[timedelta(days=1)] * 22)
"""How a movable clock is moved while an outcome is awaited: past every ending that a sandbox of ours knows."""

PAUSE_SECONDS = 15.0
_PATIENCE_SECONDS = 10


class LeapingClock(Clock, Protocol):
    """A clock that can be made to leap."""

    def advance(self, step: timedelta) -> datetime:
        """Leap by `step`, and return the new time."""
        ...


class ProviderTime:
    """The provider's time. `is_movable` where a sandbox of ours answers at this address; `go_on` raises when it is over."""

    def __init__(self, clock: LeapingClock, url: str, max_wait_seconds: float, go_on: Callable[[], None]) -> None:
        self._clock, self._most, self._go_on = clock, max_wait_seconds, go_on
        parts = urlsplit(url)
        self._port = parts.port or 80
        self.is_movable = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS and self._follow("GET") is not None

    def wait_for(self, is_there: Callable[[], bool]) -> bool:
        """Whether it came, within all the time that there is."""
        if self.is_movable:
            return is_there() or any(self._leap(step) and is_there() for step in STEPS)
        start = self._clock.monotonic()
        while not is_there():
            self._go_on()
            left = self._most - (self._clock.monotonic() - start)
            if left <= 0:
                return False
            self._clock.sleep(min(PAUSE_SECONDS, left))
        return True

    @property
    def bound(self) -> str:
        """How long was waited, in words."""
        return "25 days on the sandbox's clock" if self.is_movable else f"{self._most:,.0f} s (certify.max_wait_seconds)"

    def _leap(self, step: timedelta) -> bool:
        return self._follow("POST", {"advance_seconds": int(step.total_seconds())}) is not None

    def _follow(self, method: str, given: dict[str, object] | None = None) -> datetime | None:
        """Ask for the sandbox's time, or move it, and let our own clock follow; None where no sandbox of ours answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_SECONDS)
        try:
            body = json.dumps(given) if given is not None else None
            connection.request(method, "/_sandbox/clock", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            found: Any = json.loads(answer.read())
            now = datetime.fromisoformat(found["now"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return None
        finally:
            connection.close()
        behind = now - self._clock.now()
        if behind > timedelta(seconds=2):
            self._clock.advance(behind)
        return now
