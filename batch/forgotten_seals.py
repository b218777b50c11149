"""Bodies that are empty although something was said: whether it was this program that emptied them, and whether it might.

An empty body is right when the ledger's own chain names it, last with a limit that it is older than, and when that chain and the
orders' chains say that nothing needed it then: no event since the limit follows from it, and every order that it is about
had ended by then. Events are never changed, so this can be said for ever, whatever becomes of those orders later.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from batch.ledger.forgotten_answers import FORGOTTEN
from batch.ledger.own_chain import SUBJECT
from batch.pace import from_utc_text, utc_text
from batch.tampering import Tampering, TamperingKind
from schemas.ledger_tables import event, evidence, mention
from schemas.settings_sections import LEAST_ANSWER_DAYS
from schemas.states import TERMINAL

_CHUNK = 200
_ID_BYTES = 16
_MOST_IN_MEMORY = 1_000_000
_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_MID: BindParameter[str] = bindparam("mid")
_PORTIONS = (
    select(event.c.at, event.c.detail)
    .where(event.c.mid == _MID, event.c.subject == SUBJECT, event.c.kind == FORGOTTEN)
    .order_by(event.c.seq)
)
_EMPTIED = (
    select(*(evidence.c[name] for name in ("evidence_id", "subject", "received_at", "source", "content_hash")))
    .where(evidence.c.mid == _MID, func.length(evidence.c.content) == 0, evidence.c.content_hash != _OF_NOTHING)
    .where(evidence.c.evidence_id >= bindparam("prefix"), evidence.c.evidence_id < bindparam("beyond"))
    .order_by(evidence.c.evidence_id)
)
_FOLLOWING = select(event.c.evidence_id, event.c.subject, event.c.at).where(
    event.c.mid == _MID, event.c.evidence_id.in_(bindparam("evidence_ids", expanding=True))
)
_NAMING = select(mention.c.evidence_id, mention.c.order_id).where(
    mention.c.mid == _MID, mention.c.evidence_id.in_(bindparam("evidence_ids", expanding=True))
)
_MOVES = (
    select(event.c.subject, event.c.at, event.c.business_date, event.c.to_state)
    .where(event.c.mid == _MID, event.c.subject.in_(bindparam("subjects", expanding=True)), event.c.kind == "transition")
    .order_by(event.c.subject, event.c.seq)
)


@dataclass(frozen=True, slots=True)
class _Portion:
    """What one transaction emptied: when, and by which limit."""

    at: str
    before: str
    before_date: str


class _Move(NamedTuple):
    at: str
    business_date: str
    to_state: str


class _Emptied(NamedTuple):
    evidence_id: str
    subject: str
    received_at: str


def is_emptied(source: str, content_hash: str, evidence_id: str, content: object) -> bool:
    """Whether nothing is wrong with evidence but that its body is empty; its name still proves its hash."""
    return content == b"" and hashlib.sha256(f"{source}\n{content_hash}".encode()).hexdigest()[:32] == evidence_id


def wrongly_emptied(connection: Connection, mid: str) -> Iterator[Tampering]:
    """Bodies that somebody else emptied, or that nobody might have emptied."""
    total = sum(len(named) for _, named in _portions(connection, mid))
    for prefix in "0123456789abcdef" if total > _MOST_IN_MEMORY else ("",):
        last: dict[bytes, _Portion] = {}
        for portion, named in _portions(connection, mid):
            last |= dict.fromkeys((bytes.fromhex(each) for each in named if each.startswith(prefix)), portion)
        rows = connection.execute(
            _EMPTIED, {"mid": mid, "prefix": prefix, "beyond": f"{prefix}g"}, execution_options={"yield_per": _CHUNK}
        )
        for some in rows.partitions(_CHUNK):
            proven = [_Emptied(*row[:3]) for row in some if is_emptied(row.source, row.content_hash, row.evidence_id, b"")]
            yield from _wrong_among(connection, mid, proven, last)


def _portions(connection: Connection, mid: str) -> Iterator[tuple[_Portion, Sequence[str]]]:
    """What the ledger's own chain names; an event that makes no sense, or whose limit no settings allow, names nothing."""
    for row in connection.execute(_PORTIONS, {"mid": mid}, execution_options={"yield_per": _CHUNK}):
        try:
            said = json.loads(row.detail)
            portion = _Portion(row.at, said["before"], said["before_date"])
            latest = utc_text(from_utc_text(row.at) - timedelta(days=LEAST_ANSWER_DAYS))
            named = [each for each in said["evidence"] if len(bytes.fromhex(each)) == _ID_BYTES]
            is_sound = portion.before <= latest and said["count"] == len(named)
        except (TypeError, ValueError, LookupError, AttributeError):
            continue
        if is_sound:
            yield portion, named


def _wrong_among(connection: Connection, mid: str, some: Sequence[_Emptied], last: dict[bytes, _Portion]) -> Iterator[Tampering]:
    ids = {"mid": mid, "evidence_ids": [each.evidence_id for each in some]}
    subjects = {each.evidence_id: {each.subject} for each in some}
    latest = {each.evidence_id: each.received_at for each in some}
    for follows in connection.execute(_FOLLOWING, ids):
        subjects[follows.evidence_id].add(follows.subject)
        latest[follows.evidence_id] = max(latest[follows.evidence_id], follows.at)
    for named in connection.execute(_NAMING, ids):
        subjects[named.evidence_id].add(f"order:{named.order_id}")
    moves = _moves_of(connection, mid, {each for its in subjects.values() for each in its})
    for each in some:
        portion = last.get(bytes.fromhex(each.evidence_id))
        its = {subject: moves[subject] for subject in subjects[each.evidence_id] if subject in moves}
        if why := _why_wrong(portion, latest[each.evidence_id], its):
            sentence = f"what the provider said was emptied (evidence {each.evidence_id}, {each.subject}): {why}."
            yield Tampering(TamperingKind.EVIDENCE_CHANGED, f"evidence:{each.evidence_id}", sentence)


def _moves_of(connection: Connection, mid: str, subjects: Iterable[str]) -> dict[str, list[_Move]]:
    """How the orders among these subjects moved, oldest first."""
    orders = sorted(each for each in subjects if each.startswith("order:"))
    moves: dict[str, list[_Move]] = {}
    for start in range(0, len(orders), _CHUNK):
        for row in connection.execute(_MOVES, {"mid": mid, "subjects": orders[start : start + _CHUNK]}):
            moves.setdefault(row.subject, []).append(_Move(row.at, row.business_date, row.to_state or ""))
    return moves


def _why_wrong(portion: _Portion | None, latest: str, moves: Mapping[str, Sequence[_Move]]) -> str:
    """Why a body might not be empty; nothing where it might."""
    if portion is None:
        return "no run did that"
    if latest >= portion.before:
        return "it was said, or something followed from it, after the limit"
    for subject, steps in sorted(moves.items()):
        until = [step for step in steps if step.at < portion.at]
        if until and (until[-1].to_state not in TERMINAL or until[-1].business_date > portion.before_date):
            return f"{subject} had not ended for so long"
    return ""
