"""The statements that the report is read with, each built once; names and dates come when they run."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, literal, null, or_, select, union

from batch.history_statements import CHUNK
from schemas.ledger_tables import among, batch, comparison, comparison_row, decision, event, figure, run, submission
from schemas.matches import Match
from schemas.reasons import Reason
from schemas.states import NEVER_AGAIN, State

_MID: ColumnElement[str] = bindparam("mid")
_DATE: ColumnElement[str] = bindparam("business_date")
_START: ColumnElement[str] = bindparam("start")
_CLAIMED_FROM: ColumnElement[str] = bindparam("claimed_from")
_BEFORE_HAND_OVER = (State.CLAIMED, State.HELD, State.SENDING, State.IN_DOUBT)
_CHOOSERS = ("nightly", "rerun")
_OF_NETWORK = (Reason.NETWORK_NEVER_RETRY, Reason.NETWORK_LIMIT, Reason.NETWORK_WAIT)


@cache
def lives() -> Select[Any]:
    """Every change of state of the orders that the report is about, with what never changes of each, order by order."""
    claimed = select(submission.c.order_id).where(
        submission.c.mid == _MID, submission.c.business_date >= _CLAIMED_FROM, submission.c.business_date <= _DATE
    )
    moved = select(func.substr(event.c.subject, len("order:") + 1).label("order_id")).where(
        event.c.mid == _MID,
        event.c.kind == "transition",
        event.c.business_date >= _START,
        event.c.business_date <= _DATE,
        or_(among(event.c.to_state, NEVER_AGAIN), among(event.c.from_state, NEVER_AGAIN)),
    )
    relevant = union(claimed, moved).subquery("relevant")
    later = submission.alias("later")
    latest = (
        select(func.max(later.c.attempt))
        .where(later.c.mid == _MID, later.c.order_id == submission.c.order_id, later.c.business_date <= _DATE)
        .scalar_subquery()
    )
    judged = and_(
        decision.c.mid == submission.c.mid,
        decision.c.order_id == submission.c.order_id,
        decision.c.business_date == submission.c.business_date,
    )
    told = case((event.c.to_state == State.PENDING.value, null()), else_=event.c.detail).label("detail")
    return (
        select(
            *(submission.c[name] for name in ("order_id", "site", "currency", "amount_minor", "channel", "origin")),
            *(event.c[name] for name in ("seq", "business_date", "from_state", "to_state")),
            told,
            decision.c.cells_json,
        )
        .select_from(relevant)
        .join(submission, and_(submission.c.mid == _MID, submission.c.order_id == relevant.c.order_id))
        .join(event, and_(event.c.mid == _MID, event.c.subject == literal("order:") + relevant.c.order_id))
        .outerjoin(decision, judged)
        .where(
            submission.c.attempt == latest,
            event.c.kind == "transition",  # not bounded by date: SQLite would go through all events by that
            ~among(event.c.to_state, _BEFORE_HAND_OVER),
        )
        .order_by(event.c.subject, event.c.seq)
        .execution_options(yield_per=CHUNK)
    )


@cache
def avoided() -> Select[Any]:
    """How many orders each rule held back for the first time on each date."""
    first = (
        select(
            func.min(decision.c.business_date).label("first"),
            func.max(decision.c.amount_minor).label("amount"),
            decision.c.rule_id,
            decision.c.reason,
            decision.c.currency,
        )
        .where(
            decision.c.mid == _MID,
            decision.c.business_date >= _START,
            decision.c.business_date <= _DATE,
            among(decision.c.reason, _OF_NETWORK),
        )
        .group_by(decision.c.order_id, decision.c.rule_id, decision.c.reason, decision.c.currency)
        .subquery("held_back")
    )
    kinds = (first.c.first, first.c.rule_id, first.c.reason, first.c.currency)
    total = func.coalesce(func.sum(first.c.amount), 0).label("amount")
    return select(*kinds, func.count().label("orders"), total).group_by(*kinds)


@cache
def batches() -> Select[Any]:
    """Files and groups of calls with a step on a date."""
    touched = (
        select(func.substr(event.c.subject, len("batch:") + 1))
        .where(event.c.mid == _MID, event.c.business_date == _DATE, event.c.subject.like("batch:%"))
        .distinct()
    )
    columns = (batch.c.batch_id, batch.c.kind, batch.c.file_name, batch.c.format, batch.c.row_count)
    return select(*columns).where(batch.c.mid == _MID, batch.c.batch_id.in_(touched))


@cache
def nights() -> Select[Any]:
    """The nightly runs of the dates before one, in order."""
    return (
        select(run.c.business_date, run.c.exit_code, run.c.started_at, run.c.finished_at)
        .where(
            run.c.mid == _MID,
            run.c.business_date >= _START,
            run.c.business_date < _DATE,
            among(run.c.job, _CHOOSERS),
        )
        .order_by(run.c.fencing_token)
    )


@cache
def last_chooser() -> Select[Any]:
    """The last run by the end of a date that may have written verdicts on candidates."""
    mine = (run.c.mid == _MID, run.c.business_date <= _DATE, among(run.c.job, _CHOOSERS))
    return select(run.c.run_id).where(*mine).order_by(run.c.fencing_token.desc()).limit(1)


@cache
def calls() -> Select[Any]:
    """What was counted of the API's calls on the dates before one."""
    return select(figure.c.business_date, figure.c.labels, figure.c.value).where(
        figure.c.mid == _MID,
        figure.c.business_date >= _START,
        figure.c.business_date < _DATE,
        figure.c.name == "mitbatch_api_requests",
    )


@cache
def runs_of() -> Select[Any]:
    """The runs of a date, in order."""
    return select(run.c.run_id, run.c.job).where(run.c.mid == _MID, run.c.business_date == _DATE).order_by(run.c.fencing_token)


@cache
def comparisons() -> Select[Any]:
    """Comparisons by a date, in order, each with how many of its rows differ."""
    differing = (
        select(func.count())
        .where(
            comparison_row.c.mid == comparison.c.mid,
            comparison_row.c.comparison_id == comparison.c.comparison_id,
            comparison_row.c.match != Match.EQUAL.value,
        )
        .scalar_subquery()
    )
    columns = (
        comparison.c[name] for name in ("comparison_id", "business_date", "compared_at", "is_whole", "is_settled", "orders")
    )
    return (
        select(*columns, differing.label("differing"))
        .where(comparison.c.mid == _MID, comparison.c.business_date >= _START, comparison.c.business_date <= _DATE)
        .order_by(comparison.c.compared_at, comparison.c.comparison_id)
    )


@cache
def differing() -> Select[Any]:
    """What differs in one comparison, by kind, currency and age."""
    kinds = (comparison_row.c.match, comparison_row.c.currency, comparison_row.c.first_seen_date)
    sums = (func.coalesce(func.sum(comparison_row.c[name]), 0) for name in ("amount_minor", "difference_minor"))
    return (
        select(*kinds, func.count(), *sums)
        .where(
            comparison_row.c.mid == _MID,
            comparison_row.c.comparison_id == bindparam("comparison_id"),
            comparison_row.c.match != Match.EQUAL.value,
        )
        .group_by(*kinds)
    )
