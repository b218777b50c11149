"""The statements with which the ledger is read backwards, each built once; `mid` and `business_date` come when they run.

Rows come sorted byte by byte: SQLite compares so already, PostgreSQL sorts by the language of its database unless told.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Result,
    ScalarSelect,
    Select,
    Subquery,
    and_,
    bindparam,
    collate,
    func,
    literal,
    select,
    union,
)

from batch.history_rows import CLAIM_COLUMNS, COPY_COLUMNS, DECISION_COLUMNS, EVENT_COLUMNS, REFUND_COLUMNS
from schemas.ledger_tables import among, batch, decision, event, operation, submission, transmission
from schemas.operations import OperationKind
from schemas.states import OPEN, BatchStep, State

CHUNK = 2000
_ANSWERED_STEPS = (BatchStep.ACKNOWLEDGED, BatchStep.REFUSED)
_MID: ColumnElement[str] = bindparam("mid")
_DATE: ColumnElement[str] = bindparam("business_date")


@cache
def attempts(dialect: str) -> Select[Any]:
    """Every claim that matters for a date, with its file and the cells of its verdict."""
    relevant = _relevant()
    judged = and_(
        decision.c.mid == submission.c.mid,
        decision.c.order_id == submission.c.order_id,
        decision.c.business_date == submission.c.business_date,
        decision.c.order_id.in_(_moved(event.c.business_date == _DATE)),
    )
    statement = (
        select(*(submission.c[name] for name in CLAIM_COLUMNS), batch.c.file_name, batch.c.format, decision.c.cells_json)
        .select_from(submission)
        .join(relevant, relevant.c.order_id == submission.c.order_id)
        .join(batch, and_(batch.c.mid == submission.c.mid, batch.c.batch_id == submission.c.batch_id))
        .outerjoin(decision, judged)
        .where(submission.c.mid == _MID)
    )
    key = (submission.c.site, submission.c.currency, submission.c.order_id)
    return _streamed(statement.order_by(*_sorted(key, dialect), submission.c.attempt))


@cache
def events(dialect: str) -> Select[Any]:
    """Every event of the claims that matter for a date, in the order of the claims."""
    relevant = _relevant()
    statement = (
        select(submission.c.order_id, submission.c.attempt, *(event.c[name] for name in EVENT_COLUMNS))
        .select_from(submission)
        .join(relevant, relevant.c.order_id == submission.c.order_id)
        .join(event, and_(event.c.mid == submission.c.mid, event.c.subject == literal("order:") + submission.c.order_id))
        .where(submission.c.mid == _MID)
    )
    key = (submission.c.site, submission.c.currency, submission.c.order_id)
    return _streamed(statement.order_by(*_sorted(key, dialect), submission.c.attempt, event.c.seq))


@cache
def decisions(dialect: str) -> Select[Any]:
    """Every verdict of a date, with the claim that it led to and what withdrew that by then."""
    claim, later, last = submission.alias("claim"), submission.alias("later"), event.alias("last")
    of_that_date = and_(
        claim.c.mid == decision.c.mid,
        claim.c.order_id == decision.c.order_id,
        claim.c.attempt
        == select(func.max(later.c.attempt))
        .where(later.c.mid == decision.c.mid, later.c.order_id == decision.c.order_id, later.c.business_date == _DATE)
        .scalar_subquery(),
    )
    withdrawal = and_(
        event.c.mid == claim.c.mid,
        event.c.subject == literal("order:") + claim.c.order_id,
        event.c.to_state == State.WITHDRAWN.value,
        event.c.seq
        == select(func.max(last.c.seq))
        .where(
            last.c.mid == claim.c.mid,
            last.c.subject == literal("order:") + claim.c.order_id,
            last.c.kind == "transition",
            last.c.business_date <= _DATE,
        )
        .scalar_subquery(),
    )
    statement = (
        select(
            *(decision.c[name] for name in DECISION_COLUMNS),
            claim.c.batch_id.label("claim_batch_id"),
            batch.c.run_id.label("claim_run_id"),
            event.c.reason.label("withdrawal_reason"),
            event.c.detail.label("withdrawal_detail"),
        )
        .select_from(decision)
        .outerjoin(claim, of_that_date)
        .outerjoin(batch, and_(batch.c.mid == claim.c.mid, batch.c.batch_id == claim.c.batch_id))
        .outerjoin(event, withdrawal)
        .where(decision.c.mid == _MID, decision.c.business_date == _DATE)
    )
    return _streamed(statement.order_by(*_sorted((decision.c.site, decision.c.currency, decision.c.order_id), dialect)))


@cache
def transmissions(dialect: str) -> Select[Any]:
    """Every copy claimed on a date, and whether its file was answered by then."""
    answered = and_(
        event.c.mid == transmission.c.mid,
        event.c.subject == literal("batch:") + transmission.c.batch_id,
        among(event.c.to_state, (*_ANSWERED_STEPS, BatchStep.EMPTY)),
        event.c.business_date <= _DATE,
    )
    statement = (
        select(*(transmission.c[name] for name in COPY_COLUMNS), batch.c.file_name, batch.c.format, event.c.seq.label("answer"))
        .select_from(transmission)
        .join(batch, and_(batch.c.mid == transmission.c.mid, batch.c.batch_id == transmission.c.batch_id))
        .outerjoin(event, answered)
        .where(transmission.c.mid == _MID, transmission.c.business_date == _DATE)
    )
    key = (transmission.c.site, transmission.c.currency, transmission.c.order_id)
    return _streamed(statement.order_by(*_sorted(key, dialect)))


@cache
def deliveries() -> Select[Any]:
    """Every step of one file by a date."""
    return (
        select(event.c.to_state, event.c.source, event.c.at, event.c.business_date, event.c.detail)
        .where(event.c.mid == _MID, event.c.subject == bindparam("subject"), event.c.business_date <= _DATE)
        .order_by(event.c.seq)
    )


@cache
def refunds(dialect: str) -> Select[Any]:
    """Every refund that was asked for or settled on a date, with its order."""
    touched = select(func.substr(event.c.subject, len("operation:") + 1)).where(
        event.c.mid == _MID, event.c.kind == "operation", event.c.business_date == _DATE
    )
    of_its_order = and_(
        submission.c.mid == operation.c.mid,
        submission.c.order_id == operation.c.order_id,
        submission.c.attempt == operation.c.attempt,
    )
    statement = (
        select(
            *(operation.c[name] for name in REFUND_COLUMNS),
            submission.c.site,
            submission.c.currency,
            submission.c.provider_order_id,
            submission.c.amount_minor.label("order_minor"),
        )
        .select_from(operation)
        .join(submission, of_its_order)
        .where(operation.c.mid == _MID, operation.c.kind == OperationKind.REFUND.value, operation.c.operation_id.in_(touched))
    )
    key = (submission.c.site, submission.c.currency, operation.c.order_id, operation.c.asked_at, operation.c.operation_id)
    return statement.order_by(*_sorted(key, dialect))


@cache
def chains() -> Select[Any]:
    """What happened by a date to these orders and requests, named by their subjects."""
    return (
        select(event.c.subject, *(event.c[name] for name in EVENT_COLUMNS))
        .where(event.c.mid == _MID, event.c.business_date <= _DATE, event.c.subject.in_(bindparam("subjects", expanding=True)))
        .order_by(event.c.subject, event.c.seq)
    )


@cache
def refund_ids() -> Select[Any]:
    """The refunds of one order, and how much each asked for."""
    return select(operation.c.operation_id, operation.c.amount_minor).where(
        operation.c.mid == _MID, operation.c.kind == OperationKind.REFUND.value, operation.c.order_id == bindparam("order_id")
    )


@cache
def heads(dialect: str) -> Select[Any]:
    """The end of every event chain by a date."""
    last = (
        select(event.c.subject, func.max(event.c.seq).label("seq"))
        .where(event.c.mid == _MID, event.c.business_date <= _DATE)
        .group_by(event.c.subject)
        .subquery()
    )
    statement = (
        select(event.c.subject, event.c.seq, event.c.hash, event.c.at)
        .select_from(event)
        .join(last, and_(event.c.subject == last.c.subject, event.c.seq == last.c.seq))
        .where(event.c.mid == _MID)
    )
    return _streamed(statement.order_by(*_sorted((event.c.subject,), dialect)))


def in_pages(result: Result[Any]) -> Iterator[Any]:
    """The rows of a streamed statement, fetched many at a time: one by one, each would cost more than it holds."""
    return chain.from_iterable(result.partitions(CHUNK))


def _streamed(statement: Select[Any]) -> Select[Any]:
    return statement.execution_options(yield_per=CHUNK)


def _sorted(columns: Iterable[ColumnElement[Any]], dialect: str) -> list[ColumnElement[Any]]:
    return [collate(column, "C") if dialect == "postgresql" else column for column in columns]


def _relevant() -> Subquery:
    mine, is_open = submission.c.mid == _MID, among(submission.c.state, OPEN)
    still_open = select(submission.c.order_id).where(mine, is_open)
    # A row that was closed without an event would vanish from opening and closing alike, and the books would balance.
    open_by_events = select(submission.c.order_id).where(mine, ~is_open, among(_last_state(), OPEN))
    return union(still_open, open_by_events, _moved(event.c.business_date >= _DATE)).subquery("relevant")


def _last_state() -> ScalarSelect[str | None]:
    subject = literal("order:") + submission.c.order_id
    transitions = (event.c.mid == _MID, event.c.subject == subject, event.c.kind == "transition")
    return select(event.c.to_state).where(*transitions).order_by(event.c.seq.desc()).limit(1).scalar_subquery()


def _moved(when: ColumnElement[bool]) -> Select[tuple[str]]:
    order_id = func.substr(event.c.subject, len("order:") + 1).label("order_id")
    return select(order_id).where(event.c.mid == _MID, event.c.kind == "transition", when)
