"""Taking one row of the ledger from step to step: a compare-and-set on where it was read, in one transaction with its event.

Batches and requests go by it alike; orders, which move many at a time, have `batch.ledger.moves`. A row that is no longer
where it was read moves nothing and leaves no event: the whole transaction is undone (I6, I7).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Table, Update, bindparam, insert, update

from batch.ledger.events import event_row
from batch.ledger.transaction import Writing
from schemas.errors import IllegalTransition, TransitionLost
from schemas.ledger_tables import event

_NEW_EVENT = insert(event)


class Stepping(Protocol):
    """A row as it was read: at which step it stands, and the head of its chain of events."""

    @property
    def step(self) -> StrEnum:
        """Where it stands."""
        ...

    @property
    def event_seq(self) -> int:
        """The number of its last event."""
        ...

    @property
    def event_hash(self) -> str:
        """The hash of its last event."""
        ...

    @property
    def event_date(self) -> str:
        """The business date of its last event."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one kind: their table, the column of their id, the word before it in a subject, the kind of their events."""

    table: Table
    key: str
    subject: str
    event_kind: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one row: whereto, which ways there are, and what its event says. `name` is the row for people."""

    to: StrEnum
    ways: Collection[StrEnum]
    name: str
    source: str
    reason: str
    evidence_id: str = ""
    detail: Mapping[str, Any] | None = None


def take_step(
    writing: Writing, rows: Rows, row_id: str, old: Stepping, step: Step, changes: Mapping[str, Any], *, dated: str = ""
) -> dict[str, Any]:
    """Take the row there, with these further columns; `dated` is a column that gets the event's business date.

    Returns everything that changed. Raises IllegalTransition for a step that no rule allows, TransitionLost when the row
    is no longer where it was read.
    """
    if step.to not in step.ways:
        raise IllegalTransition(f"{step.name} cannot go from {old.step} to {step.to}.")
    told = event_row(
        writing,
        subject=f"{rows.subject}:{row_id}",
        seq=old.event_seq + 1,
        previous_hash=old.event_hash,
        previous_date=old.event_date,
        kind=rows.event_kind,
        from_state=old.step.value,
        to_state=step.to.value,
        source=step.source,
        reason=step.reason,
        evidence_id=step.evidence_id,
        detail=step.detail,
    )
    head = {"event_seq": told["seq"], "event_hash": told["hash"], "event_date": told["business_date"]}
    after = {"step": step.to.value, **head, **changes, **({dated: told["business_date"]} if dated else {})}
    before = {"w_mid": writing.mid, "w_key": row_id, "w_step": old.step.value, "w_event_seq": old.event_seq}
    values = {**before, **{f"v_{name}": value for name, value in after.items()}}
    if writing.connection.execute(_set(rows, tuple(after)), values).rowcount != 1:
        raise TransitionLost(f"{step.name} was no longer at {old.step}.")
    writing.connection.execute(_NEW_EVENT, [told])
    return after


@cache
def _set(rows: Rows, columns: tuple[str, ...]) -> Update:
    table = rows.table
    return (
        update(table)
        .where(
            table.c.mid == bindparam("w_mid"),
            table.c[rows.key] == bindparam("w_key"),
            table.c.step == bindparam("w_step"),
            table.c.event_seq == bindparam("w_event_seq"),
        )
        .values({name: bindparam(f"v_{name}") for name in columns})
    )
