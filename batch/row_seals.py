"""Cells of the ledger's rows that its chains of events say as well, or that another row does: each must agree.

Only what holds in every honest ledger is looked at, whatever happened to it; what is sealed by nothing stands in
`schemas/FINANCE.md` by name. One statement for each kind of row: a large ledger is gone through once.
"""

from collections.abc import Iterator

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    union,
)

from batch.operation_seals import changed_operations
from batch.tampering import Tampering, TamperingKind, detail_of
from schemas.ledger_tables import batch, comparison, decision, event, item, lease, operation, run, submission, transmission
from schemas.states import BatchStep

_CHUNK = 2000
_OPENED = "opened_run"
_RUN_NAMED_IN: dict[Table, str] = {
    event: "run_id",
    batch: "run_id",
    decision: "run_id",
    operation: "run_id",
    item: _OPENED,
    comparison: "comparison_id",
}
_MID = bindparam("mid", type_=String)
_ANSWERED = (BatchStep.ACKNOWLEDGED.value, BatchStep.REFUSED.value)
_LEFT = (BatchStep.DELIVERED.value, *_ANSWERED)


def changed_rows(connection: Connection, mid: str) -> Iterator[Tampering]:
    """Rows with a cell that is not what its event, its file or its run says."""
    about = {"mid": mid}
    for kind, statement in _WRONG.items():
        for (key,) in connection.execute(statement, about, execution_options={"yield_per": _CHUNK}):
            sentence = f"the ledger's row of {kind}:{key} has a cell that is not what its events, its file or its run say."
            yield Tampering(TamperingKind.ROW_CHANGED, f"{kind}:{key}", sentence)
    yield from _changed_names(connection, about)
    yield from changed_operations(connection, mid)
    yield from _changed_runs(connection, about)


def _changed_names(connection: Connection, about: dict[str, str]) -> Iterator[Tampering]:
    """Files whose kind or name is not the one that they were claimed with."""
    for row in connection.execute(_NAMES, about):
        said = detail_of(row.detail) or {}
        if any(said.get(name, getattr(row, name)) != getattr(row, name) for name in ("kind", "file_name")):
            sentence = f"the ledger's row of batch:{row.batch_id} is not of the kind or the name that it was claimed with."
            yield Tampering(TamperingKind.ROW_CHANGED, f"batch:{row.batch_id}", sentence)


def _changed_runs(connection: Connection, about: dict[str, str]) -> Iterator[Tampering]:
    """Runs that are gone, and numbers of runs that no lease gave: each taking of the lease leaves one run, and one number."""
    for (run_id,) in connection.execute(_UNKNOWN_RUNS, about):
        sentence = f"the ledger has no run {run_id!r}, which its rows and events name."
        yield Tampering(TamperingKind.ROW_CHANGED, f"run:{run_id}", sentence)
    found = connection.execute(_TOKENS, about).one()
    token = connection.execute(_LEASED, about).scalar()
    if found.runs and not (found.runs == found.different == found.latest == token and found.first == 1):
        sentence = (
            f"the ledger has {found.runs:,} runs that took its lease, numbered to {found.latest!r}; it was taken {token!r} times."
        )
        yield Tampering(TamperingKind.ROW_CHANGED, "run", sentence)


