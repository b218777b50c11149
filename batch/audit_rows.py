"""The rows of finance's files: one mapping by column per row, made from the books alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from batch.audit_csv import Cell
from batch.book_entries import Decision, Event, Refund, Total, Transmission
from batch.books import Standing
from schemas.audit_columns import COUNTS, ROW_FILES, Line
from schemas.states import NEVER_AGAIN, OPEN, RELEASED, TERMINAL, State

_LATE_HOURS = 24
_NOT_LEARNT = frozenset({State.CLAIMED, State.HELD, State.WITHDRAWN, State.SENDING, State.IN_DOUBT})
_ACKNOWLEDGEMENTS = {str(State.PENDING): "submitted", str(State.REJECTED): "rejected"}
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Day:
    """One business date of one merchant account, in the merchant's time zone. `keeps_holds` is writeback.on_not_recovered."""

    business_date: str
    mid: str
    timezone: ZoneInfo
    keeps_holds: bool = False

    def interval(self) -> tuple[str, str]:
        """The day in UTC: its first moment, and the first that no longer belongs to it."""
        first = date.fromisoformat(self.business_date)
        return self._midnight(first), self._midnight(first + timedelta(days=1))

    def date_of(self, at: str) -> str:
        """The calendar date of a UTC time; empty where the text is no time."""
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return ""
        return moment.astimezone(self.timezone).date().isoformat() if moment.tzinfo else ""

    def _midnight(self, day: date) -> str:
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.timezone)
        return midnight.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def key(self, site: str, order_id: str, currency: str, amount_minor: int | None) -> dict[str, Cell]:
        """What every row file begins with."""
        return {
            "business_date": self.business_date,
            "mid": self.mid,
            "site": site,
            "order_id": order_id,
            "currency": currency,
            "amount_minor": amount_minor,
        }

    def key_of(self, standing: Standing) -> dict[str, Cell]:
        """The same for a claimed order."""
        attempt = standing.attempt
        return self.key(attempt.site, attempt.order_id, attempt.currency, attempt.amount_minor)


def decline_row(day: Day, decision: Decision) -> Row:
    """One candidate with the decision on it."""
    cells = {name: decision.cells.get(name) for name in ROW_FILES["declines"]}
    return {
        **cells,
        **day.key(decision.site, decision.order_id, decision.currency, decision.amount_minor),
        "charged_date": day.date_of(str(decision.cells.get("charged_at") or "")),
        "decision": decision.decision,
        "reason": decision.reason,
        "reason_text": decision.reason_text,
        "rule_id": decision.rule_id,
        "batch_id": decision.batch_id,
        "run_id": decision.run_id,
    }


def submission_row(day: Day, standing: Standing) -> Row:
    """One claim, and how far it had got by the end of the day it was made."""
    attempt, acknowledged = standing.attempt, standing.acknowledged
    answer = next(
        (_ACKNOWLEDGEMENTS[move.to_state] for move in standing.transitions if move.to_state in _ACKNOWLEDGEMENTS), "none"
    )
    sending = standing.first(State.SENDING) is not None
    delivered_at = attempt.delivered_at if sending and "" < attempt.delivered_date <= day.business_date else None
    if attempt.channel == "api":  # a call is delivered when its answer says so
        delivered_at = acknowledged.at if acknowledged else None
    return {
        **day.key_of(standing),
        "batch_id": attempt.batch_id,
        "channel": attempt.channel,
        "file_name": attempt.file_name,
        "sequence_number": int(standing.latest("sequence_number") or 0) or None,
        "idempotency_key": attempt.idempotency_key,
        "attempt": attempt.attempt,
        "claimed_at": standing.claim.at,
        "delivered_at": delivered_at,
        "acknowledged_at": acknowledged.at if acknowledged else None,
        "acknowledgement": answer,
        "provider_order_id": standing.latest("provider_order_id"),
        "expires_at": attempt.expires_at,
        "state": standing.closing,
        "error_code": standing.latest("error_code"),
        "error_text": standing.latest("error_text"),
        "run_id": standing.claim.run_id,
    }


