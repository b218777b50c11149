"""Keeping what the provider said: raw, once, before it is applied; and which files of its outbound folder were read."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from batch.ledger.transaction import Writing
from schemas.ledger_tables import evidence, remote_file


@dataclass(frozen=True, slots=True)
class Stored:
    """A piece of evidence in the ledger; `is_new` is false when the very same words were stored before."""

    evidence_id: str
    is_new: bool


def store_evidence(writing: Writing, *, source: str, subject: str, content: bytes) -> Stored:
    """Store what was received, byte for byte, unless the same source said exactly this before."""
    content_hash = hashlib.sha256(content).hexdigest()
    known = writing.connection.execute(
        select(evidence.c.evidence_id).where(
            evidence.c.mid == writing.mid, evidence.c.source == source, evidence.c.content_hash == content_hash
        )
    ).scalar_one_or_none()
    if known is not None:
        return Stored(known, is_new=False)
    evidence_id = hashlib.sha256(f"{source}\n{content_hash}".encode()).hexdigest()[:32]
    writing.connection.execute(
        insert(evidence).values(
            mid=writing.mid,
            evidence_id=evidence_id,
            source=source,
            subject=subject,
            received_at=writing.now,
            content_hash=content_hash,
            content=content,
        )
    )
    return Stored(evidence_id, is_new=True)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of the outbound folder that was read before, and what came of it."""

    name: str
    content_hash: str
    size: int
    verdict: str
    seen_at: str


def known_files(connection: Connection, mid: str) -> dict[str, list[KnownFile]]:
    """All outbound files read so far, by name; a name may stand for several contents."""
    rows = connection.execute(
        select(remote_file.c.name, remote_file.c.content_hash, remote_file.c.size, remote_file.c.verdict, remote_file.c.seen_at)
        .where(remote_file.c.mid == mid)
        .order_by(remote_file.c.name, remote_file.c.seen_at)
    )
    found: dict[str, list[KnownFile]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(KnownFile(row.name, row.content_hash, row.size, row.verdict, row.seen_at))
    return found


def record_file(writing: Writing, *, name: str, content: bytes, verdict: str, reason: str = "", evidence_id: str = "") -> None:
    """Remember that this content stood under this name, and what came of it; a later verdict replaces an earlier one."""
    content_hash = hashlib.sha256(content).hexdigest()
    same = (remote_file.c.mid == writing.mid) & (remote_file.c.name == name) & (remote_file.c.content_hash == content_hash)
    changed = writing.connection.execute(
        update(remote_file).where(same).values(verdict=verdict, reason=reason, evidence_id=evidence_id or None)
    )
    if changed.rowcount == 0:
        writing.connection.execute(
            insert(remote_file).values(
                mid=writing.mid,
                name=name,
                content_hash=content_hash,
                size=len(content),
                evidence_id=evidence_id or None,
                seen_at=writing.now,
                verdict=verdict,
                reason=reason,
            )
        )
