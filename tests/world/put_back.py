"""What the ledger held when the clock was put back: what was there then came first, whatever moments were written down later."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class PutBack:
    """The words of the provider by id and when they were received, and the events by hash, that were committed at that moment."""

    words: frozenset[tuple[str, str]]
    events: frozenset[str]


def held_by(ledger: sqlite3.Connection) -> PutBack:
    """What this ledger holds now."""
    words = frozenset(ledger.execute("SELECT evidence_id, received_at FROM evidence"))
    return PutBack(words, frozenset(event_hash for (event_hash,) in ledger.execute("SELECT hash FROM event")))
