"""Which files of the outbound folder are read now: what is new or looks changed, and some of the known ones again.

A file is known by its name and content (CONTRACT 6.4). Size and time in a listing can only tell that it has changed, never
that it has not: a known file is read again in any case, few at a time, so that no correction is overlooked for ever.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain

from batch.ledger.evidence import KnownFile
from batch.pace import from_utc_text
from batch.sftp_channel import RemoteName

READ_AGAIN_AFTER = timedelta(hours=1)
"""A known file that looks unchanged is read again no sooner than this after it was last read."""

RECENT = timedelta(days=3)
"""Files that were first read so lately are not kept waiting by older ones."""

MOST_READ_AGAIN = 32
"""So many recent files, and so many older ones, are read again at a time: those that were not read for longest."""


def worth_reading(
    entries: Iterable[RemoteName], known: dict[str, list[KnownFile]], awaited: set[str], now: datetime
) -> list[RemoteName]:
    """The files to be read now, in the listing's order."""
    listed, fresh = list(entries), set()
    recent: list[tuple[str, str]] = []
    older: list[tuple[str, str]] = []
    for entry in listed:
        before = known.get(entry.name, [])
        if entry.name in awaited or not before or looks_changed(entry, before[-1]):
            fresh.add(entry.name)
        elif is_due(before[-1], now):
            first = min(file.seen_at for file in before)
            (recent if now - from_utc_text(first) <= RECENT else older).append((before[-1].read_at, entry.name))
    again = {name for _, name in chain(_longest_ago(recent), _longest_ago(older))}
    return [entry for entry in listed if entry.name in fresh or entry.name in again]


def _longest_ago(due: list[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return sorted(due)[:MOST_READ_AGAIN]


def looks_changed(entry: RemoteName, last: KnownFile) -> bool:
    """Whether a listing shows another file than was last read there, or one that was not whole then."""
    another_time = last.modified is not None and entry.modified != last.modified
    return last.verdict == "unstable" or entry.size != last.size or another_time


def is_due(last: KnownFile, now: datetime) -> bool:
    """Whether a content was last read long enough ago to be read again."""
    return now - from_utc_text(last.read_at) >= READ_AGAIN_AFTER
