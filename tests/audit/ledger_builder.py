"""A real ledger in a SQLite file, filled row by row as the pipeline fills it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, create_engine, insert, update
from sqlalchemy import event as sqlalchemy_event

from batch.books import FIRST_HASH, canonical_detail, event_hash
from schemas.ledger_tables import batch, decision, event, item, metadata, operation, submission, transmission
from schemas.settings import Settings

MID = "3f1c09ab-0000-4000-8000-000000000001"
RUN = "7d2e41c0-0000-4000-8000-000000000002"
CELLS = {
    "origin": "recurring",
    "customer_id": "cust-1",
    "subscription_id": "sub-1",
    "payment_number": "3",
    "charged_at": "2026-11-22T22:00:00Z",
    "response_code": "05",
    "response_code_source": "nmi",
    "response_description": "Do Not Honor",
    "decline_group": "do_not_honor",
    "network_response_code": "05",
    "network_advice_code": "",
    "attempts_30d": "2",
    "avs_result_code": "Y",
    "cvv_result_code": "M",
    "cavv_result_code": "",
    "card_brand": "visa",
    "card_bin": "411111",
    "card_last4": "1111",
    "card_country": "US",
    "exp_month": "1",
    "exp_year": "2030",
}


def settings(**sections: Any) -> Settings:  # noqa: ANN401 - any section
    """Settings of an invented merchant."""
    return Settings.model_validate(
        {
            "environment": "sandbox",
            "provider": {"mid": MID},
            "sftp": {"host": "127.0.0.1", "username": "m", "private_key": "key", "known_hosts": "hosts"},
            "orders": {"url": "sqlite:///orders.db"},
            "sites": [{"name": "acme-us", "site_id": "3f1c09ab-0000-4000-8000-0000000000aa"}],
            **sections,
        }
    )


_SEALED = {"event_seq": 1, "event_hash": "-"}


class LedgerBuilder:
    """Writes what the pipeline would have written. Days are business dates, times are counted up by themselves."""

    def __init__(self, path: Path) -> None:
        self.engine = create_engine(f"sqlite:///{path}")
        sqlalchemy_event.listen(self.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        metadata.create_all(self.engine)
        self.day = "2026-11-23"
        self._ticks = 0
        self._heads: dict[str, tuple[int, str]] = {}
        self._attempts: dict[str, int] = {}
        self._states: dict[str, str] = {}
        self._steps: dict[str, str] = {}

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A read connection, as the ledger lends it."""
        with self.engine.connect() as connection:
            yield connection

    def now(self) -> str:
        """The next second of the day, UTC."""
        self._ticks += 1
        return f"{self.day}T{7 + self._ticks // 3600 % 16:02d}:{self._ticks // 60 % 60:02d}:{self._ticks % 60:02d}Z"

    def batch(self, batch_id: str = "b00000000001", kind: str = "evaluate") -> str:
        """A claimed batch file."""
        if batch_id not in self._steps:
            values: dict[str, object] = {
                "mid": MID,
                "batch_id": batch_id,
                "kind": kind,
                "business_date": self.day,
                "format": "json",
                "row_count": 0,
            }
            values |= {
                "file_name": f"{kind}_{batch_id}.json",
                "expires_at": "2026-12-14T07:00:00Z",
                "step": "claimed",
                "run_id": RUN,
            }
            self._insert(batch, {**values, "event_seq": 1, "event_hash": "-", "event_date": self.day})
            self._steps[batch_id] = "claimed"
            self._event(f"batch:{batch_id}", "step", None, "claimed", source="claim", reason="claimed")
        return batch_id

    def step(self, batch_id: str, *steps: str) -> None:
        """Take a batch file through some steps."""
        for step in steps:
            self._event(f"batch:{batch_id}", "step", self._steps[batch_id], step, source="send", reason=step)
            changes: dict[str, Any] = {"step": step}
            if step == "delivered":
                changes |= {"delivered_at": self.now(), "delivered_date": self.day}
            self._steps[batch_id] = step
            self._update(batch, changes, batch_id=batch_id)

    def decide(self, order_id: str, *, reason: str = "selected", cells: Mapping[str, object] = CELLS, **columns: Any) -> None:  # noqa: ANN401
        """The gate's verdict of the day on one order."""
        values: dict[str, object] = {
            "mid": MID,
            "business_date": self.day,
            "order_id": order_id,
            "site": "acme-us",
            "currency": "USD",
        }
        values |= {"decision": "selected" if reason == "selected" else "skipped", "reason": reason, "reason_text": "as it says"}
        values |= {"rule_id": "", "batch_id": "", "run_id": RUN, "decided_at": self.now(), "amount_minor": 1999}
        self._insert(decision, {**values, "cells_json": canonical_detail(cells), **columns})

    def claim(
        self,
        order_id: str,
        *,
        batch_id: str = "b00000000001",
        site: str = "acme-us",
        currency: str = "USD",
        amount: int = 1999,
        number: int = 1,
    ) -> None:
        """A new claim of an order."""
        self.batch(batch_id)
        attempt = self._attempts[order_id] = self._attempts.get(order_id, 0) + 1
        key = str(uuid5(NAMESPACE_URL, f"{order_id}\n{attempt}"))
        values: dict[str, object] = {
            "mid": MID,
            "order_id": order_id,
            "attempt": attempt,
            "state": "claimed",
            "batch_id": batch_id,
            "channel": "sftp",
        }
        values |= {"sequence_number": number, "idempotency_key": key, "hold_reference": f"mitbatch:{key}", "origin": "recurring"}
        values |= {"site": site, "currency": currency, "amount_minor": amount, "business_date": self.day, "record_json": "{}"}
        values |= {
            "claimed_at": self.now(),
            "expires_at": "2026-12-14T07:00:00Z",
            "event_seq": 1,
            "event_hash": "-",
            "event_date": self.day,
        }
        self._insert(submission, values)
        self._states[order_id] = ""
        self.move(order_id, "claimed", source="claim", reason="selected", batch_id=batch_id, sequence_number=number)

    def move(
        self, order_id: str, *states: str, source: str = "poll", reason: str = "as the provider says", **detail: object
    ) -> None:
        """Take an order through some states."""
        attempt = self._attempts[order_id]
        for state in states:
            old = self._states[order_id] or None
            self._event(
                f"order:{order_id}", "transition", old, state, source=source, reason=reason, detail={"attempt": attempt, **detail}
            )
            self._states[order_id] = state
            self._update(submission, {"state": state}, order_id=order_id, attempt=attempt)

    def write_back(self, order_id: str, row_status: str, outcome: str = "yes") -> None:
        """The order row was written, or was found changed."""
        detail = {"attempt": self._attempts[order_id], "outcome": outcome, "row_status": row_status}
        state = self._states[order_id]
        self._event(f"order:{order_id}", "written_back", state, state, source="writeback", reason="written", detail=detail)

    def send(self, *order_ids: str, batch_id: str = "b00000000001", **claim: Any) -> None:  # noqa: ANN401
        """Claim, hold and deliver some orders in one file."""
        for number, order_id in enumerate(order_ids, start=1):
            self.claim(order_id, batch_id=batch_id, number=number, **claim)
            self.move(order_id, "held", source="hold")
            self.move(order_id, "sending", source="send")
        self.step(batch_id, "sending", "part_verified", "delivered")

    def accept(self, *order_ids: str) -> None:
        """The provider's acknowledgement accepts some orders."""
        for order_id in order_ids:
            self.move(
                order_id, "pending", source="acknowledgement", provider_order_id=f"guid-{order_id}", provider_status="SUBMITTED"
            )

    def transmit(self, order_id: str, batch_id: str, **columns: Any) -> None:  # noqa: ANN401
        """A claimed copy of a good charge."""
        self.batch(batch_id, "transmit")
        values: dict[str, object] = {
            "mid": MID,
            "order_id": order_id,
            "batch_id": batch_id,
            "sequence_number": 1,
            "site": "acme-us",
            "currency": "USD",
        }
        values |= {"amount_minor": 500, "charged_at": f"{self.day}T02:00:00Z", "business_date": self.day, "record_json": "{}"}
        self._insert(transmission, {**values, **columns})

    def answer_transmission(self, order_id: str, **columns: Any) -> None:  # noqa: ANN401
        """What the acknowledgement said of a copy."""
        self._update(transmission, columns, order_id=order_id)

    def request(self, operation_id: str, order_id: str, amount: int, step: str = "in_doubt") -> None:
        """A refund that somebody asked for, and how far it has got."""
        values: dict[str, object] = {"mid": MID, "operation_id": operation_id, "kind": "refund", "order_id": order_id}
        values |= {"attempt": self._attempts[order_id], "request_id": operation_id, "amount_minor": amount, "currency": "USD"}
        values |= {"reason": "returned", "asked_by": "ann@desk", "asked_at": self.now(), "business_date": self.day}
        self._insert(
            operation, {**values, "run_id": RUN, "step": step, "idempotency_key": operation_id, **_SEALED, "event_date": self.day}
        )
        for old, new in ((None, "sending"), ("sending", step)):
            self._event(f"operation:{operation_id}", "operation", old, new, source="operator", reason=new)

    def item(self, item_id: str, kind: str, subject: str, explanation: str) -> None:
        """Something that needs a person."""
        values = {"mid": MID, "item_id": item_id, "kind": kind, "subject": subject, "opened_at": self.now(), "opened_run": RUN}
        self._insert(item, {**values, "opened_date": self.day, "due_date": "2026-11-26", "explanation": explanation})

    def close_item(self, item_id: str, resolution: str, person: str | None = None, reason: str | None = None) -> None:
        """It needs nobody any more."""
        values = {"closed_at": self.now(), "resolution": resolution, "closed_by": person, "resolution_reason": reason}
        self._update(item, {**values, "closed_date": self.day}, item_id=item_id)

    def date_end_of_item(self, item_id: str, closed_at: str, closed_date: str | None) -> None:
        """It ended at another time than the day in hand, or in a version that booked no date for it."""
        self._update(item, {"closed_at": closed_at, "closed_date": closed_date}, item_id=item_id)

    def tamper_with_state(self, order_id: str, state: str) -> None:
        """Change a row behind the events' back."""
        self._update(submission, {"state": state}, order_id=order_id)

    def _event(
        self,
        subject: str,
        kind: str,
        old: str | None,
        new: str,
        *,
        source: str,
        reason: str,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        seq, previous = self._heads.get(subject, (0, FIRST_HASH))
        row: dict[str, object] = {
            "mid": MID,
            "subject": subject,
            "seq": seq + 1,
            "at": self.now(),
            "business_date": self.day,
            "run_id": RUN,
            "kind": kind,
        }
        row |= {"from_state": old, "to_state": new, "source": source, "reason": reason, "evidence_id": None}
        row |= {"detail": canonical_detail(dict(detail or {}))}
        self._heads[subject] = (seq + 1, event_hash(previous, row))
        self._insert(event, {**row, "previous_hash": previous, "hash": self._heads[subject][1]})

    def _insert(self, table: Any, values: Mapping[str, object]) -> None:  # noqa: ANN401
        with self.engine.begin() as connection:
            connection.execute(insert(table), [dict(values)])

    def _update(self, table: Any, values: Mapping[str, object], **key: object) -> None:  # noqa: ANN401
        statement = update(table).where(table.c.mid == MID, *(table.c[name] == value for name, value in key.items()))
        with self.engine.begin() as connection:
            connection.execute(statement.values(**values))
