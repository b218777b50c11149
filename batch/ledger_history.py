"""The ledger read backwards: everything that finance's files need as of a business date, streamed, never changed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Select

from batch import history_statements
from batch.book_entries import NOT_DELIVERED, Attempt, Decision, Delivery, Event, Heads, Refund, Transmission
from batch.books import chain_digest
from batch.comparison_history import compared_orders
from batch.comparison_rows import ComparedOrder
from batch.history_rows import attempt_entry, decision_entry, delivery_of, event_entry, refund_entry, transmission_entry
from batch.item_history import matters
from batch.report_history import ReportHistory
from batch.review_rows import Matter
from batch.seen_rows import SeenRows
from schemas.states import API_FORMAT

_CHAINS, _REFUND_IDS = history_statements.chains(), history_statements.refund_ids()
_STEPS = history_statements.deliveries()
_Entry = TypeVar("_Entry")
_CLAIM = itemgetter(0, 1)
"""Which claim a row of the statements `attempts` and `events` belongs to: its order, and the how manieth claim of it."""


class LedgerHistory:
    """One merchant account's history, on read connections that `connect` lends."""

    def __init__(self, connect: Callable[[], AbstractContextManager[Connection]], mid: str) -> None:
        self._connect = connect
        self._mid = mid

    @contextmanager
    def reading(self, seen: SeenRows | None = None) -> Iterator["HistoryReader"]:
        """Lend a reader, for as long as its connection lives. Whatever is read with it is shown to `seen`."""
        with self._connect() as connection:
            yield HistoryReader(connection, self._mid, seen)


class HistoryReader:
    """Reads one merchant account's history over one connection, which should stand in one read transaction."""

    def __init__(self, connection: Connection, mid: str, seen: SeenRows | None = None) -> None:
        self._connection = connection
        self._mid = mid
        self._seen = seen
        self._dialect = connection.dialect.name
        self._deliveries: dict[tuple[str, str], Delivery] = {}

    def attempts(self, business_date: str) -> Iterator[Attempt]:
        """Every claim that matters for a date, sorted by site, currency, order id.

        Those are claims that are open by their row or by their events, and those that moved on that date or later.
        """
        events = self._rows("events", history_statements.events(self._dialect), business_date)
        chains = groupby(events, key=_CLAIM)
        key, chain = next(chains, (None, iter(())))
        for row in self._rows("claims", history_statements.attempts(self._dialect), business_date):
            if key == _CLAIM(row):
                yield attempt_entry(row, chain, self._delivery_of_claim(row, business_date))
                key, chain = next(chains, (None, iter(())))

    def read_claims(self, business_date: str) -> None:
        """Read all that `attempts` reads, and make nothing of it: for who wants to know only whether it is the same."""
        for row in self._rows("claims", history_statements.attempts(self._dialect), business_date):
            self._delivery_of_claim(row, business_date)
        for _ in self._rows("events", history_statements.events(self._dialect), business_date):
            pass

    def decisions(self, business_date: str) -> Iterator[Decision]:
        """Every verdict of a date, with claims that had ended as withdrawn by then. Sorted by site, currency, order id."""
        return map(decision_entry, self._rows("decisions", history_statements.decisions(self._dialect), business_date))

    def read_decisions(self, business_date: str) -> None:
        """Read all that `decisions` reads, and make nothing of it."""
        for _ in self._rows("decisions", history_statements.decisions(self._dialect), business_date):
            pass

    def transmissions(self, business_date: str) -> Iterator[Transmission]:
        """Every copy claimed on a date, as far as it had got by then. Sorted by site, currency, order id."""
        rows = self._rows("transmissions", history_statements.transmissions(self._dialect), business_date)
        return (transmission_entry(row, self._delivery(row.batch_id, business_date)) for row in rows)

    def refunds(self, business_date: str) -> Iterator[Refund]:
        """Every refund that was asked for or settled on a date, as far as it had got by then. Sorted as the others are."""
        return self._entries("refunds", self._refunds(business_date))

    def _refunds(self, business_date: str) -> Iterator[Refund]:
        for row in list(self._rows("refund rows", history_statements.refunds(self._dialect), business_date)):
            same = {"mid": self._mid, "order_id": row.order_id}
            amounts = {each.operation_id: each.amount_minor for each in self._connection.execute(_REFUND_IDS, same)}
            subjects = [f"order:{row.order_id}", *(f"operation:{refund_id}" for refund_id in sorted(amounts))]
            asked = {"mid": self._mid, "business_date": business_date, "subjects": subjects}
            chains: dict[str, list[Event]] = {}
            for event in self._connection.execute(_CHAINS, asked):
                chains.setdefault(event.subject, []).append(event_entry(event))
            yield refund_entry(row, chains, amounts, business_date)

    def matters(self, business_date: str, start: str) -> Iterator[Matter]:
        """Every item open at the end of a date, or closed during it. `start` is its first moment, UTC. Sorted as the others."""
        return self._entries("matters", matters(self._connection, self._mid, business_date, start))

    def compared(self, business_date: str) -> Iterator[ComparedOrder]:
        """Every order of a date's comparisons. Sorted as the others are."""
        return self._entries("compared", compared_orders(self._connection, self._mid, business_date))

    def heads(self, business_date: str) -> Heads:
        """The ends of all event chains by a date."""
        found = self._connection.execute(history_statements.heads(self._dialect), self._asked(business_date))
        rows = history_statements.in_pages(found)
        as_of = ""

        def heads() -> Iterator[tuple[str, int, str]]:
            nonlocal as_of
            for subject, seq, last_hash, at in rows:
                as_of = max(as_of, at)
                yield subject, seq, last_hash

        ends = Heads(digest=chain_digest(heads()), as_of=as_of)
        self.note("heads", ends)
        return ends

    def note(self, part: str, value: object) -> None:
        """Show a value that was read, whole, to who sees what is read."""
        if self._seen is not None:
            self._seen.fact(part, value)

    def report(self) -> ReportHistory:
        """What the report needs besides, over the same connection: it sees the same moment of the ledger."""
        return ReportHistory(self._connection, self._mid)

    def _delivery_of_claim(self, row: Any, business_date: str) -> Delivery:  # noqa: ANN401 - rows of a database driver
        """Each call has its own answer, and no file leaves."""
        return NOT_DELIVERED if row.format == API_FORMAT else self._delivery(row.batch_id, business_date)

    def _delivery(self, batch_id: str, business_date: str) -> Delivery:
        """A file's delivery by a date; asked once for each file, of which there are few."""
        key = (batch_id, business_date)
        if key not in self._deliveries:
            asked = {**self._asked(business_date), "subject": f"batch:{batch_id}"}
            self._deliveries[key] = delivery_of(self._connection.execute(_STEPS, asked))
            self.note(f"delivery:{batch_id}", self._deliveries[key])
        return self._deliveries[key]

    def _entries(self, part: str, entries: Iterator[_Entry]) -> Iterator[_Entry]:
        return entries if self._seen is None else self._seen.entries(part, entries)

    def _rows(self, part: str, statement: Select[Any], business_date: str) -> Iterator[Any]:
        result = self._connection.execute(statement, self._asked(business_date))
        if self._seen is None:
            return history_statements.in_pages(result)
        return self._seen.rows(part, result.partitions(history_statements.CHUNK))

    def _asked(self, business_date: str) -> dict[str, str]:
        return {"mid": self._mid, "business_date": business_date}
