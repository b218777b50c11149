"""What stands in the ledger now: open batches, the rows of a file, orders due for a read or for writing back."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from batch.build import BatchRow
from batch.ledger.records import Batch, Submission
from schemas.ledger_tables import event, evidence, run, submission, transmission
from schemas.states import OPEN, State

_SUBMISSION_COLUMNS = [submission.c[name] for name in Submission.__dataclass_fields__]


def submissions_of_batch(connection: Connection, mid: str, batch_id: str, states: Sequence[State] = ()) -> list[Submission]:
    """The orders of a batch in file order, all or those in certain states."""
    query = select(*_SUBMISSION_COLUMNS).where(submission.c.mid == mid, submission.c.batch_id == batch_id)
    if states:
        query = query.where(submission.c.state.in_([state.value for state in states]))
    return [Submission.of(row) for row in connection.execute(query.order_by(submission.c.sequence_number)).mappings()]


def superseded_in(connection: Connection, mid: str, batch_id: str) -> dict[str, Submission]:
    """Orders of a batch that were claimed again since, with their latest claim."""
    latest = submission.alias()
    query = (
        select(*(latest.c[name] for name in Submission.__dataclass_fields__))
        .join(
            submission,
            (submission.c.mid == latest.c.mid)
            & (submission.c.order_id == latest.c.order_id)
            & (submission.c.attempt < latest.c.attempt),
        )
        .where(submission.c.mid == mid, submission.c.batch_id == batch_id)
        .order_by(latest.c.attempt)
    )
    return {row["order_id"]: Submission.of(row) for row in connection.execute(query).mappings()}


def bearers_of(connection: Connection, mid: str, provider_order_ids: Sequence[str]) -> dict[str, str]:
    """Which of our orders bear these ids of the provider's: our order id by theirs."""
    query = select(submission.c.provider_order_id, submission.c.order_id).where(
        submission.c.mid == mid, submission.c.provider_order_id.in_(provider_order_ids)
    )
    return {row.provider_order_id: row.order_id for row in connection.execute(query)}


def rows_of_batch(connection: Connection, mid: str, found: Batch) -> list[BatchRow]:
    """The wire records of a batch in file order; of an evaluate file those that have a line in it."""
    table = submission if found.kind == "evaluate" else transmission
    query = select(table.c.sequence_number, table.c.record_json).where(table.c.mid == mid, table.c.batch_id == found.batch_id)
    if found.kind == "evaluate":
        query = query.where(submission.c.state != State.WITHDRAWN.value, submission.c.sequence_number > 0)
    rows = connection.execute(query.order_by(table.c.sequence_number))
    return [BatchRow(row.sequence_number, orjson.loads(row.record_json)) for row in rows]


def due_for_read(connection: Connection, mid: str, *, now: str, everything: bool, after: str, limit: int) -> list[Submission]:
    """Orders that should be asked about now, by order id; `after` is where to go on.

    `everything` adds those that the provider works on and that are not due yet. An order that has ended is only due
    after a hint that it has news.
    """
    due = submission.c.next_read_at <= now
    if everything:
        due = due | submission.c.state.in_([State.PENDING.value, State.CAPTURE_REQUIRED.value])
    query = select(*_SUBMISSION_COLUMNS).where(
        submission.c.mid == mid, submission.c.provider_order_id.is_not(None), submission.c.order_id > after, due
    )
    rows = connection.execute(query.order_by(submission.c.order_id).limit(limit)).mappings()
    return [Submission.of(row) for row in rows]


def has_refused(connection: Connection, mid: str) -> bool:
    """Whether any order was refused by the provider: its answer may be corrected before the order is claimed again."""
    query = select(submission.c.order_id).where(submission.c.mid == mid, submission.c.state == State.REJECTED.value)
    return connection.execute(query.limit(1)).first() is not None


def hinted_without_id(connection: Connection, mid: str, *, now: str) -> list[Submission]:
    """Orders that a hint says have news, and whose id at the provider we do not know; the latest claim of each."""
    later = submission.alias()
    superseded = select(later.c.attempt).where(
        later.c.mid == mid, later.c.order_id == submission.c.order_id, later.c.attempt > submission.c.attempt
    )
    query = select(*_SUBMISSION_COLUMNS).where(
        submission.c.mid == mid,
        submission.c.provider_order_id.is_(None),
        submission.c.next_read_at <= now,
        ~superseded.exists(),
    )
    return [Submission.of(row) for row in connection.execute(query.order_by(submission.c.order_id)).mappings()]


def held_submissions(connection: Connection, mid: str, *, after: str, limit: int) -> list[Submission]:
    """Orders whose row should bear our hold, by order id; those that are only claimed are still to be held."""
    held = [state.value for state in OPEN if state is not State.CLAIMED]
    query = select(*_SUBMISSION_COLUMNS).where(
        submission.c.mid == mid, submission.c.state.in_(held), submission.c.order_id > after
    )
    rows = connection.execute(query.order_by(submission.c.order_id).limit(limit)).mappings()
    return [Submission.of(row) for row in rows]


