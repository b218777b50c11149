"""Writing down why each candidate was sent or not: one verdict per business date and order, the last one wins."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from batch.books import canonical_detail
from batch.gate import Verdict
from batch.ledger.transaction import Writing
from schemas.ledger_tables import decision
from schemas.reasons import Reason

_COMPARED = ("site", "currency", "amount_minor", "decision", "reason", "reason_text", "rule_id", "cells_json")


def record_decisions(writing: Writing, verdicts: Sequence[Verdict], *, batch_id: str = "") -> None:
    """Store the gate's verdicts for the run's business date. A verdict that says what is already there changes nothing.

    An order reported as too old on an earlier date is not reported again.
    """
    latest = {verdict.order_id: verdict for verdict in verdicts}
    known = _known(writing, list(latest))
    fresh = []
    for verdict in latest.values():
        row = _row(writing, verdict, batch_id)
        old = known.get(verdict.order_id)
        if old is None or any(old[name] != row[name] for name in _COMPARED):
            fresh.append(row)
    told = _too_old_before(writing, [row["order_id"] for row in fresh if row["reason"] == Reason.TOO_OLD.value])
    fresh = [row for row in fresh if row["order_id"] not in told]
    if not fresh:
        return
    writing.connection.execute(
        delete(decision).where(
            decision.c.mid == writing.mid,
            decision.c.business_date == writing.run.business_date,
            decision.c.order_id.in_([row["order_id"] for row in fresh]),
        )
    )
    writing.connection.execute(insert(decision), fresh)


def decisions_of(connection: Connection, mid: str, order_id: str) -> list[dict[str, Any]]:
    """Every verdict on one order, oldest date first."""
    rows = connection.execute(
        select(decision).where(decision.c.mid == mid, decision.c.order_id == order_id).order_by(decision.c.business_date)
    )
    return [dict(row) for row in rows.mappings()]


def _known(writing: Writing, order_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = writing.connection.execute(
        select(decision).where(
            decision.c.mid == writing.mid,
            decision.c.business_date == writing.run.business_date,
            decision.c.order_id.in_(order_ids),
        )
    )
    return {row["order_id"]: dict(row) for row in rows.mappings()}


def _too_old_before(writing: Writing, order_ids: Sequence[str]) -> set[str]:
    rows = writing.connection.execute(
        select(decision.c.order_id).where(
            decision.c.mid == writing.mid,
            decision.c.order_id.in_(order_ids),
            decision.c.business_date < writing.run.business_date,
            decision.c.reason == Reason.TOO_OLD.value,
        )
    )
    return {row.order_id for row in rows}


def _row(writing: Writing, verdict: Verdict, batch_id: str) -> dict[str, Any]:
    return {
        "mid": writing.mid,
        "business_date": writing.run.business_date,
        "order_id": verdict.order_id,
        "site": verdict.site,
        "currency": verdict.currency[:16],
        "amount_minor": verdict.amount_minor,
        "decision": "selected" if verdict.selected else "skipped",
        "reason": verdict.reason.value,
        "reason_text": verdict.reason_text,
        "rule_id": verdict.rule_id,
        "batch_id": batch_id,
        "run_id": writing.run.run_id,
        "decided_at": writing.now,
        "cells_json": canonical_detail(dict(verdict.cells)),
    }
