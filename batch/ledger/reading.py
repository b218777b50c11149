"""What stands in the ledger now: open batches, the rows of a file, orders due for a read or for writing back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, case, func, select

from batch.build import BatchRow
from batch.ledger.records import Batch, Submission
from schemas.ledger_tables import among, event, evidence, run, submission, transmission
from schemas.states import OPEN, State

_MINE = submission.c.mid == bindparam("mid")
_SUBMISSIONS = select(*(submission.c[name] for name in Submission._fields)).where(_MINE)
"""Statements are built once and given their values when they run: building one costs more than running it."""
_OF_BATCH = _SUBMISSIONS.where(submission.c.batch_id == bindparam("batch_id")).order_by(submission.c.sequence_number)
_OF_BATCH_IN = _OF_BATCH.where(submission.c.state.in_(bindparam("states", expanding=True)))


def submissions_of_batch(connection: Connection, mid: str, batch_id: str, states: Sequence[State] = ()) -> list[Submission]:
    """The orders of a batch in file order, all or those in certain states."""
    values: dict[str, Any] = {"mid": mid, "batch_id": batch_id}
    if states:
        values["states"] = [state.value for state in states]
    rows = connection.execute(_OF_BATCH_IN if states else _OF_BATCH, values)
    return [Submission.of(row) for row in rows.all()]


_LATEST = submission.alias()
_SUPERSEDED = (
    select(*(_LATEST.c[name] for name in Submission._fields))
    .join(
        submission,
        (submission.c.mid == _LATEST.c.mid)
        & (submission.c.order_id == _LATEST.c.order_id)
        & (submission.c.attempt < _LATEST.c.attempt),
    )
    .where(_MINE, submission.c.batch_id == bindparam("batch_id"))
    .order_by(_LATEST.c.attempt)
)


def superseded_in(connection: Connection, mid: str, batch_id: str) -> dict[str, Submission]:
    """Orders of a batch that were claimed again since, with their latest claim."""
    rows = connection.execute(_SUPERSEDED, {"mid": mid, "batch_id": batch_id})
    return {row.order_id: Submission.of(row) for row in rows.all()}


_BEARERS = select(submission.c.provider_order_id, submission.c.order_id).where(
    _MINE, submission.c.provider_order_id.in_(bindparam("ids", expanding=True))
)


def bearers_of(connection: Connection, mid: str, provider_order_ids: Sequence[str]) -> dict[str, str]:
    """Which of our orders bear these ids of the provider's: our order id by theirs."""
    rows = connection.execute(_BEARERS, {"mid": mid, "ids": provider_order_ids})
    return {row.provider_order_id: row.order_id for row in rows}


_EVALUATE_ROWS = (
    select(submission.c.sequence_number, submission.c.record_json)
    .where(_MINE, submission.c.batch_id == bindparam("batch_id"))
    .where(submission.c.state != State.WITHDRAWN.value, submission.c.sequence_number > 0)
    .order_by(submission.c.sequence_number)
)
_TRANSMIT_ROWS = (
    select(transmission.c.sequence_number, transmission.c.record_json)
    .where(transmission.c.mid == bindparam("mid"), transmission.c.batch_id == bindparam("batch_id"))
    .where(transmission.c.sequence_number > 0)
    .order_by(transmission.c.sequence_number)
)


_KINDS = (
    select(submission.c.site, submission.c.origin)
    .where(_MINE, submission.c.batch_id == bindparam("batch_id"), submission.c.sequence_number > 0)
    .distinct()
)


def kinds_in_file(connection: Connection, mid: str, batch_id: str) -> list[tuple[str, str]]:
    """The sites and origins of the orders that have a line in a file."""
    rows = connection.execute(_KINDS, {"mid": mid, "batch_id": batch_id})
    return [(row.site, row.origin) for row in rows]


def rows_of_batch(connection: Connection, mid: str, found: Batch) -> list[BatchRow]:
    """The wire records of a batch in file order; of an evaluate file those that have a line in it."""
    statement = _EVALUATE_ROWS if found.kind == "evaluate" else _TRANSMIT_ROWS
    rows = connection.execute(statement, {"mid": mid, "batch_id": found.batch_id})
    return [BatchRow(row.sequence_number, orjson.loads(row.record_json)) for row in rows]


_PAGE = _SUBMISSIONS.where(submission.c.order_id > bindparam("after")).limit(bindparam("limit"))
_KNOWN_THERE = _PAGE.where(submission.c.provider_order_id.is_not(None)).order_by(submission.c.order_id)
_DUE = _KNOWN_THERE.where(submission.c.next_read_at <= bindparam("now"))
_DUE_OR_AT_WORK = _KNOWN_THERE.where(
    (submission.c.next_read_at <= bindparam("now")) | among(submission.c.state, [State.PENDING, State.CAPTURE_REQUIRED])
)


