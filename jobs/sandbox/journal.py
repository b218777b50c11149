"""The outside record: an append-only list of everything that the provider received, accepted, refused and answered."""

import copy
import json
import threading
from datetime import datetime
from pathlib import Path
from typing import TextIO

from jobs.sandbox.moments import as_text


class Journal:
    """Keep every event in memory and append it to a file of JSON lines. No secret and no card number is ever in it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._rows: list[dict[str, object]] = []
        self._n = 0
        self._path = path
        self._file: TextIO | None = None

    def record(self, event: str, at: datetime, **facts: object) -> None:
        """Append one event; `n` counts from 1 and never goes back."""
        with self._lock:
            self._n += 1
            row: dict[str, object] = {"n": self._n, "at": as_text(at), "event": event, **facts}
            self._rows.append(row)
            if self._file is None:
                self._file = self._path.open("a", encoding="utf-8", buffering=1)
            self._file.write(json.dumps(row) + "\n")

    def rows(self, since: int = 0) -> list[dict[str, object]]:
        """The events with a number above `since`, oldest first, as copies."""
        with self._lock:
            return [copy.deepcopy(row) for row in self._rows if isinstance(row["n"], int) and row["n"] > since]

    def latest(self, count: int) -> list[dict[str, object]]:
        """The last so many events, oldest first, as copies."""
        with self._lock:
            return copy.deepcopy(self._rows[-count:])

    def forget(self) -> None:
        """Start again with an empty list; the file keeps its lines."""
        with self._lock:
            self._rows.clear()

    def close(self) -> None:
        """Close the file; the next event would open it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