def _chain(kind: str, key: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(event.c.mid == _MID, event.c.subject == literal(f"{kind}:") + key)


def _of_chain(cell: ColumnElement[str]) -> ColumnElement[str]:
    """A cell of an event that no index may be asked for: by its date, each row would go through a whole day's events."""
    return cell.concat("")


def _wrong(table: Table, key: str, *wrong: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(table.c[key]).where(table.c.mid == _MID, or_(*wrong)).order_by(table.c[key])


def _on_its_runs_date(table: Table, run_id: str, date: str) -> ColumnElement[bool]:
    return exists().where(run.c.mid == _MID, run.c.run_id == table.c[run_id], run.c.business_date == table.c[date])


def _wrong_orders() -> Select[tuple[str]]:
    """Not as it was claimed, not of its file, or with an id of the provider's that no event ever named."""
    chain = _chain("order", submission.c.order_id)
    start = literal('{"attempt":') + cast(submission.c.attempt, String) + literal(',"batch_id":"') + submission.c.batch_id + '",'
    claimed = exists().where(
        chain,
        _of_chain(event.c.kind) == "transition",
        event.c.from_state.is_(None),
        event.c.at == submission.c.claimed_at,
        _of_chain(event.c.business_date) == submission.c.business_date,
        func.substr(event.c.detail, 1, func.length(start)) == start,
    )
    theirs = submission.c.provider_order_id
    quoted = literal('"') + theirs + literal('"')
    is_plain = and_(theirs.is_not(None), *(func.replace(theirs, mark, "") == theirs for mark in ('"', "\\")))
    named = exists().where(chain, func.replace(event.c.detail, quoted, "") != event.c.detail)
    of_file = exists().where(
        batch.c.mid == _MID, batch.c.batch_id == submission.c.batch_id, batch.c.expires_at == submission.c.expires_at
    )
    return _wrong(submission, "order_id", not_(claimed), not_(of_file), and_(is_plain, not_(named)))


def _wrong_files() -> Select[tuple[str]]:
    """Not as it was claimed, or delivered or answered for at a moment, or on a date, that no step of it was taken."""
    chain = _chain("batch", batch.c.batch_id)
    claimed = exists().where(
        chain, event.c.seq == 1, _of_chain(event.c.business_date) == batch.c.business_date, event.c.run_id == batch.c.run_id
    )
    later = event.alias("later")
    again = exists().where(
        later.c.mid == _MID,
        later.c.subject == event.c.subject,
        later.c.seq > event.c.seq,
        later.c.to_state == BatchStep.SENDING.value,
    )
    left = exists().where(
        chain,
        or_(
            event.c.to_state == BatchStep.DELIVERED.value,
            and_(event.c.to_state.in_(_ANSWERED), event.c.evidence_id.is_not(None)),
        ),
        not_(again),
    )
    at_a_step = exists().where(chain, event.c.at == batch.c.delivered_at, event.c.to_state.in_(_LEFT))
    on_a_step = exists().where(chain, _of_chain(event.c.business_date) == batch.c.delivered_date)
    answered = exists().where(chain, event.c.at == batch.c.acknowledged_at, event.c.to_state.in_(_ANSWERED))
    return _wrong(
        batch,
        "batch_id",
        not_(claimed),
        not_(_on_its_runs_date(batch, "run_id", "business_date")),
        and_(batch.c.delivered_at.is_not(None), not_(at_a_step)),
        and_(batch.c.delivered_date.is_not(None), not_(on_a_step)),
        and_(or_(batch.c.delivered_at.is_(None), batch.c.delivered_date.is_(None)), left),
        and_(batch.c.acknowledged_at.is_not(None), not_(answered)),
        and_(batch.c.acknowledged_at.is_(None), batch.c.step == BatchStep.ACKNOWLEDGED.value),
        and_(batch.c.kind == "transmit", batch.c.expires_at != ""),
    )


def _wrong_copies() -> Select[tuple[str]]:
    mine = exists().where(
        batch.c.mid == _MID,
        batch.c.batch_id == transmission.c.batch_id,
        batch.c.kind == "transmit",
        batch.c.business_date == transmission.c.business_date,
    )
    return _wrong(transmission, "order_id", not_(mine))


def _wrong_comparisons() -> Select[tuple[str]]:
    told = exists().where(
        _chain("comparison", comparison.c.comparison_id),
        event.c.seq == 1,
        event.c.at == comparison.c.compared_at,
        _of_chain(event.c.business_date) == comparison.c.business_date,
        event.c.run_id == comparison.c.comparison_id,
    )
    return _wrong(comparison, "comparison_id", not_(told))


def _wrong_items() -> Select[tuple[str]]:
    """Half closed, or opened on another date than its run's."""
    ends = [item.c[name].is_not(None) for name in ("resolution", "closed_by", "resolution_reason", "closed_date")]
    return _wrong(
        item,
        "item_id",
        not_(_on_its_runs_date(item, _OPENED, "opened_date")),
        and_(item.c.closed_at.is_(None), or_(*ends)),
        and_(item.c.closed_at.is_not(None), item.c.resolution.is_(None)),
        and_(item.c.closed_by.is_(None), item.c.resolution_reason.is_not(None)),
        and_(item.c.closed_by.is_not(None), item.c.resolution_reason.is_(None)),
    )


_WRONG: dict[str, Select[tuple[str]]] = {
    "order": _wrong_orders(),
    "batch": _wrong_files(),
    "copy": _wrong_copies(),
    "comparison": _wrong_comparisons(),
    "verdict": _wrong(decision, "order_id", not_(_on_its_runs_date(decision, "run_id", "business_date"))),
    "item": _wrong_items(),
}
_NAMES = select(batch.c.batch_id, batch.c.kind, batch.c.file_name, event.c.detail).where(
    batch.c.mid == _MID, _chain("batch", batch.c.batch_id), event.c.seq == 1
)
_RUN_IDS = select(run.c.run_id).where(run.c.mid == _MID)
_UNKNOWN_RUNS = union(
    *(
        select(table.c[name]).where(table.c.mid == _MID, table.c[name].not_in(_RUN_IDS)).distinct()
        for table, name in _RUN_NAMED_IN.items()
    )
)
_TURNED = select(event.c.run_id).where(event.c.mid == _MID, event.c.kind == "switch")
"""Runs that turned a switch: they take no lease, and bear the number of the run before them."""
_TOOK_THE_LEASE = case((run.c.run_id.not_in(_TURNED), run.c.fencing_token))
_TOKENS = select(
    func.count(_TOOK_THE_LEASE).label("runs"),
    func.count(_TOOK_THE_LEASE.distinct()).label("different"),
    func.min(_TOOK_THE_LEASE).label("first"),
    func.max(_TOOK_THE_LEASE).label("latest"),
).where(run.c.mid == _MID)
_LEASED = select(lease.c.token).where(lease.c.mid == _MID)
