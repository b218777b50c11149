"""Rows of the ledger as entries of the books: what each column means, and what is not yet known on the day in hand."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from batch.book_entries import NOT_DELIVERED, Attempt, Decision, Delivery, Event, Refund, Transmission
from batch.books import attempt_events
from schemas.operations import OperationStep
from schemas.states import API_FORMAT, COPY_TOO_OLD, DAY_END_MARK, BatchStep, State

_ANSWERED = (BatchStep.ACKNOWLEDGED, BatchStep.REFUSED)
_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")

CLAIM_COLUMNS = (
    "order_id",
    "attempt",
    "site",
    "currency",
    "amount_minor",
    "channel",
    "batch_id",
    "idempotency_key",
    "hold_reference",
    "expires_at",
    "state",
)
"""Columns of a submission that the books read. Rows of which there are many are taken by their columns' places.

Each value would cost more by its name than reading it from the database.
"""

DECISION_COLUMNS = (
    "order_id",
    "site",
    "currency",
    "amount_minor",
    "decision",
    "reason",
    "reason_text",
    "rule_id",
    "batch_id",
    "run_id",
    "cells_json",
)
"""Columns of a decision that the books read."""

EVENT_COLUMNS = (
    "seq",
    "at",
    "business_date",
    "run_id",
    "kind",
    "from_state",
    "to_state",
    "source",
    "reason",
    "evidence_id",
    "detail",
)
"""Columns of an event that the books read."""

COPY_COLUMNS = (
    "order_id",
    "batch_id",
    "site",
    "currency",
    "amount_minor",
    "charged_at",
    "sequence_number",
    "result",
    "transmit_id",
    "error_text",
    "day_end",
)
"""Columns of a transmission that the books read."""


REFUND_COLUMNS = ("operation_id", "order_id", "amount_minor", "asked_by", "reason", "asked_at")
"""Columns of a refund that the books read."""


def delivery_of(steps: Iterable[Any]) -> Delivery:
    """When a file left, told by its chain of steps up to a date: rows of `to_state`, `source`, `at` and `business_date`.

    A file without a confirmed delivery counts as delivered when the provider first answers for it. What a person says
    never came is delivered anew the next time; what was booked before stays.
    """
    delivery, is_lost = NOT_DELIVERED, True
    for step in steps:
        if step.to_state == BatchStep.DELIVERED or (is_lost and step.to_state in _ANSWERED):
            delivery, is_lost = Delivery(step.at, step.business_date), False
        is_lost = is_lost or (step.to_state == BatchStep.SENDING and step.source == "operator")
    return delivery


def attempt_entry(row: Any, chain: Iterable[Any], delivery: Delivery) -> Attempt:  # noqa: ANN401 - rows of a database driver
    """A submission row with its file's delivery, its decision's cells, and the event rows of its order's whole chain.

    The row is CLAIM_COLUMNS, then the file's name and format, then the decision's cells as JSON.
    """
    *claim, file_name, _, cells_json = row
    order_id, attempt, site, currency, amount_minor, channel, batch_id, idempotency_key, hold_reference, expires_at, state = claim
    cells = orjson.loads(cells_json) if cells_json else {}
    return Attempt(
        order_id=order_id,
        attempt=attempt,
        site=site,
        currency=currency,
        amount_minor=amount_minor,
        channel=channel,
        batch_id=batch_id,
        file_name=file_name,
        idempotency_key=idempotency_key,
        hold_reference=hold_reference,
        expires_at=expires_at,
        delivered_at=delivery.at,
        delivered_date=delivery.business_date,
        row_state=state,
        response_code=cells.get("response_code", ""),
        decline_group=cells.get("decline_group", ""),
        events=attempt_events(map(event_entry, chain), attempt),
    )


def decision_entry(row: Any) -> Decision:  # noqa: ANN401 - rows of a database driver
    """A decision row with the claim of that date, and with the event that had withdrawn it, if one had.

    The row is DECISION_COLUMNS, then batch and run of the claim, then reason and detail of the event. The reason of a withdrawal
    is the code in the event's `close_reason`, else `withdrawn`; its text is the event's sentence.
    """
    *verdict, claim_batch_id, claim_run_id, withdrawal_reason, withdrawal_detail = row
    order_id, site, currency, amount_minor, decision, reason, reason_text, rule_id, batch_id, run_id, cells_json = verdict
    entry = Decision(
        order_id=order_id,
        site=site,
        currency=currency,
        amount_minor=amount_minor,
        decision=decision,
        reason=reason,
        reason_text=reason_text,
        rule_id=rule_id,
        batch_id=claim_batch_id or batch_id,
        run_id=claim_run_id or run_id,
        cells=orjson.loads(cells_json),
    )
    if withdrawal_detail is None:
        return entry
    code = str(orjson.loads(withdrawal_detail).get("close_reason") or "")
    reason = code if _CODE.match(code) else State.WITHDRAWN.value
    return entry._replace(decision="withdrawn", reason=reason, reason_text=withdrawal_reason, rule_id="")


def transmission_entry(row: Any, delivery: Delivery) -> Transmission:  # noqa: ANN401 - rows of a database driver
    """A transmission row with its file's delivery, as it stood when its day ended; what was learnt later is left out."""
    number, result, transmit_id, error_text = (
        (row.sequence_number, row.result or "", row.transmit_id or "", row.error_text or "")
        if row.day_end is None
        else row.day_end.split(DAY_END_MARK, 3)
    )
    answered = row.answer is not None
    return Transmission(
        order_id=row.order_id,
        site=row.site,
        currency=row.currency,
        amount_minor=row.amount_minor,
        charged_at=row.charged_at,
        channel="api" if row.format == API_FORMAT else "sftp",
        file_name=row.file_name,
        sequence_number=int(number),
        delivered_at=delivery.at if result != COPY_TOO_OLD else "",
        result=result if answered else "",
        transmit_id=transmit_id if answered else "",
        error_text=error_text if answered else "",
    )


