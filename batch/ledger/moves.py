"""Moving orders and batches from state to state: only along the table of permitted moves, only from where they were read.

Each move is a compare-and-set on the state and on the head of the order's event chain, written in one transaction with
its event. When fewer rows move than were meant to, nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, insert, update

from batch.books import canonical_detail, event_hash
from batch.ledger.records import Batch, Submission
from batch.ledger.transaction import Writing
from schemas.errors import IllegalTransition, TransitionLost
from schemas.ledger_tables import batch as batch_table
from schemas.ledger_tables import event
from schemas.ledger_tables import submission as submission_table
from schemas.states import BATCH_EDGES, EDGES, BatchStep, State


@dataclass(frozen=True, slots=True)
class Move:
    """One step of one order. `to` is the new state, or None for news that changes no state (`kind` says which news).

    `changes` are further columns of the submission; `shows` says that the order row must be written again.
    """

    submission: Submission
    to: State | None
    source: str
    reason: str
    evidence_id: str = ""
    kind: str = "transition"
    detail: Mapping[str, object] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    shows: bool = True


def event_row(
    writing: Writing,
    *,
    subject: str,
    seq: int,
    previous_hash: str,
    previous_date: str,
    kind: str,
    from_state: str | None,
    to_state: str | None,
    source: str,
    reason: str,
    evidence_id: str = "",
    detail: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """One row of the event chain, with the hash that ties it to the row before.

    It is booked on the run's business date, but never before the event that it follows: a run for a past date must not
    book an order's news in days that lie before what is known of it already.
    """
    row: dict[str, Any] = {
        "mid": writing.mid,
        "subject": subject,
        "seq": seq,
        "at": writing.now,
        "business_date": max(writing.run.business_date, previous_date),
        "run_id": writing.run.run_id,
        "kind": kind,
        "from_state": from_state,
        "to_state": to_state,
        "source": source,
        "reason": reason,
        "evidence_id": evidence_id or None,
        "detail": canonical_detail(dict(detail or {})),
    }
    return {**row, "previous_hash": previous_hash, "hash": event_hash(previous_hash, row)}


def move_orders(writing: Writing, moves: Sequence[Move]) -> list[Submission]:
    """Carry out the moves, at most one per order, and return the submissions as they now stand, in the same order.

    Raises IllegalTransition for a move that no rule allows, TransitionLost when an order is no longer where it was read.
    """
    if not moves:
        return []
    events, updates, moved = [], [], []
    for move in moves:
        old = move.submission
        to = old.state if move.to is None else move.to
        if move.to is not None and to not in EDGES[old.state]:
            raise IllegalTransition(f"Order {old.order_id!r} cannot go from {old.state} to {to}.")
        row = event_row(
            writing,
            subject=f"order:{old.order_id}",
            seq=old.event_seq + 1,
            previous_hash=old.event_hash,
            previous_date=old.event_date,
            kind=move.kind,
            from_state=old.state.value,
            to_state=to.value,
            source=move.source,
            reason=move.reason,
            evidence_id=move.evidence_id,
            detail={"attempt": old.attempt, **move.detail},
        )
        new = replace(
            old,
            **move.changes,
            state=to,
            event_seq=old.event_seq + 1,
            event_hash=row["hash"],
            event_date=row["business_date"],
            row_version=old.row_version + (1 if move.shows else 0),
        )
        events.append(row)
        updates.append(_update_values(old, new))
        moved.append(new)
    writing.connection.execute(insert(event), events)
    _compare_and_set(writing, updates)
    return moved


_CHANGEABLE = (
    "state",
    "sequence_number",
    "handed_over_date",
    "provider_order_id",
    "provider_status",
    "next_read_at",
    "reads",
    "expired_hint",
    "row_version",
    "written_version",
    "event_seq",
    "event_hash",
    "event_date",
)

_SUBMISSION_UPDATE = (
    update(submission_table)
    .where(
        submission_table.c.mid == bindparam("w_mid"),
        submission_table.c.order_id == bindparam("w_order_id"),
        submission_table.c.attempt == bindparam("w_attempt"),
        submission_table.c.state == bindparam("w_state"),
        submission_table.c.event_seq == bindparam("w_event_seq"),
    )
    .values({name: bindparam(f"n_{name}") for name in _CHANGEABLE})
)


def _update_values(old: Submission, new: Submission) -> dict[str, Any]:
    values: dict[str, Any] = {f"n_{name}": getattr(new, name) for name in _CHANGEABLE}
    for name in ("handed_over_date", "provider_order_id", "provider_status", "next_read_at"):
        values[f"n_{name}"] = values[f"n_{name}"] or None
    return {
        **values,
        "w_order_id": old.order_id,
        "w_attempt": old.attempt,
        "w_state": old.state.value,
        "w_event_seq": old.event_seq,
    }


def _compare_and_set(writing: Writing, updates: list[dict[str, Any]]) -> None:
    result = writing.connection.execute(_SUBMISSION_UPDATE, [{**values, "w_mid": writing.mid} for values in updates])
    if result.rowcount != len(updates):
        raise TransitionLost(f"{len(updates) - result.rowcount} of {len(updates)} orders were no longer where they were read.")


def move_batch(writing: Writing, batch: Batch, to: BatchStep, *, reason: str, evidence_id: str = "", **changes: Any) -> Batch:  # noqa: ANN401 - columns of several types
    """Take one batch to its next step; `changes` are further columns. Raises as `move_orders` does."""
    if to not in BATCH_EDGES[batch.step]:
        raise IllegalTransition(f"Batch {batch.batch_id} cannot go from {batch.step} to {to}.")
    row = event_row(
        writing,
        subject=f"batch:{batch.batch_id}",
        seq=batch.event_seq + 1,
        previous_hash=batch.event_hash,
        previous_date=batch.event_date,
        kind="step",
        from_state=batch.step.value,
        to_state=to.value,
        source="send",
        reason=reason,
        evidence_id=evidence_id,
        detail={"file_name": batch.file_name},
    )
    head = {"event_seq": row["seq"], "event_hash": row["hash"], "event_date": row["business_date"]}
    if to is BatchStep.DELIVERED or (not batch.delivered_at and "delivered_at" in changes):
        changes = {**changes, "delivered_date": row["business_date"]}
    statement = (
        update(batch_table)
        .where(
            batch_table.c.mid == writing.mid,
            batch_table.c.batch_id == batch.batch_id,
            batch_table.c.step == batch.step.value,
            batch_table.c.event_seq == batch.event_seq,
        )
        .values(step=to.value, **head, **changes)
    )
    if writing.connection.execute(statement).rowcount != 1:
        raise TransitionLost(f"Batch {batch.batch_id} was no longer at {batch.step}.")
    writing.connection.execute(insert(event), [row])
    known: dict[str, Any] = {name: value or "" for name, value in changes.items() if name in Batch.__dataclass_fields__}
    return replace(batch, step=to, **head, **known)


def note_reads(writing: Writing, due: Sequence[tuple[Submission, str]]) -> None:
    """Write down that these orders were asked about, and when they are due again (UTC text, empty: never). It is no event."""
    if not due:
        return
    statement = (
        update(submission_table)
        .where(
            submission_table.c.mid == bindparam("w_mid"),
            submission_table.c.order_id == bindparam("w_order_id"),
            submission_table.c.attempt == bindparam("w_attempt"),
        )
        .values(next_read_at=bindparam("n_next_read_at"), reads=submission_table.c.reads + 1)
    )
    rows = [
        {"w_mid": writing.mid, "w_order_id": each.order_id, "w_attempt": each.attempt, "n_next_read_at": when or None}
        for each, when in due
    ]
    writing.connection.execute(statement, rows)