def due_for_read(connection: Connection, mid: str, *, now: str, everything: bool, after: str, limit: int) -> list[Submission]:
    """Orders that should be asked about now, by order id; `after` is where to go on.

    `everything` adds those that the provider works on and that are not due yet. An order that has ended is only due
    after a hint that it has news.
    """
    statement = _DUE_OR_AT_WORK if everything else _DUE
    rows = connection.execute(statement, {"mid": mid, "after": after, "now": now, "limit": limit})
    return [Submission.of(row) for row in rows.all()]


@dataclass(frozen=True, slots=True)
class Due:
    """How many orders should be asked about now, how many the provider works on, and the oldest claim (UTC text) of the first."""

    orders: int
    at_work: int
    oldest_claim: str


_IS_DUE = submission.c.next_read_at <= bindparam("now")
_COUNT_DUE = select(
    func.coalesce(func.sum(case((_IS_DUE, 1), else_=0)), 0).label("orders"),
    func.coalesce(func.sum(case((among(submission.c.state, [State.PENDING, State.CAPTURE_REQUIRED]), 1), else_=0)), 0).label(
        "at_work"
    ),
    func.coalesce(func.min(case((_IS_DUE, submission.c.claimed_at))), "").label("oldest_claim"),
).where(_MINE, submission.c.provider_order_id.is_not(None))


def count_due(connection: Connection, mid: str, *, now: str) -> Due:
    """How much there is to ask about."""
    row = connection.execute(_COUNT_DUE, {"mid": mid, "now": now}).one()
    return Due(int(row.orders), int(row.at_work), row.oldest_claim)


_BEARING = _SUBMISSIONS.where(submission.c.provider_order_id.in_(bindparam("ids", expanding=True))).order_by(
    submission.c.order_id
)
_IDS_AT_A_TIME = 500


def bearing(connection: Connection, mid: str, provider_order_ids: Sequence[str]) -> list[Submission]:
    """Our orders that bear these ids of the provider's."""
    found: list[Submission] = []
    for start in range(0, len(provider_order_ids), _IDS_AT_A_TIME):
        ids = provider_order_ids[start : start + _IDS_AT_A_TIME]
        found += [Submission.of(row) for row in connection.execute(_BEARING, {"mid": mid, "ids": ids}).all()]
    return found


_A_REFUSED = select(submission.c.order_id).where(_MINE, submission.c.state == State.REJECTED.value).limit(1)


def has_refused(connection: Connection, mid: str) -> bool:
    """Whether any order was refused by the provider: its answer may be corrected before the order is claimed again."""
    return connection.execute(_A_REFUSED, {"mid": mid}).first() is not None


_LATER = submission.alias()
_HINTED = _SUBMISSIONS.where(
    submission.c.provider_order_id.is_(None),
    submission.c.next_read_at <= bindparam("now"),
    ~select(_LATER.c.attempt)
    .where(_LATER.c.mid == submission.c.mid, _LATER.c.order_id == submission.c.order_id, _LATER.c.attempt > submission.c.attempt)
    .exists(),
).order_by(submission.c.order_id)


def hinted_without_id(connection: Connection, mid: str, *, now: str) -> list[Submission]:
    """Orders that a hint says have news, and whose id at the provider we do not know; the latest claim of each."""
    rows = connection.execute(_HINTED, {"mid": mid, "now": now})
    return [Submission.of(row) for row in rows.all()]


_OVERDUE = _SUBMISSIONS.where(
    among(submission.c.state, [State.PENDING, State.CAPTURE_REQUIRED]),
    submission.c.expires_at < bindparam("before"),
).order_by(submission.c.expires_at, submission.c.order_id)


def overdue_submissions(connection: Connection, mid: str, *, before: str) -> list[Submission]:
    """Orders that the provider has and whose expiry lies before a moment (UTC text), oldest expiry first."""
    rows = connection.execute(_OVERDUE, {"mid": mid, "before": before})
    return [Submission.of(row) for row in rows.all()]


_UNWRITTEN = _PAGE.where(submission.c.written_version != submission.c.row_version).order_by(
    submission.c.order_id, submission.c.attempt
)


def to_write_back(connection: Connection, mid: str, *, after: str, limit: int) -> list[Submission]:
    """Orders whose row does not yet show what the ledger says, by order id; an order that is only claimed shows nothing."""
    rows = connection.execute(_UNWRITTEN, {"mid": mid, "after": after, "limit": limit})
    return [Submission.of(row) for row in rows.all()]


_OPEN = _SUBMISSIONS.where(among(submission.c.state, OPEN)).order_by(submission.c.order_id)


