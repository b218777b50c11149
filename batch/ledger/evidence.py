"""Keeping what the provider said: raw, once, before it is applied; and which files of its outbound folder were read."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from batch.ledger.transaction import Writing
from schemas.ledger_tables import evidence, remote_file

_SAID_BEFORE = select(evidence.c.evidence_id, func.length(evidence.c.content).label("size")).where(
    evidence.c.mid == bindparam("mid"),
    evidence.c.source == bindparam("source"),
    evidence.c.content_hash == bindparam("content_hash"),
)
_READ_AT = func.coalesce(remote_file.c.read_at, remote_file.c.seen_at).label("read_at")
_FILES = (
    select(
        remote_file.c.name,
        remote_file.c.content_hash,
        remote_file.c.size,
        remote_file.c.verdict,
        remote_file.c.seen_at,
        _READ_AT,
        remote_file.c.modified,
    )
    .where(remote_file.c.mid == bindparam("mid"))
    .order_by(remote_file.c.name, _READ_AT, remote_file.c.content_hash)
)
_PUT_BACK = (
    update(evidence)
    .where(evidence.c.mid == bindparam("w_mid"), evidence.c.evidence_id == bindparam("w_evidence_id"))
    .values(content=bindparam("v_content"))
)
_STORE, _RECORD = insert(evidence), insert(remote_file)
_ONE_FILE = (
    update(remote_file)
    .where(remote_file.c.mid == bindparam("w_mid"), remote_file.c.name == bindparam("w_name"))
    .where(remote_file.c.content_hash == bindparam("w_content_hash"))
)
_READ_AGAIN = _ONE_FILE.values({name: bindparam(f"v_{name}") for name in ("read_at", "modified")})
_JUDGE_AGAIN = _ONE_FILE.values(
    {name: bindparam(f"v_{name}") for name in ("verdict", "reason", "evidence_id", "read_at", "modified")}
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A piece of evidence in the ledger; `is_new` is false when the very same words were stored before."""

    evidence_id: str
    is_new: bool


def store_evidence(writing: Writing, *, source: str, subject: str, content: bytes) -> Stored:
    """Store what was received, byte for byte, unless the same source said exactly this before.

    Where that was emptied since (`retention.answer_days`), it stands there again: what follows from it now has its proof.
    """
    content_hash = hashlib.sha256(content).hexdigest()
    said = {"mid": writing.mid, "source": source, "content_hash": content_hash}
    known = writing.connection.execute(_SAID_BEFORE, said).one_or_none()
    if known is not None:
        if content and not known.size:
            put_back(writing, known.evidence_id, content)
        return Stored(known.evidence_id, is_new=False)
    evidence_id = hashlib.sha256(f"{source}\n{content_hash}".encode()).hexdigest()[:32]
    values = {"evidence_id": evidence_id, "subject": subject, "received_at": writing.now, "content": content}
    writing.connection.execute(_STORE, {**said, **values})
    return Stored(evidence_id, is_new=True)


def put_back(writing: Writing, evidence_id: str, content: bytes) -> None:
    """Fill evidence that was emptied with the very content that it had, which was said once more."""
    writing.connection.execute(_PUT_BACK, {"w_mid": writing.mid, "w_evidence_id": evidence_id, "v_content": content})


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A content that was read in the outbound folder before, and what came of it.

    `seen_at` is when it was first read under that name, `read_at` when last, `modified` what the listing said then of its
    time (None where it said nothing).
    """

    name: str
    content_hash: str
    size: int
    verdict: str
    seen_at: str
    read_at: str
    modified: int | None


def known_files(connection: Connection, mid: str) -> dict[str, list[KnownFile]]:
    """All outbound files read so far, by name; a name may stand for several contents: the last one is what was read last."""
    found: dict[str, list[KnownFile]] = {}
    for row in connection.execute(_FILES, {"mid": mid}):
        found.setdefault(row.name, []).append(KnownFile(*row))
    return found


def note_read_again(writing: Writing, known: KnownFile, modified: int | None) -> None:
    """Write down that this very content was read under its name once more."""
    same = {"w_mid": writing.mid, "w_name": known.name, "w_content_hash": known.content_hash}
    writing.connection.execute(_READ_AGAIN, {**same, "v_read_at": writing.now, "v_modified": modified})


def record_file(
    writing: Writing,
    *,
    name: str,
    content: bytes,
    verdict: str,
    reason: str = "",
    evidence_id: str = "",
    modified: int | None = None,
) -> None:
    """Remember that this content stood under this name, and what came of it; a later verdict replaces an earlier one."""
    content_hash = hashlib.sha256(content).hexdigest()
    same = {"w_mid": writing.mid, "w_name": name, "w_content_hash": content_hash}
    judged = {"v_verdict": verdict, "v_reason": reason, "v_evidence_id": evidence_id or None}
    read = {"v_read_at": writing.now, "v_modified": modified}
    if writing.connection.execute(_JUDGE_AGAIN, {**same, **judged, **read}).rowcount == 0:
        values = {
            "mid": writing.mid,
            "name": name,
            "content_hash": content_hash,
            "size": len(content),
            "evidence_id": evidence_id or None,
            "seen_at": writing.now,
            "verdict": verdict,
            "reason": reason,
            "modified": modified,
            "read_at": writing.now,
        }
        writing.connection.execute(_RECORD, values)
