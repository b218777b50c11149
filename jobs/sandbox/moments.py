"""Times as the sandbox reads and writes them: UTC, ISO 8601 with Z and whole seconds."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the sandbox needs of a clock: the time in UTC, and a way to move it."""

    def now(self) -> datetime:
        """Tell the time, aware, in UTC."""

    def advance(self, step: timedelta) -> object:
        """Move by this much."""


def as_text(moment: datetime) -> str:
    """Write a moment as UTC with Z and whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_moment(text: object) -> datetime | None:
    """Read an ISO 8601 moment, or None where the text is none. Without an offset it is UTC."""
    if not isinstance(text, str) or len(text) < len("2026-01-01T00:00"):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