def outcome_rows(day: Day, standing: Standing) -> Iterator[Row]:
    """One row for each change of state of the day that came from the provider or from a person."""
    if not standing.moves:
        return
    handed_over = standing.handed_over.business_date if standing.handed_over else ""
    for money in standing.money:
        move = money.move
        if move not in standing.moves or move.to_state in _NOT_LEARNT:
            continue
        final = move.to_state in TERMINAL
        renamed = move.from_state in RELEASED and final  # what the row shows was written when it was released
        written = standing.written_back(standing.closed if renamed else move)
        outcome = written.text("outcome") if written else "no"
        yield {
            **day.key_of(standing),
            "provider_order_id": _known_at(standing, move, "provider_order_id"),
            "state_from": move.from_state,
            "state_to": move.to_state,
            "provider_status": move.text("provider_status"),
            "source": move.source,
            "provider_at": move.text("provider_at"),
            "learnt_at": move.at,
            "handed_over_date": handed_over,
            "days_to_outcome": _days(handed_over, move.business_date) if final else None,
            "recovered_minor": money.recovered if final or money.recovered else None,
            "response_code": standing.attempt.response_code,
            "decline_group": standing.attempt.decline_group,
            "confirmation_id": move.text("confirmation_id"),
            "written_back": outcome,
            "written_back_at": written.at if written else None,
            "evidence_id": move.evidence_id,
        }


def hold_row(day: Day, standing: Standing) -> Row:
    """One order that was open at some moment of the day, and what its row says to the merchant's own retry."""
    placed, closed, written = standing.first(State.HELD), standing.closed, standing.written_back()
    until = closed.business_date if closed else day.business_date
    return {
        **day.key_of(standing),
        "hold_reference": standing.attempt.hold_reference,
        "state": standing.closing,
        "placed_at": placed.at if placed else None,
        "hold_until": standing.attempt.expires_at,
        "closed_at": closed.at if closed else None,
        "days_held": _days(placed.business_date, until) if placed else None,
        "close_reason": (closed.text("close_reason") or closed.reason) if closed else None,
        "closed_by": closed.source if closed else None,
        "order_status": written.text("row_status") if written else None,
        "in_house_retry": _in_house_retry(day, standing),
    }


def transmission_row(day: Day, sent: Transmission) -> Row:
    """The copy of one good charge. Hours are whole, begun ones counted, so that more than 24 means late."""
    hours = _hours_between(sent.charged_at, sent.delivered_at)
    return {
        **day.key(sent.site, sent.order_id, sent.currency, sent.amount_minor),
        "charged_at": sent.charged_at,
        "channel": sent.channel,
        "file_name": sent.file_name,
        "sequence_number": sent.sequence_number,
        "delivered_at": sent.delivered_at,
        "hours_after_charge": hours,
        "late": None if hours is None else hours > _LATE_HOURS,
        "result": sent.result,
        "transmit_id": sent.transmit_id,
        "error_text": sent.error_text,
    }


def refund_row(day: Day, refund: Refund) -> Row:
    """One refund: what was asked for, what left this day, and what can still be given back."""
    return {
        **day.key(refund.site, refund.order_id, refund.currency, refund.amount_minor),
        "refund_id": refund.refund_id,
        "provider_order_id": refund.provider_order_id,
        "requested_minor": refund.requested_minor,
        "effect_minor": refund.effect_minor,
        "refunded_total_minor": refund.total_minor,
        "refundable_left_minor": max(0, refund.amount_minor - refund.total_minor),
        "status": refund.status,
        "provider_response_code": refund.response_code,
        "provider_message": refund.message,
        "requested_by": refund.requested_by,
        "reason": refund.reason,
        "requested_at": refund.requested_at,
        "confirmed_at": refund.confirmed_at,
        "written_back": refund.written_back,
        "evidence_id": refund.evidence_id,
    }


def summary_row(day: Day, site: str, currency: str, line: Line, total: Total) -> Row:
    """One line of the summary."""
    return {
        "business_date": day.business_date,
        "mid": day.mid,
        "site": site,
        "currency": currency,
        "section": line.section,
        "line": line.name,
        "sign": line.sign,
        "orders": total.orders,
        "amount_minor": None if line.name in COUNTS else total.amount_minor,
        "definition": line.definition,
    }


def _known_at(standing: Standing, move: Event, key: str) -> str:
    known = (event.text(key) for event in reversed(standing.events) if event.seq <= move.seq)
    return next((text for text in known if text), "")


def _in_house_retry(day: Day, standing: Standing) -> str:
    if standing.closing in NEVER_AGAIN:
        return "never"
    if standing.closing in OPEN or standing.closed is None:
        return "blocked"
    if standing.closing == State.WITHDRAWN and standing.first(State.HELD) is None:
        return "free"
    kept = day.keeps_holds and standing.closing != State.WITHDRAWN
    return "free" if not kept and standing.written_back(standing.closed) else "blocked"


def _days(first: str, last: str) -> int | None:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days if first else None


def _hours_between(first: str, last: str) -> int | None:
    if not last:
        return None
    seconds = int((datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds())
    return -(-seconds // 3600)