def open_submissions(connection: Connection, mid: str) -> Iterator[Submission]:
    """Every order that is inside the books' closing line, by order id."""
    for row in connection.execute(_OPEN, {"mid": mid}):
        yield Submission.of(row)


_BY_MODE = (
    select(submission.c.mit_mode, func.count().label("orders"))
    .where(_MINE, among(submission.c.state, [state for state in OPEN if state is not State.REVIEW]))
    .where(func.coalesce(submission.c.mit_mode, "") != "cit")
    .group_by(submission.c.mit_mode)
)


def open_in_modes(connection: Connection, mid: str) -> dict[str, int]:
    """How many merchant-initiated orders are open in each mode; those under review wait for a person, in any mode."""
    return {row.mit_mode or "managed": row.orders for row in connection.execute(_BY_MODE, {"mid": mid})}


_OF_ORDER = _SUBMISSIONS.where(submission.c.order_id == bindparam("order_id")).order_by(submission.c.attempt)


def attempts_of(connection: Connection, mid: str, order_id: str) -> list[Submission]:
    """Every claim of one order, oldest first."""
    rows = connection.execute(_OF_ORDER, {"mid": mid, "order_id": order_id})
    return [Submission.of(row) for row in rows.all()]


def events_of(connection: Connection, mid: str, subject: str) -> list[dict[str, Any]]:
    """Everything that ever happened to one order or batch, oldest first."""
    rows = connection.execute(select(event).where(event.c.mid == mid, event.c.subject == subject).order_by(event.c.seq))
    return [dict(row) for row in rows.mappings()]


_LAST_TRANSITION = (
    select(event.c.source)
    .where(event.c.mid == bindparam("mid"), event.c.subject == bindparam("subject"), event.c.kind == "transition")
    .order_by(event.c.seq.desc())
    .limit(1)
)


def source_of_state(connection: Connection, mid: str, order_id: str) -> str:
    """Whose word brought an order into the state in which it is; empty for one that has never moved."""
    found = connection.execute(_LAST_TRANSITION, {"mid": mid, "subject": f"order:{order_id}"}).scalar_one_or_none()
    return found or ""


def evidence_by_id(connection: Connection, mid: str, evidence_id: str) -> dict[str, Any] | None:
    """One piece of evidence, with its raw content."""
    row = (
        connection.execute(select(evidence).where(evidence.c.mid == mid, evidence.c.evidence_id == evidence_id))
        .mappings()
        .one_or_none()
    )
    return dict(row) if row is not None else None


_BY_STATE = (
    select(
        submission.c.state,
        submission.c.currency,
        func.count().label("orders"),
        func.sum(submission.c.amount_minor).label("minor"),
    )
    .where(_MINE)
    .group_by(submission.c.state, submission.c.currency)
    .order_by(submission.c.state, submission.c.currency)
)


def count_by_state(connection: Connection, mid: str) -> dict[str, dict[str, tuple[int, int]]]:
    """Orders and minor units by state and currency."""
    rows = connection.execute(_BY_STATE, {"mid": mid})
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in rows:
        found.setdefault(row.state, {})[row.currency] = (row.orders, int(row.minor))
    return found


def last_runs(connection: Connection, mid: str) -> dict[str, dict[str, Any]]:
    """The latest run of each job."""
    rows = connection.execute(select(run).where(run.c.mid == mid).order_by(run.c.fencing_token)).mappings()
    return {row["job"]: dict(row) for row in rows}


_ENDED = run.alias()
_CUT_OFF = (
    select(run.c.business_date)
    .where(run.c.mid == bindparam("mid"), run.c.finished_at.is_(None), run.c.fencing_token < bindparam("before_token"))
    .where(
        ~select(_ENDED.c.run_id)
        .where(
            _ENDED.c.mid == run.c.mid,
            _ENDED.c.fencing_token > run.c.fencing_token,
            _ENDED.c.finished_at.is_not(None),
        )
        .exists()
    )
    .distinct()
)


def cut_off_dates(connection: Connection, mid: str, before_token: int) -> list[str]:
    """Business dates of earlier runs that left no files for finance, and after which no run did: one that does writes theirs."""
    return list(connection.execute(_CUT_OFF, {"mid": mid, "before_token": before_token}).scalars())


def nearest_order_ids(connection: Connection, mid: str, order_id: str, limit: int = 200) -> list[str]:
    """Order ids that differ from this one only in case or leading zeros, or begin like it."""
    plain = order_id.strip().lower().lstrip("0")
    key = func.ltrim(func.lower(submission.c.order_id), "0")
    query = select(submission.c.order_id).where(
        submission.c.mid == mid, (key == plain) | submission.c.order_id.startswith(order_id[:3], autoescape=True)
    )
    return list(connection.execute(query.distinct().limit(limit)).scalars())
