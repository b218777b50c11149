"""Moving orders and batches from state to state: only along the table of permitted moves, only from where they were read.

Each move is a compare-and-set on the state and on the head of the order's event chain, written in one transaction with
its event. When fewer rows move than were meant to, nothing is written.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, Update, bindparam, case, func, insert, update

from batch.ledger.events import event_row
from batch.ledger.records import Submission
from batch.ledger.transaction import Writing
from schemas.counted import counted
from schemas.errors import IllegalTransition, TransitionLost
from schemas.ledger_tables import event
from schemas.ledger_tables import submission as submission_table
from schemas.states import EDGES, State


class Move(NamedTuple):
    """One step of one order. `to` is the new state, or None for news that changes no state (`kind` says which news).

    `changes` are further columns of the submission; `shows` says that the order row must be written again.
    """

    submission: Submission
    to: State | None
    source: str
    reason: str
    evidence_id: str = ""
    kind: str = "transition"
    detail: Mapping[str, object] = MappingProxyType({})
    changes: Mapping[str, Any] = MappingProxyType({})
    shows: bool = True


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
        new = old._replace(
            **move.changes,
            state=to,
            event_seq=old.event_seq + 1,
            event_hash=row["hash"],
            event_date=row["business_date"],
            row_version=old.row_version + (1 if move.shows else 0),
        )
        events.append(row)
        updates.append(_changed_values(writing, old, new))
        moved.append(new)
    writing.execute_many(_NEW_EVENT, events)
    _compare_and_set(writing, updates)
    return moved


_NEW_EVENT = insert(event)

_CHANGEABLE = (
    "state",
    "sequence_number",
    "handed_over_date",
    "provider_order_id",
    "provider_status",
    "next_read_at",
    "row_version",
    "written_version",
    "event_seq",
    "event_hash",
    "event_date",
)
_EMPTY_IS_NULL = frozenset({"handed_over_date", "provider_order_id", "provider_status", "next_read_at"})
_changeable = attrgetter(*_CHANGEABLE)


def _read_due() -> ColumnElement[str | None]:
    """When to ask next, as this writer wants it, unless a hint has made the order due since the writer read it.

    Hints may come from writers that hold no lease (webhooks): what they stored is never written over by an older copy.
    """
    stored = submission_table.c.next_read_at
    as_read = func.coalesce(stored, "") == bindparam("r_next_read_at", type_=String)
    return case((as_read, bindparam("n_next_read_at", type_=String)), else_=stored)


_WHERE_IT_WAS_READ = update(submission_table).where(
    submission_table.c.mid == bindparam("w_mid"),
    submission_table.c.order_id == bindparam("w_order_id"),
    submission_table.c.attempt == bindparam("w_attempt"),
    submission_table.c.state == bindparam("w_state"),
    submission_table.c.event_seq == bindparam("w_event_seq"),
)


@lru_cache(maxsize=64)
def _update_of(changed: tuple[str, ...]) -> Update:
    """The statement that writes these columns alone: each index of a column that is named is written anew, changed or not."""
    return _WHERE_IT_WAS_READ.values(
        {name: _read_due() if name == "next_read_at" else bindparam(f"n_{name}") for name in changed}
    )


def _changed_values(writing: Writing, old: Submission, new: Submission) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The columns that a move changes, and what its update is given."""
    pairs = zip(_CHANGEABLE, _changeable(old), _changeable(new), strict=True)
    changed = {name: value for name, before, value in pairs if value != before}
    values = {f"n_{name}": None if value == "" and name in _EMPTY_IS_NULL else value for name, value in changed.items()}
    if "next_read_at" in changed:
        values["r_next_read_at"] = old.next_read_at
    where = {
        "w_mid": writing.mid,
        "w_order_id": old.order_id,
        "w_attempt": old.attempt,
        "w_state": old.state.value,
        "w_event_seq": old.event_seq,
    }
    return tuple(changed), values | where


def _compare_and_set(writing: Writing, updates: Sequence[tuple[tuple[str, ...], dict[str, Any]]]) -> None:
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for changed, values in updates:
        alike.setdefault(changed, []).append(values)
    moved = sum(writing.execute_many(_update_of(changed), rows).rowcount for changed, rows in alike.items())
    if moved != len(updates):
        lost = len(updates) - moved
        raise TransitionLost(f"{lost} of {counted(len(updates), 'order')} stood elsewhere by then than where it was read.")


_NOTE_ASKED = (
    update(submission_table)
    .where(
        submission_table.c.mid == bindparam("w_mid"),
        submission_table.c.order_id == bindparam("w_order_id"),
        submission_table.c.attempt == bindparam("w_attempt"),
    )
    .values(next_read_at=_read_due())
)
_NOTE_READ = _NOTE_ASKED.values(reads=submission_table.c.reads + 1)


def note_asked(writing: Writing, due: Sequence[tuple[Submission, str]]) -> None:
    """Write down when orders are due again that were asked about together, without a read of each (UTC text). It is no event.

    An order that a hint has made due since it was read here stays due.
    """
    if due:
        writing.execute_many(_NOTE_ASKED, [_read_values(writing, each, when) for each, when in due])


def note_reads(writing: Writing, due: Sequence[tuple[Submission, str]]) -> None:
    """Write down that these orders were asked about, and when they are due again (UTC text, empty: never). It is no event.

    An order that a hint has made due since it was read here stays due.
    """
    if due:
        writing.execute_many(_NOTE_READ, [_read_values(writing, each, when) for each, when in due])


def _read_values(writing: Writing, asked: Submission, when: str) -> dict[str, Any]:
    return {
        "w_mid": writing.mid,
        "w_order_id": asked.order_id,
        "w_attempt": asked.attempt,
        "n_next_read_at": when or None,
        "r_next_read_at": asked.next_read_at,
    }