_STATUSES = {OperationStep.DONE: "succeeded", OperationStep.REFUSED: "failed"}


def refund_entry(row: Any, chains: Mapping[str, Sequence[Event]], amounts: Mapping[str, int], business_date: str) -> Refund:  # noqa: ANN401 - rows of a database driver
    """A refund's row with the events up to the date: its own, its order's, and those of the order's other refunds.

    `chains` is by subject, `amounts` what each refund of the order asked for, by its id.
    """
    last = chains[f"operation:{row.operation_id}"][-1]
    settled = last.to_state in _STATUSES
    left = {ref: amount for ref, amount in amounts.items() if _ended_as(chains, ref) == OperationStep.DONE}
    today = settled and last.business_date == business_date and row.operation_id in left
    order = chains.get(f"order:{row.order_id}", ())
    effect = next((event.seq for event in order if event.text("operation_id") == row.operation_id), None)
    written = [event for event in order if effect is not None and event.kind == "written_back" and event.seq > effect]
    return Refund(
        order_id=row.order_id,
        site=row.site,
        currency=row.currency,
        amount_minor=row.order_minor,
        refund_id=row.operation_id,
        provider_order_id=row.provider_order_id or "",
        requested_minor=row.amount_minor,
        effect_minor=-row.amount_minor if today else 0,
        total_minor=sum(left.values()),
        status=_STATUSES.get(OperationStep(last.to_state), "in_doubt"),
        response_code=last.text("response_code"),
        message=last.reason if last.to_state != OperationStep.SENDING else "",
        requested_by=row.asked_by,
        reason=row.reason,
        requested_at=row.asked_at,
        confirmed_at=last.at if settled else "",
        written_back=written[0].text("outcome") if written else ("no" if row.operation_id in left else ""),
        evidence_id=last.evidence_id,
    )


def _ended_as(chains: Mapping[str, Sequence[Event]], refund_id: str) -> str:
    chain = chains.get(f"operation:{refund_id}", ())
    return chain[-1].to_state if chain else ""


def event_entry(row: Any) -> Event:  # noqa: ANN401 - rows of a database driver
    """One event row: whatever it begins with, it ends with EVENT_COLUMNS."""
    seq, at, business_date, run_id, kind, from_state, to_state, source, reason, evidence_id, detail = row[-len(EVENT_COLUMNS) :]
    return Event(
        seq=seq,
        at=at,
        business_date=business_date,
        run_id=run_id,
        kind=kind,
        from_state=from_state or "",
        to_state=to_state or "",
        source=source,
        reason=reason,
        evidence_id=evidence_id or "",
        detail=orjson.loads(detail),
    )
