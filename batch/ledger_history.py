"""The ledger read backwards: everything that finance's files need as of a business date, streamed, never changed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select, Subquery, and_, collate, func, literal, select, union

from batch.book_entries import Attempt, Decision, Heads, Transmission
from batch.books import chain_digest
from batch.history_rows import CLAIM_COLUMNS, COPY_COLUMNS, EVENT_COLUMNS, attempt_entry, decision_entry, transmission_entry
from schemas.ledger_tables import batch, decision, event, submission, transmission
from schemas.states import OPEN, BatchStep, State

_CHUNK = 2000
_ANSWERED_STEPS = (BatchStep.ACKNOWLEDGED.value, BatchStep.REFUSED.value)


class LedgerHistory:
    """One merchant account's history, on read connections that `connect` lends."""

    def __init__(self, connect: Callable[[], AbstractContextManager[Connection]], mid: str) -> None:
        self._connect = connect
        self._mid = mid

    @contextmanager
    def reading(self) -> Iterator["HistoryReader"]:
        """Lend a reader, for as long as its connection lives."""
        with self._connect() as connection:
            yield HistoryReader(connection, self._mid)


class HistoryReader:
    """Reads one merchant account's history over one connection, which should stand in one read transaction."""

    def __init__(self, connection: Connection, mid: str) -> None:
        self._connection = connection
        self._mid = mid

    def attempts(self, business_date: str) -> Iterator[Attempt]:
        """Every claim that matters for a date, sorted by site, currency, order id.

        Those are claims that are open by their row or by their events, and those that moved on that date or later.
        """
        relevant = self._relevant(business_date)
        chains = groupby(self._rows(self._event_statement(relevant)), key=lambda row: (row.order_id, row.attempt))
        key, chain = next(chains, (None, iter(())))
        for row in self._rows(self._attempt_statement(relevant, business_date)):
            if key == (row.order_id, row.attempt):
                yield attempt_entry(row, chain)
                key, chain = next(chains, (None, iter(())))

    def decisions(self, business_date: str) -> Iterator[Decision]:
        """Every verdict of a date, with claims that had ended as withdrawn by then. Sorted by site, currency, order id."""
        return map(decision_entry, self._rows(self._decision_statement(business_date)))

    def transmissions(self, business_date: str) -> Iterator[Transmission]:
        """Every copy claimed on a date, as far as it had got by then. Sorted by site, currency, order id."""
        return (transmission_entry(row, business_date) for row in self._rows(self._transmission_statement(business_date)))

    def heads(self, business_date: str) -> Heads:
        """The ends of all event chains by a date."""
        last = (
            select(event.c.subject, func.max(event.c.seq).label("seq"))
            .where(event.c.mid == self._mid, event.c.business_date <= business_date)
            .group_by(event.c.subject)
            .subquery()
        )
        rows = self._rows(
            select(event.c.subject, event.c.seq, event.c.hash, event.c.at)
            .select_from(event)
            .join(last, and_(event.c.subject == last.c.subject, event.c.seq == last.c.seq))
            .where(event.c.mid == self._mid)
            .order_by(self._bytewise(event.c.subject))
        )
        as_of = ""

        def heads() -> Iterator[tuple[str, int, str]]:
            nonlocal as_of
            for row in rows:
                as_of = max(as_of, row.at)
                yield row.subject, row.seq, row.hash

        return Heads(digest=chain_digest(heads()), as_of=as_of)

    def _rows(self, statement: Select[Any]) -> Iterator[Row[Any]]:
        return iter(self._connection.execute(statement.execution_options(yield_per=_CHUNK)))

    def _bytewise(self, column: ColumnElement[str]) -> ColumnElement[str]:
        # SQLite compares bytes already; PostgreSQL sorts by the database's language unless told.
        return collate(column, "C") if self._connection.dialect.name == "postgresql" else column

    def _sorted(self, columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [self._bytewise(column) for column in columns]

    def _relevant(self, business_date: str) -> Subquery:
        mine, is_open = submission.c.mid == self._mid, submission.c.state.in_(OPEN)
        still_open = select(submission.c.order_id).where(mine, is_open)
        # A row that was closed without an event would vanish from opening and closing alike, and the books would balance.
        open_by_events = select(submission.c.order_id).where(mine, ~is_open, self._last_state().in_(OPEN))
        return union(still_open, open_by_events, self._moved(event.c.business_date >= business_date)).subquery("relevant")

    def _last_state(self) -> ScalarSelect[str | None]:
        subject = literal("order:") + submission.c.order_id
        transitions = (event.c.mid == self._mid, event.c.subject == subject, event.c.kind == "transition")
        return select(event.c.to_state).where(*transitions).order_by(event.c.seq.desc()).limit(1).scalar_subquery()

    def _moved(self, when: ColumnElement[bool]) -> Select[tuple[str]]:
        order_id = func.substr(event.c.subject, len("order:") + 1).label("order_id")
        return select(order_id).where(event.c.mid == self._mid, event.c.kind == "transition", when)

    def _attempt_statement(self, relevant: Subquery, business_date: str) -> Select[Any]:
        judged = and_(
            decision.c.mid == submission.c.mid,
            decision.c.order_id == submission.c.order_id,
            decision.c.business_date == submission.c.business_date,
            decision.c.order_id.in_(self._moved(event.c.business_date == business_date)),
        )
        key = (submission.c.site, submission.c.currency, submission.c.order_id)
        return (
            select(
                *(submission.c[name] for name in CLAIM_COLUMNS),
                batch.c.file_name,
                batch.c.delivered_at,
                batch.c.delivered_date,
                decision.c.cells_json,
            )
            .select_from(submission)
            .join(relevant, relevant.c.order_id == submission.c.order_id)
            .join(batch, and_(batch.c.mid == submission.c.mid, batch.c.batch_id == submission.c.batch_id))
            .outerjoin(decision, judged)
            .where(submission.c.mid == self._mid)
            .order_by(*self._sorted(key), submission.c.attempt)
        )

    def _event_statement(self, relevant: Subquery) -> Select[Any]:
        key = (submission.c.site, submission.c.currency, submission.c.order_id)
        return (
            select(submission.c.order_id, submission.c.attempt, *(event.c[name] for name in EVENT_COLUMNS))
            .select_from(submission)
            .join(relevant, relevant.c.order_id == submission.c.order_id)
            .join(event, and_(event.c.mid == submission.c.mid, event.c.subject == literal("order:") + submission.c.order_id))
            .where(submission.c.mid == self._mid)
            .order_by(*self._sorted(key), submission.c.attempt, event.c.seq)
        )

    def _decision_statement(self, business_date: str) -> Select[Any]:
        claim, later, last = submission.alias("claim"), submission.alias("later"), event.alias("last")
        of_that_date = and_(
            claim.c.mid == decision.c.mid,
            claim.c.order_id == decision.c.order_id,
            claim.c.attempt
            == select(func.max(later.c.attempt))
            .where(later.c.mid == decision.c.mid, later.c.order_id == decision.c.order_id, later.c.business_date == business_date)
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
                last.c.business_date <= business_date,
            )
            .scalar_subquery(),
        )
        return (
            select(
                decision,
                claim.c.batch_id.label("claim_batch_id"),
                batch.c.run_id.label("claim_run_id"),
                event.c.reason.label("withdrawal_reason"),
                event.c.detail.label("withdrawal_detail"),
            )
            .select_from(decision)
            .outerjoin(claim, of_that_date)
            .outerjoin(batch, and_(batch.c.mid == claim.c.mid, batch.c.batch_id == claim.c.batch_id))
            .outerjoin(event, withdrawal)
            .where(decision.c.mid == self._mid, decision.c.business_date == business_date)
            .order_by(*self._sorted((decision.c.site, decision.c.currency, decision.c.order_id)))
        )

    def _transmission_statement(self, business_date: str) -> Select[Any]:
        answered = and_(
            event.c.mid == transmission.c.mid,
            event.c.subject == literal("batch:") + transmission.c.batch_id,
            event.c.to_state.in_(_ANSWERED_STEPS),
            event.c.business_date <= business_date,
        )
        return (
            select(
                *(transmission.c[name] for name in COPY_COLUMNS),
                batch.c.file_name,
                batch.c.delivered_at,
                batch.c.delivered_date,
                event.c.seq.label("answer"),
            )
            .select_from(transmission)
            .join(batch, and_(batch.c.mid == transmission.c.mid, batch.c.batch_id == transmission.c.batch_id))
            .outerjoin(event, answered)
            .where(transmission.c.mid == self._mid, transmission.c.business_date == business_date)
            .order_by(*self._sorted((transmission.c.site, transmission.c.currency, transmission.c.order_id)))
        )
