"""Evidence with one thing changed about cancels and refunds, for each judge of them (see `tests.world.oracle_doctors`)."""

from tests.world.oracle_doctors import Doctor, Doctored, one
from tests.world.oracle_evidence import Evidence, Row


def _operation(seen: Evidence, kind: str, amount_minor: int, step: str = "done") -> None:
    asked: Row = {"kind": kind, "step": step, "amount_minor": amount_minor, "asked_at": "2026-11-23T00:00:00Z", "attempt": 1}
    asked |= {"refunded_before_minor": None, "answer": ""}
    seen.operations.append({"order_id": one(seen, "completed"), "operation_id": "x", **asked})


def _given_back(seen: Evidence, amount_minor: int) -> None:
    named = {"order_id": one(seen, "completed"), "transaction_id": "t-1", "amount": amount_minor}
    seen.journal.append({"n": len(seen.journal) + 1, "event": "refunded", "kind": None, "file": None, **named})


def _refund(amount_minor: int, *, asked: bool = True, given: bool = True, times: int = 1) -> Doctor:
    def doctor(seen: Evidence) -> None:
        if asked:
            _operation(seen, "refund", amount_minor)
        for _ in range(times if given else 0):
            _given_back(seen, amount_minor)

    return doctor


def _refund_not_shown(seen: Evidence) -> None:
    order_id = one(seen, "completed")
    _refund(5)(seen)
    seen.latest[order_id]["state"] = "partially_refunded"
    seen.rows[order_id]["refunded_minor"] = 4


def _stopped(seen: Evidence) -> None:
    claim = seen.latest[one(seen, "declined")]
    claim["state"] = "cancelled"
    seen.rows[claim["order_id"]]["hold_reference"] = claim["hold_reference"]


ACTION_CASES = (
    Doctored("a refund that nobody asked for", "I2", _refund(5, asked=False)),
    Doctored("a refund that was carried out twice", "I2", _refund(5, times=2)),
    Doctored("a refund that is called done and never was", "I2", _refund(5, given=False)),
    Doctored("more given back than was captured", "I3", _refund(10**9)),
    Doctored("a row that shows another sum as given back", "I5 I6", _refund_not_shown),
    Doctored("completed without a word although its cancel was asked for", "I6", lambda seen: _operation(seen, "cancel", 1)),
    Doctored("a row that bears the hold of an order that was stopped", "I6 I7 I13", _stopped),
)
"""At least one change for each judge."""
