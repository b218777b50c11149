"""The ledger's own seals, read for whoever checks them: event chains, the rows that hang on them, and what the provider said."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, bindparam, collate, exists, func, literal, or_, select

from batch.forgotten_seals import is_emptied, wrongly_emptied
from batch.gate import CELL_COLUMNS
from batch.ledger.comparisons import SEALED, rows_digest
from batch.ledger.reading import cut_off_dates
from batch.row_seals import changed_rows
from batch.tampering import Tampering, TamperingKind, are_cells_as_written, detail_of
from schemas.ledger_tables import batch, comparison, decision, event, evidence, lease, operation, run, submission

_CHUNK = 2000
_MOST_CONTENTS = 100
_EVERY_RUN = 1 << 62
_KEYS = {
    "order": (submission, "order_id", "state"),
    "batch": (batch, "batch_id", "step"),
    "operation": (operation, "operation_id", "step"),
    "comparison": (comparison, "comparison_id", "step"),
}
_TELLING = {"order": "transition", "batch": "step", "operation": "operation", "comparison": "comparison"}


class LedgerSeals:
    """One merchant account's seals, on read connections that `connect` lends."""

    def __init__(self, connect: Callable[[], AbstractContextManager[Connection]], mid: str) -> None:
        self._connect = connect
        self._mid = mid

    @contextmanager
    def reading(self) -> Iterator["SealReader"]:
        """Lend a reader, for as long as its connection lives."""
        with self._connect() as connection:
            yield SealReader(connection, self._mid)


class SealReader:
    """Reads one merchant account's seals over one connection, which should stand in one read transaction."""

    def __init__(self, connection: Connection, mid: str) -> None:
        self._connection = connection
        self._mid = mid

    def events(self) -> Iterator[RowMapping]:
        """Every event with all its columns, chain by chain."""
        bytewise = collate(event.c.subject, "C") if self._connection.dialect.name == "postgresql" else event.c.subject
        statement = select(event).where(event.c.mid == self._mid).order_by(bytewise, event.c.seq)
        yield from self._connection.execute(statement.execution_options(yield_per=_CHUNK)).mappings()

    def latest_chains(self, most: int) -> list[list[RowMapping]]:
        """Whole chains, so many at most, of which an event stands on the latest business date that has any."""
        mine = event.c.mid == self._mid
        latest = select(func.max(event.c.business_date)).where(mine).scalar_subquery()
        subjects = select(event.c.subject).where(mine, event.c.business_date == latest).distinct().limit(most)
        whole = select(event).where(mine, event.c.subject == bindparam("subject")).order_by(event.c.seq)
        return [
            list(self._connection.execute(whole, {"subject": subject}).mappings())
            for subject in self._connection.execute(subjects).scalars().all()
        ]

    def rows_off_their_chains(self) -> Iterator[Tampering]:
        """Orders, files and requests whose row is not where their chain ends, and chains whose row is gone."""
        for kind, (table, key, _) in _KEYS.items():
            for row in self._connection.execute(_off(kind, self._mid)):
                subject = f"{kind}:{row.key}"
                sentence = f"the ledger's row of {subject} says {row.says!r}, and is not where its chain of events ends."
                yield Tampering(TamperingKind.ROW_CHANGED, subject, sentence)
            known = select(literal(f"{kind}:") + table.c[key]).where(table.c.mid == self._mid)
            first = and_(event.c.mid == self._mid, event.c.seq == 1, event.c.subject.startswith(f"{kind}:", autoescape=True))
            gone = select(event.c.subject).where(first, event.c.subject.not_in(known)).order_by(event.c.subject)
            for subject in self._connection.execute(gone).scalars():
                yield Tampering(
                    TamperingKind.ROW_CHANGED, subject, f"the ledger's row of {subject} is gone; its events are there."
                )

    def changed_rows(self) -> Iterator[Tampering]:
        """Orders, files, copies, requests, verdicts, items and runs with a cell that another record of it belies."""
        yield from changed_rows(self._connection, self._mid)

    def changed_comparisons(self) -> Iterator[Tampering]:
        """Comparisons whose rows, or whose own figures, are not what their event sealed.

        One whose event says nothing any more is told of by its chain, which is broken.
        """
        statement = select(comparison, event.c.detail).where(
            comparison.c.mid == self._mid,
            event.c.mid == self._mid,
            event.c.subject == literal("comparison:") + comparison.c.comparison_id,
            event.c.seq == comparison.c.event_seq,
        )
        for row in self._connection.execute(statement.order_by(comparison.c.comparison_id)).all():
            sealed = detail_of(row.detail)
            if sealed is None:
                continue
            said = (row.row_count, row.rows_digest, row.is_whole, row.is_settled, row.orders)
            is_as_said = said == tuple(sealed.get(name) for name in SEALED)
            if not is_as_said or self._digest_of(row.comparison_id) != (row.row_count, row.rows_digest):
                sentence = f"what comparison {row.comparison_id[:8]} of {row.business_date} found is not what was written."
                yield Tampering(TamperingKind.ROW_CHANGED, f"comparison:{row.comparison_id}", sentence)

    def _digest_of(self, comparison_id: str) -> tuple[int, str]:
        """The digest over a comparison's rows; none where a cell holds what no program of ours writes."""
        try:
            return rows_digest(self._connection, self._mid, comparison_id)
        except TypeError:
            return -1, ""

    def changed_evidence(self) -> Iterator[Tampering]:
        """What the provider said, where it is not what was stored: its bytes, its hash, or its name; what events name in vain.

        Bodies whose time was over are empty (`retention.answer_days`); those alone may be.
        """
        statement = select(evidence).where(evidence.c.mid == self._mid).execution_options(yield_per=_MOST_CONTENTS)
        for row in self._connection.execute(statement):
            content = row.content if isinstance(row.content, bytes) else repr(row.content).encode()
            content_hash = hashlib.sha256(content).hexdigest()
            evidence_id = hashlib.sha256(f"{row.source}\n{content_hash}".encode()).hexdigest()[:32]
            is_whole = (content_hash, evidence_id) == (row.content_hash, row.evidence_id)
            if not is_whole and not is_emptied(row.source, row.content_hash, row.evidence_id, row.content):
                sentence = f"what the provider said is not what was stored (evidence {row.evidence_id}, {row.subject})."
                yield Tampering(TamperingKind.EVIDENCE_CHANGED, f"evidence:{row.evidence_id}", sentence)
        yield from wrongly_emptied(self._connection, self._mid)
        kept = exists().where(evidence.c.mid == event.c.mid, evidence.c.evidence_id == event.c.evidence_id)
        named = select(event.c.evidence_id).where(event.c.mid == self._mid, event.c.evidence_id.is_not(None), ~kept).distinct()
        for evidence_id in self._connection.execute(named.order_by(event.c.evidence_id)).scalars():
            sentence = f"what the provider said is gone (evidence {evidence_id}); events name it."
            yield Tampering(TamperingKind.EVIDENCE_CHANGED, f"evidence:{evidence_id}", sentence)

    def changed_verdicts(self) -> Iterator[Tampering]:
        """Verdicts of the gate whose cells were not written by this program: finance's files may not show an empty one."""
        columns = (decision.c.business_date, decision.c.order_id, decision.c.cells_json)
        statement = select(*columns).where(decision.c.mid == self._mid).order_by(*columns[:2])
        for row in self._connection.execute(statement.execution_options(yield_per=_CHUNK)):
            if not are_cells_as_written(row.cells_json, CELL_COLUMNS):
                sentence = f"what the gate saw of order {row.order_id!r} on {row.business_date} is not as it was written."
                yield Tampering(TamperingKind.ROW_CHANGED, f"order:{row.order_id}", sentence)

    def booked_dates(self) -> list[str]:
        """Business dates of all runs, oldest first: each has files, of its own run or of a later one, or waits for them."""
        statement = select(run.c.business_date).where(run.c.mid == self._mid).distinct()
        return list(self._connection.execute(statement.order_by(run.c.business_date)).scalars())

    def waiting_dates(self) -> list[str]:
        """Business dates whose files the next run writes, oldest first: their own was cut off, or is at work."""
        return sorted(cut_off_dates(self._connection, self._mid, _EVERY_RUN))

    def stamp(self) -> tuple[int, ...]:
        """Numbers that change whenever a run takes the lease or ends."""
        token = select(func.max(lease.c.token)).where(lease.c.mid == self._mid)
        runs = select(func.count(), func.count(run.c.finished_at), func.count(run.c.exit_code)).where(run.c.mid == self._mid)
        return (self._connection.execute(token).scalar_one() or 0, *self._connection.execute(runs).one())


