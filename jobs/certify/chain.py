"""What people and runs did for a certification, in events that cannot be edited afterwards: each holds the digest of the last.

One file for each event, numbered; a new one gets its name only when it is whole and synced, and only if nobody was faster. An
event that was changed, left out or put in between is found by whoever reads the chain; only events cut off at its end are not:
what they said counts for nothing then, as if it had not been done.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batch.disk import Disk
from schemas.errors import AnotherRunActive, CertificationChanged

START = "0" * 64
_TRIES = 5


class Chain:
    """The events of one certification folder."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._folder, self._disk = root / "events", disk

    def events(self) -> list[dict[str, Any]]:
        """Every event, oldest first. Raises CertificationChanged for a chain that is not as it was written."""
        found: list[dict[str, Any]] = []
        for number, name in enumerate((name for name in self._disk.names(self._folder) if not name.startswith(".")), 1):
            event = _read(self._disk.read(self._folder / name) or b"")
            before = found[-1]["digest"] if found else START
            is_next = name == _name(number) and event.get("number") == number and event.get("before") == before
            if not is_next or event.get("digest") != digest_of(event):
                raise CertificationChanged(f"The event {self._folder / name} is not as it was written, or one before it is gone.")
            found.append(event)
        return found

    def head(self) -> str:
        """The digest of the last event; sixty-four noughts before the first. Raises CertificationChanged."""
        events = self.events()
        return str(events[-1]["digest"]) if events else START

    def add(self, kind: str, at: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Write one more event, synced. Raises CertificationChanged, AnotherRunActive where others always write first."""
        self._disk.make_folder(self._folder, 0o700)
        for _ in range(_TRIES):
            events = self.events()
            before = events[-1]["digest"] if events else START
            event: dict[str, Any] = {"number": len(events) + 1, "kind": kind, "at": at, **fields, "before": before}
            event["digest"] = digest_of(event)
            if self._written(event):
                return event
        raise AnotherRunActive("Others write into the certification folder all the time; this was not written.")

    def _written(self, event: Mapping[str, Any]) -> bool:
        """Give a whole event its name, unless another one has it meanwhile."""
        path = self._folder / _name(event["number"])
        part = self._folder / f".{path.name}.{os.getpid()}.new"
        file = self._disk.create(part, 0o600)
        file.write((json.dumps(event, ensure_ascii=False, indent=1) + "\n").encode())
        file.close()
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return False
        finally:
            self._disk.remove(part)
        self._disk.sync_folder(self._folder)
        return True


def digest_of(event: Mapping[str, Any]) -> str:
    """The SHA-256 of everything that an event says, without its own digest."""
    said = {name: value for name, value in event.items() if name != "digest"}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _name(number: int) -> str:
    return f"{number:06d}.json"


def _read(content: bytes) -> dict[str, Any]:
    try:
        event = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
