"""Cancels, captures and refunds in the ledger: written down before they are asked for, each asked for once.

A request is claimed and its intent committed before a byte leaves; the database itself allows one unsettled request per
order and kind, and one per request id. Dying after the intent: the next run finds it at `sending`, calls it in doubt, and
settles it by reading (CONTRACT 9, 10, 11). Its events are the chain `operation:<id>`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select

from batch.books import FIRST_HASH
from batch.ledger.events import event_row
from batch.ledger.guarded_steps import Rows, Step, take_step
from batch.ledger.records import Submission
from batch.ledger.transaction import Writing
from schemas.ledger_tables import among, event
from schemas.ledger_tables import operation as operation_table
from schemas.operations import MAY_HAVE_HAPPENED, OPERATION_EDGES, UNSETTLED, OperationKind, OperationStep


@dataclass(frozen=True, slots=True)
class Operation:
    """One request about one order; amounts are minor units, times UTC text, empty where it has not come to that.

    `refunded_before_minor` is what the provider showed as refunded before, None where it showed nothing.
    """

    operation_id: str
    kind: OperationKind
    order_id: str
    attempt: int
    request_id: str
    amount_minor: int
    currency: str
    reason: str
    asked_by: str
    asked_at: str
    business_date: str
    run_id: str
    step: OperationStep
    idempotency_key: str
    refunded_before_minor: int | None
    transaction_id: str
    answer: str
    evidence_id: str
    settled_at: str
    event_seq: int
    event_hash: str
    event_date: str

    @classmethod
    def of(cls, row: RowMapping) -> "Operation":
        """The request that a ledger row stands for."""
        values: dict[str, Any] = {name: row[name] if row[name] is not None else "" for name in cls.__dataclass_fields__}
        values["refunded_before_minor"] = row["refunded_before_minor"]
        return cls(**{**values, "kind": OperationKind(row["kind"]), "step": OperationStep(row["step"])})

    @property
    def may_have_happened(self) -> bool:
        """Whether it happened, or nobody can say that it did not."""
        return self.step in MAY_HAVE_HAPPENED


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for. Without `request_id` the request is known by its place among those for its order."""

    kind: OperationKind
    amount_minor: int
    currency: str
    reason: str
    asked_by: str
    request_id: str = ""
    refunded_before_minor: int | None = None


_NEW, _NEW_EVENT = insert(operation_table), insert(event)
_MINE = operation_table.c.mid == bindparam("mid")
_COUNT = select(func.count()).where(
    _MINE, operation_table.c.order_id == bindparam("order_id"), operation_table.c.kind == bindparam("kind")
)


def claim_operation(writing: Writing, submission: Submission, wanted: Wanted) -> Operation:
    """Write a request down, and the intent to ask for it, in one step; the caller commits, and asks once, and then only once.

    Raises TransitionLost when another one for this order and kind is unsettled, or the request id was used before: the
    database refuses it, and nothing is written.
    """
    about = {"mid": writing.mid, "order_id": submission.order_id, "kind": wanted.kind.value}
    number = writing.connection.execute(_COUNT, about).scalar_one() + 1
    operation_id = str(uuid5(UUID(writing.mid), f"{wanted.kind}\n{submission.order_id}\n{number}"))
    first = event_row(
        writing,
        subject=f"operation:{operation_id}",
        seq=1,
        previous_hash=FIRST_HASH,
        previous_date="",
        kind="operation",
        from_state=None,
        to_state=OperationStep.CLAIMED.value,
        source="operator",
        reason=wanted.reason,
        detail={
            "kind": wanted.kind.value,
            "order_id": submission.order_id,
            "attempt": submission.attempt,
            "amount_minor": wanted.amount_minor,
            "currency": wanted.currency,
            "asked_by": wanted.asked_by,
        },
    )
    claimed = Operation(
        operation_id=operation_id,
        kind=wanted.kind,
        order_id=submission.order_id,
        attempt=submission.attempt,
        request_id=wanted.request_id or operation_id,
        amount_minor=wanted.amount_minor,
        currency=wanted.currency,
        reason=wanted.reason,
        asked_by=wanted.asked_by,
        asked_at=writing.now,
        business_date=first["business_date"],
        run_id=writing.run.run_id,
        step=OperationStep.CLAIMED,
        idempotency_key=str(uuid5(UUID(operation_id), "idempotency")),
        refunded_before_minor=wanted.refunded_before_minor,
        transaction_id="",
        answer="",
        evidence_id="",
        settled_at="",
        event_seq=1,
        event_hash=first["hash"],
        event_date=first["business_date"],
    )
    empty = {"transaction_id": None, "answer": None, "evidence_id": None, "settled_at": None}
    writing.connection.execute(_NEW, {**asdict(claimed), "mid": writing.mid, **empty})
    writing.connection.execute(_NEW_EVENT, [first])
    return move_operation(writing, claimed, OperationStep.SENDING, reason="it is asked for now")


