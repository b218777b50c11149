"""One row of the event chain, tied to the row before it."""

from collections.abc import Mapping
from typing import Any

from batch.books import canonical_detail, event_hash
from batch.ledger.transaction import Writing


def event_row(
    writing: Writing,
    *,
    subject: str,
    seq: int,
    previous_hash: str,
    previous_date: str,
    kind: str,
    from_state: str | None,
    to_state: str | None,
    source: str,
    reason: str,
    evidence_id: str = "",
    detail: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """One row of the event chain, with the hash that ties it to the row before.

    It is booked on the run's business date, but never before the event that it follows: a run for a past date must not
    book an order's news in days that lie before what is known of it already. The transaction keeps it among its events.
    """
    row: dict[str, Any] = {
        "mid": writing.mid,
        "subject": subject,
        "seq": seq,
        "at": writing.now,
        "business_date": max(writing.run.business_date, previous_date),
        "run_id": writing.run.run_id,
        "kind": kind,
        "from_state": from_state,
        "to_state": to_state,
        "source": source,
        "reason": reason,
        "evidence_id": evidence_id or None,
        "detail": canonical_detail(dict(detail or {})),
    }
    whole = {**row, "previous_hash": previous_hash, "hash": event_hash(previous_hash, row)}
    writing.events.append(whole)
    return whole
