"""Evidence of calls that never happened, for each judge of calls: what is wrong with them, and who must complain."""

import json
from dataclasses import replace
from typing import Any

from tests.world.oracle_doctors import Doctor, Doctored, one
from tests.world.oracle_evidence import Evidence
from tests.world.witness import Send

EXPIRY = "2026-12-14T06:30:00Z"


def call_of(
    seen: Evidence,
    *,
    state: str = "sending",
    step: str = "calling",
    status: int = 200,
    key: str = "k",
    mit: bool = True,
    which: int = 0,
    mode: str = "managed",
) -> Send:
    """A call of the first order of the last file, or of another, by the run that sent it, at the same moment."""
    last = next(send for send in reversed(seen.sends) if send.kind == "rename")
    assert last.left is not None
    order_id, claim = list(last.left.orders.items())[which]
    found = replace(last.left, batch={"step": step}, orders={order_id: {**claim, "state": state}})
    expires = {"expiryDateUtc": EXPIRY} if mode == "managed" and mit else {}
    body = json.dumps({"orderId": order_id, "idempotencyKey": key, "isMIT": mit, "isRecurring": mit, **expires}).encode()
    return replace(last, kind="call", name=order_id, content=body, left=found, status=status)


def _calls(*wanted: dict[str, Any]) -> Doctor:
    def doctor(seen: Evidence) -> None:
        seen.sends = [*seen.sends, *(call_of(seen, **each) for each in wanted)]

    return doctor


def _switched_off(seen: Evidence) -> None:
    _calls({})(seen)
    call = seen.sends[-1]
    seen.marks = [replace(mark, switched_off=("recurring",)) if mark.process == call.process else mark for mark in seen.marks]
    seen.sends = [send for send in seen.sends if send.kind == "call"]


def _free(seen: Evidence) -> None:
    _calls({})(seen)
    call = seen.sends[-1]
    assert call.left is not None
    seen.sends[-1] = replace(call, left=replace(call.left, holds={}))


def _refused(seen: Evidence) -> None:
    _calls({"status": 400})(seen)
    row = seen.latest[one(seen, "completed")]
    body = json.dumps(
        {
            "orderId": row["order_id"],
            "idempotencyKey": row["idempotency_key"],
            "isMIT": True,
            "isRecurring": True,
            "expiryDateUtc": EXPIRY,
        }
    ).encode()
    call = replace(seen.sends[-1], name=row["order_id"], content=body)
    assert call.left is not None
    seen.sends[-1] = replace(call, left=replace(call.left, orders={call.name: {**row, "state": "sending"}}))


CALL_CASES = (
    Doctored("called while a power cut would leave it held", "I4", _calls({"state": "held"})),
    Doctored("called while a power cut would leave its group claimed", "I4", _calls({"step": "claimed"})),
    Doctored("called while a power cut would leave its row free", "I4", _free),
    Doctored("called again after silence", "I12", _calls({"status": 0}, {})),
    Doctored("called again after it was taken", "I12", _calls({}, {})),
    Doctored("called again with another key", "I12", _calls({"status": 429}, {"key": "another"})),
    Doctored("called as if its customer were present", "I17", _calls({"mit": False})),
    Doctored("called although it is switched off", "I25", _switched_off),
    Doctored("refused by a call, and not rejected", "I12 I14", _refused),
)
