"""What leaves for customers who were present: by calls alone, as no MIT, and with nothing that only an MIT has."""

import json
from collections.abc import Iterator

from tests.world.oracle_evidence import Evidence
from tests.world.oracle_payloads import payload_of

ONLY_MIT = ("expiryDateUtc", "subscription")


def i17_present(seen: Evidence) -> Iterator[str]:
    """A CIT is called as such, without an expiry and a subscription, and stands in no file; every other order is an MIT."""
    for send in seen.sends:
        if send.kind == "call":
            yield from _wrong(seen, json.loads(send.content), "is called")
        for record in payload_of(send.content) if send.kind == "rename" else []:
            if _is_cit(seen, str(record.get("orderId"))):
                yield f"I17: {record['orderId']} stands in {send.name} although a customer was present"


def _wrong(seen: Evidence, record: dict[str, object], how: str) -> Iterator[str]:
    order_id = str(record.get("orderId"))
    if order_id not in seen.given:
        return
    is_cit = _is_cit(seen, order_id)
    if (record.get("isMIT"), record.get("isRecurring")) != (not is_cit, not is_cit):
        yield f"I17: {order_id} {how} with isMIT {record.get('isMIT')} although it is {seen.given[order_id]['origin']}"
    for name in ONLY_MIT if is_cit else ():
        if name in record:
            yield f"I17: {order_id} {how} with {name} although a customer was present"


def _is_cit(seen: Evidence, order_id: str) -> bool:
    return seen.given.get(order_id, {}).get("origin") in ("website", "call_center")
