"""Writing down why each candidate was sent or not: one verdict per business date and order, the last one wins."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from batch.books import canonical_detail
from batch.gate import Verdict
from batch.ledger.transaction import Writing
from schemas.ledger_tables import decision
from schemas.reasons import Reason

_COMPARED = ("site", "currency", "amount_minor", "decision", "reason", "reason_text", "rule_id", "cells_json")

_MINE = decision.c.mid == bindparam("mid")
_THESE = decision.c.order_id.in_(bindparam("order_ids", expanding=True))
_ON_THE_DATE = decision.c.business_date == bindparam("business_date")
_NEW = insert(decision)
_KNOWN = select(decision).where(_MINE, _ON_THE_DATE, _THESE)
_REPLACED = delete(decision).where(_MINE, _ON_THE_DATE, _THESE)
_OF_ORDER = select(decision).where(_MINE, decision.c.order_id == bindparam("order_id")).order_by(decision.c.business_date)
_TOO_OLD_BEFORE = select(decision.c.order_id).where(
    _MINE, _THESE, decision.c.business_date < bindparam("business_date"), decision.c.reason == Reason.TOO_OLD.value
)


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
    writing.connection.execute(_REPLACED, _these(writing, [row["order_id"] for row in fresh]))
    writing.execute_many(_NEW, fresh)


def decisions_of(connection: Connection, mid: str, order_id: str) -> list[dict[str, Any]]:
    """Every verdict on one order, oldest date first."""
    return [dict(row) for row in connection.execute(_OF_ORDER, {"mid": mid, "order_id": order_id}).mappings()]


def _known(writing: Writing, order_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = writing.connection.execute(_KNOWN, _these(writing, order_ids))
    return {row["order_id"]: dict(row) for row in rows.mappings()}


def _too_old_before(writing: Writing, order_ids: Sequence[str]) -> set[str]:
    if not order_ids:
        return set()
    return set(writing.connection.execute(_TOO_OLD_BEFORE, _these(writing, order_ids)).scalars())


def _these(writing: Writing, order_ids: Sequence[str]) -> dict[str, Any]:
    return {"mid": writing.mid, "business_date": writing.run.business_date, "order_ids": order_ids}


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
