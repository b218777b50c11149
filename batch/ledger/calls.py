"""What the ledger keeps of calls: which are still to be made, how the orders stand, and what came back, many at a time."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, literal, or_, select, update

from batch.ledger.copies import keeping_day_end
from batch.ledger.evidence import put_back
from batch.ledger.records import Submission
from batch.ledger.transaction import Writing
from schemas.ledger_tables import among, batch, event, evidence, submission, transmission
from schemas.states import API_FORMAT, BatchStep, State

_COLUMNS = tuple(submission.c[name] for name in Submission._fields)
_MINE = submission.c.mid == bindparam("mid")
_TO_BE_CALLED = (
    select(*_COLUMNS, submission.c.record_json)
    .where(_MINE, submission.c.batch_id == bindparam("batch_id"), submission.c.state == State.HELD.value)
    .order_by(submission.c.sequence_number, submission.c.order_id)
    .limit(bindparam("limit"))
)
_STANDING = select(*_COLUMNS).where(_MINE, submission.c.idempotency_key.in_(bindparam("keys", expanding=True)))
_LEFT = select(func.count()).where(
    _MINE, submission.c.batch_id == bindparam("batch_id"), among(submission.c.state, [State.CLAIMED, State.HELD, State.SENDING])
)
_EVENTS = select(event.c.subject, event.c.seq, event.c.to_state, event.c.hash).where(
    event.c.mid == bindparam("mid"),
    event.c.subject.in_(bindparam("subjects", expanding=True)),
    event.c.seq.in_(bindparam("numbers", expanding=True)),
)
_KINDS = select(batch.c.batch_id, batch.c.kind).where(batch.c.mid == bindparam("mid"), batch.c.format == API_FORMAT)
_SAID = select(evidence.c.content_hash, evidence.c.evidence_id, func.length(evidence.c.content).label("size")).where(
    evidence.c.mid == bindparam("mid"),
    evidence.c.source == bindparam("source"),
    evidence.c.content_hash.in_(bindparam("hashes", expanding=True)),
)
_NEW_EVIDENCE = insert(evidence)
_AT_A_TIME = 500
"""So many marks are looked up by one statement; those of years are some thousands."""


def to_be_called(connection: Connection, mid: str, batch_id: str, limit: int) -> list[tuple[Submission, bytes]]:
    """The first held orders of a group, each with its wire record byte for byte as it was claimed."""
    rows = connection.execute(_TO_BE_CALLED, {"mid": mid, "batch_id": batch_id, "limit": limit}).all()
    return [(Submission.of(row), row.record_json.encode()) for row in rows]


def left_to_call(connection: Connection, mid: str, batch_id: str) -> int:
    """How many orders of a group have still to be called, or are being called."""
    return int(connection.execute(_LEFT, {"mid": mid, "batch_id": batch_id}).scalar_one())


def as_they_stand(connection: Connection, mid: str, known: Sequence[Submission]) -> dict[str, Submission]:
    """These claims as the ledger has them now, by order id."""
    rows = connection.execute(_STANDING, {"mid": mid, "keys": [each.idempotency_key for each in known]})
    return {row.order_id: Submission.of(row) for row in rows.all()}


def not_intended(connection: Connection, mid: str, intents: Iterable[tuple[str, int, str]]) -> list[str]:
    """Those groups, of intents by group, number and hash, that do not have this very event in this ledger.

    Where the hash is not known (empty), the event of that number must be an intent at least.
    """
    found = set()
    marks = iter(intents)
    while portion := list(islice(marks, _AT_A_TIME)):
        subjects, numbers = {f"batch:{batch_id}" for batch_id, _, _ in portion}, {seq for _, seq, _ in portion}
        rows = connection.execute(_EVENTS, {"mid": mid, "subjects": sorted(subjects), "numbers": sorted(numbers)})
        known = {(subject, seq): (state, event_hash) for subject, seq, state, event_hash in rows}
        for batch_id, seq, event_hash in portion:
            state, its_hash = known.get((f"batch:{batch_id}", seq), ("", ""))
            if not (event_hash == its_hash if event_hash else state == BatchStep.CALLING.value):
                found.add(batch_id)
    return sorted(found)


def kinds_of_groups(connection: Connection, mid: str) -> dict[str, str]:
    """By the id of each group of calls: `evaluate` or `transmit`."""
    return {row.batch_id: row.kind for row in connection.execute(_KINDS, {"mid": mid})}


def store_answers(writing: Writing, *, source: str, answers: Sequence[tuple[str, bytes]]) -> list[str]:
    """Store what came back, byte for byte and each content once; (subject, content). Returns the evidence ids, in order.

    Where nothing came back (an empty content) there is no evidence, and the id is empty.
    """
    hashes = [hashlib.sha256(content).hexdigest() if content else "" for _, content in answers]
    wanted = sorted({*hashes} - {""})
    said = {"mid": writing.mid, "source": source, "hashes": wanted}
    found = writing.connection.execute(_SAID, said).all() if wanted else []
    known: dict[str, str] = {row.content_hash: row.evidence_id for row in found}
    if emptied := {row.content_hash for row in found if not row.size}:
        again = {content_hash: content for (_, content), content_hash in zip(answers, hashes, strict=True)}
        for content_hash in sorted(emptied):
            put_back(writing, known[content_hash], again[content_hash])
    fresh: dict[str, dict[str, Any]] = {}
    for (subject, content), content_hash in zip(answers, hashes, strict=True):
        if content_hash and content_hash not in known:
            evidence_id = hashlib.sha256(f"{source}\n{content_hash}".encode()).hexdigest()[:32]
            fresh.setdefault(
                content_hash,
                {
                    "mid": writing.mid,
                    "evidence_id": evidence_id,
                    "source": source,
                    "subject": subject,
                    "received_at": writing.now,
                    "content_hash": content_hash,
                    "content": content,
                },
            )
    if fresh:
        writing.connection.execute(_NEW_EVIDENCE, list(fresh.values()))
    known |= {content_hash: row["evidence_id"] for content_hash, row in fresh.items()}
    return [known[each] if each else "" for each in hashes]


SENDING, IN_DOUBT = "sending", "in_doubt"
"""What `result` says of a copy whose call is intended, and of one whose call may have been made: the rest is the provider's."""