def _off(kind: str, mid: str) -> Select[Any]:
    table, key, state = _KEYS[kind]
    subject = literal(f"{kind}:") + table.c[key]
    chain = and_(event.c.mid == mid, event.c.subject == subject)
    sealed = select(event.c.hash).where(chain, event.c.seq == table.c.event_seq).scalar_subquery()
    told = and_(chain, event.c.kind == _TELLING[kind], event.c.seq <= table.c.event_seq)
    said = select(event.c.to_state).where(told).order_by(event.c.seq.desc()).limit(1).scalar_subquery()
    last = select(func.max(event.c.seq)).where(chain).scalar_subquery()
    booked = select(event.c.business_date).where(chain, event.c.seq == table.c.event_seq).scalar_subquery()
    is_off = or_(
        sealed.is_(None), sealed != table.c.event_hash, booked != table.c.event_date, said.is_(None), said != table.c[state]
    )
    behind = and_(last > table.c.event_seq, _is_latest(kind, mid))
    return (
        select(table.c[key].label("key"), table.c[state].label("says"))
        .where(table.c.mid == mid, or_(is_off, behind))
        .order_by(table.c[key])
    )


def _is_latest(kind: str, mid: str) -> ColumnElement[bool]:
    """An order's chain goes on with its next claim; the row of an earlier one stays where it ended."""
    if kind != "order":
        return literal(True)  # noqa: FBT003 - SQLAlchemy's own
    later = submission.alias("later")
    newest = (
        select(func.max(later.c.attempt)).where(later.c.mid == mid, later.c.order_id == submission.c.order_id).scalar_subquery()
    )
    return submission.c.attempt == newest
