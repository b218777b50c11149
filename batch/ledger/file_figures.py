"""What is counted of files, copies and conflicts at the end of a run: from the events of its date and from small tables."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, func, or_, select

from batch.day_counts import Figures, labelled, observe
from batch.ledger.batches import batch_named
from batch.pace import from_utc_text
from schemas.ledger_tables import batch, event, evidence, item, remote_file, submission, transmission
from schemas.metrics import FILE_BUCKETS
from schemas.reasons import ItemKind
from schemas.states import API_FORMAT, BatchStep

_MID, _DATE = bindparam("mid", type_=batch.c.mid.type), bindparam("business_date", type_=batch.c.business_date.type)
_STEPS = (
    select(event.c.subject, event.c.at, event.c.to_state)
    .where(event.c.mid == _MID, event.c.business_date == _DATE, event.c.kind == "step")
    .order_by(event.c.subject, event.c.seq)
)
_FILES = select(batch.c.batch_id, batch.c.kind, batch.c.delivered_at).where(
    batch.c.mid == _MID, batch.c.batch_id.in_(bindparam("ids", expanding=True)), batch.c.format != API_FORMAT
)
_READ = (
    select(evidence.c.source, remote_file.c.verdict, func.count().label("files"))
    .select_from(remote_file)
    .outerjoin(evidence, (evidence.c.mid == remote_file.c.mid) & (evidence.c.evidence_id == remote_file.c.evidence_id))
    .where(remote_file.c.mid == _MID, remote_file.c.verdict != "unstable")
    .group_by(evidence.c.source, remote_file.c.verdict)
)
_CONFLICTS = select(item.c.kind, item.c.subject).where(
    item.c.mid == _MID,
    item.c.opened_date == _DATE,
    item.c.kind.in_(bindparam("kinds", expanding=True)),
    # what a decision opens and closes at once keeps what whoever decided was told: nothing was found
    or_(item.c.closed_by.is_(None), item.c.closed_at != item.c.opened_at),
)
_SITES = select(submission.c.order_id, submission.c.site).where(
    submission.c.mid == _MID, submission.c.order_id.in_(bindparam("ids", expanding=True))
)
_NAMES = {
    ItemKind.WRITE_BACK_CONFLICT.value: "mitbatch_write_back_conflicts",
    ItemKind.DOUBLE_CHARGE.value: "mitbatch_house_charge_during_hold",
}
_TOUCHED = (
    select(batch.c.business_date).where(batch.c.mid == _MID, batch.c.kind == "transmit", batch.c.event_date == _DATE).distinct()
)
_COPIES = (
    select(transmission.c.site, transmission.c.result, func.count().label("copies"))
    .where(transmission.c.mid == _MID, transmission.c.business_date == _DATE, transmission.c.result.is_not(None))
    .group_by(transmission.c.site, transmission.c.result)
)
_AT_A_TIME = 500


def count_files(connection: Connection, mid: str, business_date: str) -> Figures:
    """Our files that were delivered, answered or got into doubt on a date, with how long each step took."""
    figures: Figures = Counter()
    steps = connection.execute(_STEPS, {"mid": mid, "business_date": business_date}).all()
    files = {}
    for ids in _pieces({row.subject.partition(":")[2] for row in steps}):
        files.update({f"batch:{row.batch_id}": row for row in connection.execute(_FILES, {"mid": mid, "ids": ids})})
    began: dict[str, str] = {}
    for row in steps:
        file = files.get(row.subject)
        if file is None:
            continue
        if row.to_state == BatchStep.SENDING:
            began[row.subject] = row.at
        elif row.to_state == BatchStep.DELIVERED:
            figures["mitbatch_files", labelled(file.kind, "delivered")] += 1
            if row.subject in began:
                _observe(figures, "mitbatch_file_upload_duration_seconds", file.kind, began[row.subject], row.at)
        elif row.to_state == BatchStep.IN_DOUBT:
            figures["mitbatch_files", labelled(file.kind, "in_doubt")] += 1
        elif row.to_state in (BatchStep.ACKNOWLEDGED, BatchStep.REFUSED) and file.delivered_at:
            _observe(figures, "mitbatch_acknowledgement_delay_seconds", file.kind, file.delivered_at, row.at)
    return figures


def count_failed(connection: Connection, mid: str, names: Sequence[str]) -> Figures:
    """Files whose delivery failed in a run, by kind."""
    found = (batch_named(connection, mid, name) for name in names)
    return Counter(("mitbatch_files", labelled(batch.kind, "failed")) for batch in found if batch is not None)


def count_conflicts(connection: Connection, mid: str, business_date: str) -> Figures:
    """Orders whose row the merchant changed under a hold, or charged as well, by the date on which it was found."""
    asked = {"mid": mid, "business_date": business_date, "kinds": list(_NAMES)}
    found = {(row.kind, row.subject.partition(":")[2]) for row in connection.execute(_CONFLICTS, asked)}
    sites: dict[str, str] = {}
    for ids in _pieces({order_id for _, order_id in found}):
        sites.update({row.order_id: row.site for row in connection.execute(_SITES, {"mid": mid, "ids": ids})})
    return Counter((_NAMES[kind], labelled(sites[order_id])) for kind, order_id in found if order_id in sites)


def dates_of_copies(connection: Connection, mid: str, business_date: str) -> Sequence[str]:
    """The dates whose copies of good charges may have got an answer on a date."""
    return connection.execute(_TOUCHED, {"mid": mid, "business_date": business_date}).scalars().all()


def count_copies(connection: Connection, mid: str, business_date: str) -> Figures:
    """The copies of a date by the provider's answer, whenever it came."""
    rows = connection.execute(_COPIES, {"mid": mid, "business_date": business_date})
    return Counter({("mitbatch_transmissions", labelled(row.site, row.result)): row.copies for row in rows})


def count_read_files(connection: Connection, mid: str) -> Figures:
    """The provider's files that were ever read, by what they were and whether they could be used."""
    figures: Figures = Counter()
    for row in connection.execute(_READ, {"mid": mid}):
        kind = "acknowledgement" if row.source == "acknowledgement" else "outcomes"
        figures["mitbatch_files", labelled(kind, "delivered" if row.verdict == "applied" else "failed")] += row.files
    return figures


def _pieces(ids: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(ids)
    return (ordered[start : start + _AT_A_TIME] for start in range(0, len(ordered), _AT_A_TIME))


def _observe(figures: Figures, name: str, kind: str, began: str, ended: str) -> None:
    seconds = int((from_utc_text(ended) - from_utc_text(began)).total_seconds())
    observe(figures, name, (kind,), FILE_BUCKETS, max(0, seconds))
