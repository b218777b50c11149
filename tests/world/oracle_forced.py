"""A file that goes again because support says that it never arrived: with the rows that it had, less those withdrawn since.

Whoever decided so keeps nothing from leaving that may leave, and adds nothing: each row that is missing now has a cause that
can be seen from outside.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.world.oracle_evidence import Evidence
from tests.world.oracle_payloads import Row, payload_of
from tests.world.witness import Send

_NEAR = timedelta(hours=24)
"""An expiry that is nearer than this keeps an order at home (CONTRACT 7.6)."""


def wrong_in_repeat(seen: Evidence, send: Send, before: bytes, decided_at: int) -> Iterator[str]:
    """How such a file differs as it may not from what left `before`; it was decided when there were `decided_at` sends."""
    old, new = _by_order(before), _by_order(send.content)
    if _head(before) != _head(send.content) or [*new] != [order_id for order_id in old if order_id in new]:
        yield "another head, another order of rows, or rows that it did not have"
        return
    yield from (f"another row of {order_id}" for order_id, row in new.items() if row != old[order_id])
    missing = [order_id for order_id in old if order_id not in new]
    yield from (
        f"no row of {each}, which nothing kept from leaving"
        for each in missing
        if not _was_withdrawn(seen, send, each, old[each], decided_at)
    )


def _was_withdrawn(seen: Evidence, send: Send, order_id: str, row: Row, decided_at: int) -> bool:
    """Whether the merchant had taken the order away, switched it off or let its expiry come near, or the provider has it."""
    expires_at = datetime.fromisoformat(str(row.get("expiryDateUtc")))
    lied_about = seen.lied_to and any(
        event["subject"] == f"order:{order_id}" and event["source"] == "file" for event in seen.events
    )
    is_known = bool(seen.word_at(order_id, send.at)) or lied_about
    was_taken = seen.took_away(order_id, f"mitbatch:{row.get('idempotencyKey')}", send.point)
    return was_taken or is_known or expires_at - send.at <= _NEAR or _was_off(seen, send, order_id, decided_at)


def _was_off(seen: Evidence, send: Send, order_id: str, decided_at: int) -> bool:
    """Whether the order's kind or site was switched off for a run that may have judged the file since the decision."""
    first = seen.sends[decided_at - 1].process if decided_at else 0
    row = seen.given.get(order_id, {})
    mine = {row.get("origin"), f"site:{row.get('site')}"}
    return any(mine & set(mark.switched_off) for mark in seen.marks if first < mark.process <= send.process)


def _by_order(content: bytes) -> dict[str, Row]:
    """A file's rows by order, without their numbers, which are counted anew."""
    return {str(row.get("orderId")): _lasting(row) for row in payload_of(content)}


def _head(content: bytes) -> Row:
    """What stands in a file of JSON beside its rows; nothing in one of CSV."""
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return _lasting(document.get("configuration", {}))


def _lasting(part: Row) -> Row:
    return {name: value for name, value in part.items() if name not in ("sequenceNumber", "authorizationToken")}
