"""Idempotency keys: for 24 hours the same key and payload replay the first answer, another payload conflicts (CONTRACT 7.6)."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

REMEMBERED = timedelta(hours=24)

Given = TypeVar("Given")


class KeyConflict(Exception):
    """The key was used for another payload less than 24 hours ago."""


@dataclass
class Replays(Generic[Given]):
    """The first answers by scope and key. Not thread-safe: the brain's lock guards it."""

    _first: dict[tuple[str, str], tuple[str, datetime, Given]] = field(default_factory=dict)
    _line: deque[tuple[datetime, tuple[str, str]]] = field(default_factory=deque)

    def find(self, scope: str, key: str, digest: str, now: datetime) -> Given | None:
        """The first answer to this key, or None if it is new. Raises `KeyConflict` for another payload."""
        self._forget_old(now)
        known = self._first.get((scope, key.lower()))
        if known is None:
            return None
        if known[0] != digest:
            raise KeyConflict
        return known[2]

    def keep(self, scope: str, key: str, digest: str, now: datetime, answer: Given) -> None:
        """Remember the first answer."""
        self._first[(scope, key.lower())] = (digest, now, answer)
        self._line.append((now, (scope, key.lower())))

    def clear(self) -> None:
        """Forget everything."""
        self._first.clear()
        self._line.clear()

    def _forget_old(self, now: datetime) -> None:
        while self._line and self._line[0][0] + REMEMBERED <= now:
            self._first.pop(self._line.popleft()[1], None)
