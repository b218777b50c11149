"""What leaves by calls: claimed, held and intended before, once each, and again only where nothing can have been done."""

import json
from collections.abc import Iterator
from datetime import timedelta

from schemas.resolutions import Resolution
from tests.world.oracle_evidence import Evidence
from tests.world.witness import Send

PROOFS = (401, 403, 429)
"""Answers that prove that nothing was done."""
REFUSED = 400
A_DAY = timedelta(hours=24)


def i4_calls(seen: Evidence) -> Iterator[str]:
    """Whenever an order is called, a power cut at that moment would leave it held, and its call intended."""
    for send in _calls(seen):
        assert send.left is not None
        claim = send.left.orders.get(send.name)
        intended = claim is not None and (claim["state"] in ("sending", "in_doubt") or _is_repeat(claim))
        if claim is None or not intended:
            yield f"I4: {send.name} is called while a power cut would leave it {claim['state'] if claim else 'unknown'}"
        elif send.left.batch.get("step") not in ("calling", "acknowledged"):
            yield f"I4: {send.name} is called while a power cut would leave its group {send.left.batch.get('step')}"
        elif seen.is_left_free(send, send.name, claim):
            yield f"I4: {send.name} is called while a power cut would leave its row without our hold"


def i12_calls_have_proof(seen: Evidence) -> Iterator[str]:
    """An order is called again only after an answer that proves that nothing was done, with the same key and bytes.

    After a refusal it may be claimed anew, with a key of its own. In sync mode it may be repeated a day later. Each decision
    of a person that is recorded lets it be called once more.
    """
    decided = _called_by_hand(seen)
    before: dict[str, Send] = {}
    for number, send in enumerate(seen.sends):
        if send.kind != "call":
            continue
        last = before.get(send.name)
        before[send.name] = send
        if last is None:
            continue
        is_anew = last.status == REFUSED and _key(last) != _key(send)
        claim = send.left.orders.get(send.name) if send.left else None
        is_repeat = claim is not None and _is_repeat(claim) and send.at - last.at >= A_DAY
        words = [decided_at for decided_at in decided.get(send.name, []) if decided_at <= number]
        if words and last.status not in PROOFS and not is_anew and not is_repeat:
            decided[send.name].remove(words[0])
        elif last.status not in PROOFS and not is_anew and not is_repeat:
            yield f"I12: {send.name} was called again after an answer of {last.status or 'nothing'}, which proves nothing"
        if send.content != last.content and not is_anew:
            yield f"I12: {send.name} was called again with other bytes"


def i14_calls(seen: Evidence) -> Iterator[str]:
    """An order whose last call the provider refused is rejected, if the run that heard it came to its end.

    Not where a person let it be called once more, because of an earlier call nobody knows what came: that the repeat is
    refused says nothing of that.
    """
    whole = {mark.process for mark, (_, ended) in zip(seen.marks, seen.runs, strict=True) if ended.code in (0, 10, 11)}
    last = {send.name: send for send in _calls(seen)}
    for order_id, send in last.items():
        claim = seen.latest.get(order_id)
        is_refused = send.status == REFUSED and send.process in whole and order_id not in _called_by_hand(seen)
        if is_refused and claim is not None and claim["idempotency_key"] == _key(send) and claim["state"] != "rejected":
            yield f"I14: {order_id} is {claim['state']} although the provider refused its call"


def i25_calls(seen: Evidence) -> Iterator[str]:
    """A run for which a kind of order or a site is switched off calls none of them."""
    off = {mark.process: mark.switched_off for mark in seen.marks}
    for send in _calls(seen):
        row = seen.given.get(send.name, {})
        if {row.get("origin"), f"site:{row.get('site')}"} & set(off.get(send.process, ())):
            yield f"I25: {send.name} is called although it is switched off"


def _called_by_hand(seen: Evidence) -> dict[str, list[int]]:
    """By order: after how many sends people let its call be made once more, as the world heard it."""
    decided: dict[str, list[int]] = {}
    for each in seen.decided:
        if each.resolution is Resolution.REPEAT_CALL and each.is_recorded:
            for order_id in each.order_ids:
                decided.setdefault(order_id, []).append(each.sends)
    return decided


def _calls(seen: Evidence) -> Iterator[Send]:
    return (send for send in seen.sends if send.kind == "call")


def _is_repeat(claim: dict[str, object]) -> bool:
    return claim.get("mit_mode") == "sync" and claim["state"] == "pending"


def _key(send: Send) -> str:
    return str(json.loads(send.content).get("idempotencyKey"))
