"""The ledger once more, from the evidence that it stored: what we did, and then what was said, in the order of storing (I7)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tests.confluence.bench import Bench
from tests.confluence.kit import File, Message, Said, Webhook


@dataclass(frozen=True, slots=True)
class Evidence:
    """One stored piece: where it came from, what it is about, when it came, and its bytes."""

    source: str
    subject: str
    name: str
    received_at: str
    content: bytes


def stored_evidence(bench: Bench) -> list[Evidence]:
    """Everything that was stored, oldest first; a file's name is found where files that were read are noted."""
    query = (
        "SELECT e.source, e.subject, coalesce((SELECT name FROM remote_file r WHERE r.evidence_id = e.evidence_id "
        "ORDER BY r.rowid LIMIT 1), ''), e.received_at, e.content FROM evidence e ORDER BY e.rowid"
    )
    return [Evidence(*row) for row in bench.raw.execute(query)]


def uncited(bench: Bench) -> list[str]:
    """Changes of state that follow from the provider's words and cite no evidence, or none that is stored whole."""
    query = (
        "SELECT v.subject, v.seq, v.from_state, v.to_state, v.source, v.evidence_id, e.content, e.content_hash, e.source "
        "FROM event v LEFT JOIN evidence e ON e.mid = v.mid AND e.evidence_id = v.evidence_id "
        "WHERE v.evidence_id IS NOT NULL OR (v.source IN ('acknowledgement', 'poll', 'file', 'webhook') "
        "AND v.kind = 'transition' AND v.to_state <> 'in_doubt')"
    )
    found = []
    for subject, seq, old, new, source, cited, content, content_hash, told_by in bench.raw.execute(query):
        where = f"{subject} event {seq} ({old} -> {new}, {source})"
        if content is None:
            found.append(f"{where} cites {'no evidence' if not cited else f'{cited}, which is not stored'}")
            continue
        true_hash = hashlib.sha256(content).hexdigest()
        true_id = hashlib.sha256(f"{told_by}\n{true_hash}".encode()).hexdigest()[:32]
        if (true_hash, true_id) != (content_hash, cited):
            found.append(f"{where} cites {cited}, whose content has another hash")
    return found


def replay(bench: Bench, evidence: list[Evidence]) -> None:
    """Hear every piece of evidence once, in the order of storing; the ledger knows only what we did before."""
    for number, piece in enumerate(evidence):
        bench.provider.said.clear()
        bench.arrive(_message(piece, number))


def _message(piece: Evidence, number: int) -> Message:
    if piece.source == "webhook":
        return Webhook(f"evidence {number}", piece.content)
    if piece.source != "poll":
        return File(f"evidence {number}", piece.name, piece.content)
    order_id = piece.subject.removeprefix("order:")
    content, is_listed = piece.content, False
    if piece.content.startswith(b'{"orders": ['):
        content, is_listed = piece.content.removeprefix(b'{"orders": [').removesuffix(b'], "hasNextPage": false}'), True
    return Said(f"evidence {number}", order_id, _id_of(content), content, is_listed=is_listed, is_read=not is_listed)


def _id_of(content: bytes) -> str:
    """The id under which it was asked for; an answer that cannot be read came for the id that the order has by then."""
    try:
        answer: Any = json.loads(content)
    except ValueError:
        return ""
    return str(answer["id"])
