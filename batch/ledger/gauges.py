"""How things stand now, for metrics and the dashboard: read from what is open, never from the whole history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, select

from schemas.figure_tables import STANDING
from schemas.ledger_tables import batch, item, run, submission
from schemas.states import OPEN, BatchStep, State

Row = RowMapping
_MID = bindparam("mid", type_=submission.c.mid.type)

_STANDING = (
    select(
        submission.c.site,
        submission.c.currency,
        submission.c.state,
        submission.c.handed_over_date,
        (submission.c.expires_at < bindparam("overdue_before")).label("is_overdue"),
        func.count().label("orders"),
        func.sum(submission.c.amount_minor).label("minor"),
        func.min(submission.c.claimed_at).label("oldest"),
        func.min(func.nullif(submission.c.expires_at, "")).label("expiry"),
    )
    .where(submission.c.mid == _MID, STANDING)
    .group_by(*(submission.c[name] for name in ("site", "currency", "state", "handed_over_date")), "is_overdue")
)
_UNWRITTEN = (
    select(submission.c.site, func.count().label("orders"))
    .where(submission.c.mid == _MID, submission.c.written_version != submission.c.row_version)
    .group_by(submission.c.site)
)
_ITEMS = (
    select(item.c.kind, func.count().label("items"), func.min(item.c.opened_at).label("oldest"))
    .where(item.c.mid == _MID, item.c.closed_at.is_(None))
    .group_by(item.c.kind)
)
_UNANSWERED = (
    select(batch.c.kind, func.count().label("files"), func.min(batch.c.delivered_at).label("oldest"))
    .where(batch.c.mid == _MID, batch.c.step == BatchStep.DELIVERED.value)
    .group_by(batch.c.kind)
)
_RUNS = (
    select(run.c.job, run.c.exit_code, func.count().label("runs"), func.max(run.c.fencing_token).label("token"))
    .where(run.c.mid == _MID)
    .group_by(run.c.job, run.c.exit_code)
)
_NAMED_RUNS = select(run).where(run.c.mid == _MID, run.c.fencing_token.in_(bindparam("tokens", expanding=True)))
_CLOSED = select(func.max(run.c.business_date)).where(
    run.c.mid == _MID, run.c.finished_at.is_not(None), run.c.job.in_(["nightly", "rerun"])
)
_LATEST_RUNS = select(run).where(run.c.mid == _MID, run.c.started_at >= bindparam("since")).order_by(run.c.fencing_token)


@dataclass(frozen=True, slots=True)
class Gauges:
    """Rows as they are counted now. `standing` is by site, currency, state and hand-over date, `runs` by job and exit code.

    `latest` holds the run behind each row of `runs` that was the last of its kind; `closed` is the last business date that
    a nightly closed, empty before the first.
    """

    standing: Sequence[Row]
    unwritten: Sequence[Row]
    items: Sequence[Row]
    unanswered: Sequence[Row]
    runs: Sequence[Row]
    latest: Mapping[int, Row]
    closed: str

    @property
    def of_state(self) -> Mapping[str, Sequence[Row]]:
        """The standing orders by state."""
        return {state.value: [row for row in self.standing if row["state"] == state] for state in OPEN}

    @property
    def pending(self) -> Sequence[Row]:
        """Orders that the provider works on."""
        return self.of_state[State.PENDING]


def read_gauges(connection: Connection, mid: str, *, overdue_before: str) -> Gauges:
    """Everything that is open, in groups; the cost follows what is open. `overdue_before` is UTC text."""
    runs = _all(connection, _RUNS, mid)
    tokens = [row["token"] for row in runs]
    latest = connection.execute(_NAMED_RUNS, {"mid": mid, "tokens": tokens}).mappings()
    return Gauges(
        standing=_all(connection, _STANDING, mid, overdue_before=overdue_before),
        unwritten=_all(connection, _UNWRITTEN, mid),
        items=_all(connection, _ITEMS, mid),
        unanswered=_all(connection, _UNANSWERED, mid),
        runs=runs,
        latest={row["fencing_token"]: row for row in latest},
        closed=connection.execute(_CLOSED, {"mid": mid}).scalar() or "",
    )


def runs_since(connection: Connection, mid: str, since: str) -> Sequence[Row]:
    """Every run that began at a moment (UTC text) or later, oldest first."""
    return _all(connection, _LATEST_RUNS, mid, since=since)


def _all(connection: Connection, statement: Select[Any], mid: str, **values: object) -> Sequence[Row]:
    return connection.execute(statement, {"mid": mid, **values}).mappings().all()