def by_hold_reference(connection: Connection, mid: str, references: Sequence[str]) -> dict[str, Submission]:
    """The claims that these holds were placed for."""
    query = select(*_SUBMISSION_COLUMNS).where(
        submission.c.mid == mid,
        submission.c.idempotency_key.in_([reference.partition(":")[2] for reference in references]),
    )
    return {row["hold_reference"]: Submission.of(row) for row in connection.execute(query).mappings()}


def overdue_submissions(connection: Connection, mid: str, *, before: str) -> list[Submission]:
    """Orders that the provider has and whose expiry lies before a moment (UTC text), oldest expiry first."""
    query = select(*_SUBMISSION_COLUMNS).where(
        submission.c.mid == mid,
        submission.c.state.in_([State.PENDING.value, State.CAPTURE_REQUIRED.value]),
        submission.c.expires_at < before,
    )
    rows = connection.execute(query.order_by(submission.c.expires_at, submission.c.order_id)).mappings()
    return [Submission.of(row) for row in rows]


def to_write_back(connection: Connection, mid: str, *, after: str, limit: int) -> list[Submission]:
    """Orders whose row does not yet show what the ledger says, by order id; an order that is only claimed shows nothing."""
    query = (
        select(*_SUBMISSION_COLUMNS)
        .where(
            submission.c.mid == mid,
            submission.c.written_version != submission.c.row_version,
            submission.c.order_id > after,
        )
        .order_by(submission.c.order_id, submission.c.attempt)
        .limit(limit)
    )
    return [Submission.of(row) for row in connection.execute(query).mappings()]


def open_submissions(connection: Connection, mid: str) -> Iterator[Submission]:
    """Every order that is inside the books' closing line, by order id."""
    query = select(*_SUBMISSION_COLUMNS).where(submission.c.mid == mid, submission.c.state.in_([state.value for state in OPEN]))
    for row in connection.execute(query.order_by(submission.c.order_id)).mappings():
        yield Submission.of(row)


def attempts_of(connection: Connection, mid: str, order_id: str) -> list[Submission]:
    """Every claim of one order, oldest first."""
    query = select(*_SUBMISSION_COLUMNS).where(submission.c.mid == mid, submission.c.order_id == order_id)
    return [Submission.of(row) for row in connection.execute(query.order_by(submission.c.attempt)).mappings()]


def events_of(connection: Connection, mid: str, subject: str) -> list[dict[str, Any]]:
    """Everything that ever happened to one order or batch, oldest first."""
    rows = connection.execute(select(event).where(event.c.mid == mid, event.c.subject == subject).order_by(event.c.seq))
    return [dict(row) for row in rows.mappings()]


def evidence_by_id(connection: Connection, mid: str, evidence_id: str) -> dict[str, Any] | None:
    """One piece of evidence, with its raw content."""
    row = (
        connection.execute(select(evidence).where(evidence.c.mid == mid, evidence.c.evidence_id == evidence_id))
        .mappings()
        .one_or_none()
    )
    return dict(row) if row is not None else None


def count_by_state(connection: Connection, mid: str) -> dict[str, dict[str, tuple[int, int]]]:
    """Orders and minor units by state and currency."""
    rows = connection.execute(
        select(
            submission.c.state,
            submission.c.currency,
            func.count().label("orders"),
            func.sum(submission.c.amount_minor).label("minor"),
        )
        .where(submission.c.mid == mid)
        .group_by(submission.c.state, submission.c.currency)
        .order_by(submission.c.state, submission.c.currency)
    )
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in rows:
        found.setdefault(row.state, {})[row.currency] = (row.orders, int(row.minor))
    return found


def last_runs(connection: Connection, mid: str) -> dict[str, dict[str, Any]]:
    """The latest run of each job."""
    rows = connection.execute(select(run).where(run.c.mid == mid).order_by(run.c.fencing_token)).mappings()
    return {row["job"]: dict(row) for row in rows}


def cut_off_dates(connection: Connection, mid: str, before_token: int) -> list[str]:
    """Business dates of earlier runs that never ended, and after which no run of the same date did."""
    ended = run.alias()
    later = select(ended.c.run_id).where(
        ended.c.mid == mid,
        ended.c.business_date == run.c.business_date,
        ended.c.fencing_token > run.c.fencing_token,
        ended.c.finished_at.is_not(None),
    )
    query = select(run.c.business_date).where(
        run.c.mid == mid, run.c.finished_at.is_(None), run.c.fencing_token < before_token, ~later.exists()
    )
    return list(connection.execute(query.distinct()).scalars())


def nearest_order_ids(connection: Connection, mid: str, order_id: str, limit: int = 200) -> list[str]:
    """Order ids that differ from this one only in case or leading zeros, or begin like it."""
    plain = order_id.strip().lower().lstrip("0")
    key = func.ltrim(func.lower(submission.c.order_id), "0")
    query = select(submission.c.order_id).where(
        submission.c.mid == mid, (key == plain) | submission.c.order_id.startswith(order_id[:3], autoescape=True)
    )
    return list(connection.execute(query.distinct().limit(limit)).scalars())