_OPERATIONS = Rows(operation_table, "operation_id", "operation", "operation")


def move_operation(
    writing: Writing,
    old: Operation,
    to: OperationStep,
    *,
    reason: str,
    evidence_id: str = "",
    source: str = "provider",
    detail: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401 - columns of several types
) -> Operation:
    """Take a request to its next step; `changes` are further columns, `detail` further words of its event.

    Raises IllegalTransition for a step that no rule allows, TransitionLost when it is no longer where it was read.
    """
    by = "operator" if to is OperationStep.SENDING else source
    step = Step(to, OPERATION_EDGES[old.step], f"The {old.kind} {old.operation_id}", by, reason, evidence_id, detail)
    settles = {"settled_at": writing.now} if to not in UNSETTLED else {}
    proof = {"evidence_id": evidence_id} if evidence_id else {}
    after = take_step(writing, _OPERATIONS, old.operation_id, old, step, {"answer": reason, **settles, **proof, **changes})
    return replace(old, **{**after, "step": to})


_ALL = select(*(operation_table.c[name] for name in Operation.__dataclass_fields__)).where(_MINE)
_OF_ORDER = _ALL.where(operation_table.c.order_id == bindparam("order_id")).order_by(
    operation_table.c.asked_at, operation_table.c.event_date, operation_table.c.operation_id
)
_CANCELS = _ALL.where(
    operation_table.c.kind == OperationKind.CANCEL.value,
    operation_table.c.order_id.in_(bindparam("order_ids", expanding=True)),
).order_by(operation_table.c.asked_at, operation_table.c.event_date, operation_table.c.operation_id)
_OPEN = _ALL.where(among(operation_table.c.step, UNSETTLED)).order_by(operation_table.c.asked_at, operation_table.c.operation_id)
_BY_REQUEST = _ALL.where(operation_table.c.kind == bindparam("kind"), operation_table.c.request_id == bindparam("request_id"))
_BY_ID = _ALL.where(operation_table.c.operation_id == bindparam("operation_id"))
_GIVEN_BACK = (
    select(operation_table.c.order_id, func.sum(operation_table.c.amount_minor).label("minor"))
    .where(
        _MINE,
        operation_table.c.kind == OperationKind.REFUND.value,
        operation_table.c.step == OperationStep.DONE.value,
        operation_table.c.order_id.in_(bindparam("order_ids", expanding=True)),
    )
    .group_by(operation_table.c.order_id)
)


def operations_of(connection: Connection, mid: str, order_id: str, kind: OperationKind | None = None) -> list[Operation]:
    """Every request about one order, of one kind or of all, oldest first."""
    rows = connection.execute(_OF_ORDER, {"mid": mid, "order_id": order_id}).mappings()
    found = [Operation.of(row) for row in rows]
    return [each for each in found if kind in (None, each.kind)]


def cancels_of(connection: Connection, mid: str, order_ids: Sequence[str]) -> dict[str, list[Operation]]:
    """Every request to stop one of these orders (at most a thousand), by order, oldest first."""
    found: dict[str, list[Operation]] = {}
    if order_ids:
        for row in connection.execute(_CANCELS, {"mid": mid, "order_ids": list(order_ids)}).mappings():
            found.setdefault(row["order_id"], []).append(Operation.of(row))
    return found


def unsettled_operations(connection: Connection, mid: str) -> list[Operation]:
    """Every request of which nobody can say yet whether it happened, oldest first."""
    return [Operation.of(row) for row in connection.execute(_OPEN, {"mid": mid}).mappings()]


def operation_by_id(connection: Connection, mid: str, operation_id: str) -> Operation | None:
    """The request with this id, if there is one."""
    row = connection.execute(_BY_ID, {"mid": mid, "operation_id": operation_id}).mappings().one_or_none()
    return None if row is None else Operation.of(row)


def operation_of_request(connection: Connection, mid: str, kind: OperationKind, request_id: str) -> Operation | None:
    """The request that bears this id, if there is one."""
    row = connection.execute(_BY_REQUEST, {"mid": mid, "kind": kind.value, "request_id": request_id}).mappings().one_or_none()
    return None if row is None else Operation.of(row)


def given_back(connection: Connection, mid: str, order_ids: Sequence[str]) -> dict[str, int]:
    """What was given back of each of these orders by refunds that the provider confirmed (minor units)."""
    if not order_ids:
        return {}
    rows = connection.execute(_GIVEN_BACK, {"mid": mid, "order_ids": order_ids})
    return {row.order_id: int(row.minor) for row in rows}