_COPY = (transmission.c.mid == bindparam("mid"), transmission.c.batch_id == bindparam("batch_id"))
_COPIES_TO_CALL = (
    select(transmission.c.order_id, transmission.c.record_json)
    .where(*_COPY, transmission.c.result.is_(None))
    .order_by(transmission.c.sequence_number)
    .limit(bindparam("limit"))
)
_COPIES_LEFT = select(func.count()).where(*_COPY, or_(transmission.c.result.is_(None), transmission.c.result == SENDING))
_DOUBTED = select(func.count()).where(*_COPY, transmission.c.result == IN_DOUBT)
_MARK_COPIES = (
    update(transmission)
    .where(transmission.c.mid == bindparam("w_mid"), transmission.c.order_id == bindparam("w_order_id"))
    .values({name: bindparam(f"v_{name}") for name in ("result", "transmit_id", "error_text")} | keeping_day_end())
)
_DOUBT_COPIES = (
    update(transmission)
    .where(transmission.c.mid == bindparam("w_mid"), transmission.c.batch_id == bindparam("w_batch_id"))
    .where(transmission.c.result == SENDING)
    .values({"result": IN_DOUBT, "error_text": bindparam("v_error_text")} | keeping_day_end())
)


def copies_to_be_called(connection: Connection, mid: str, batch_id: str, limit: int) -> list[tuple[str, bytes]]:
    """The first copies of a group for which no call was made: order id, and wire record byte for byte."""
    rows = connection.execute(_COPIES_TO_CALL, {"mid": mid, "batch_id": batch_id, "limit": limit})
    return [(row.order_id, row.record_json.encode()) for row in rows]


def copies_left(connection: Connection, mid: str, batch_id: str) -> int:
    """How many copies of a group have still to be called, or are being called."""
    return int(connection.execute(_COPIES_LEFT, {"mid": mid, "batch_id": batch_id}).scalar_one())


def copies_in_doubt(connection: Connection, mid: str, batch_id: str) -> int:
    """Of how many copies of a group nobody can tell whether the provider has them."""
    return int(connection.execute(_DOUBTED, {"mid": mid, "batch_id": batch_id}).scalar_one())


def mark_copies(writing: Writing, results: Sequence[Mapping[str, str]]) -> None:
    """Write down how copies stand: `order_id`, `result` (empty: not called), `transmit_id`, `error_text`, empty where unknown."""
    names, same = ("result", "transmit_id", "error_text"), {"w_mid": writing.mid, "v_booked": writing.run.business_date}
    rows = [{"w_order_id": one["order_id"], **{f"v_{name}": one.get(name) or None for name in names}} for one in results]
    writing.connection.execute(_MARK_COPIES, [{**row, **same} for row in rows])


def doubt_copies(writing: Writing, batch_id: str, why: str) -> int:
    """Copies of which a call was intended by a run that is no more are in doubt. Returns how many."""
    values = {"w_mid": writing.mid, "w_batch_id": batch_id, "v_error_text": why, "v_booked": writing.run.business_date}
    return int(writing.connection.execute(_DOUBT_COPIES, values).rowcount)


_LAST_EVALUATE = (
    select(func.max(event.c.at))
    .where(event.c.mid == submission.c.mid, event.c.subject == literal("order:") + submission.c.order_id)
    .where(event.c.source == "evaluate")
    .scalar_subquery()
)
_TO_REPEAT = (
    select(*_COLUMNS, submission.c.record_json)
    .where(_MINE, submission.c.state == State.PENDING.value, submission.c.mit_mode == "sync")
    .where(submission.c.expires_at > bindparam("now"), submission.c.claimed_at <= bindparam("before"))
    .where(submission.c.order_id > bindparam("after"), submission.c.provider_order_id.is_not(None))
    .where(func.coalesce(_LAST_EVALUATE, "") <= bindparam("before"))
    .order_by(submission.c.order_id)
    .limit(bindparam("limit"))
)


def to_be_repeated(
    connection: Connection, mid: str, *, now: str, before: str, after: str, limit: int
) -> list[tuple[Submission, bytes]]:
    """Pending orders of sync mode inside their agreed period that were not evaluated since `before` (UTC text), by order id."""
    values = {"mid": mid, "now": now, "before": before, "after": after, "limit": limit}
    rows = connection.execute(_TO_REPEAT, values).all()
    return [(Submission.of(row), row.record_json.encode()) for row in rows]
