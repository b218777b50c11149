"""The two modes of an account never mix, and an order goes by one channel: read from the bytes that left."""

import json
from collections.abc import Iterator
from datetime import datetime

from tests.world.oracle_calls import REFUSED
from tests.world.oracle_decisions import released_by_hand
from tests.world.oracle_evidence import Evidence
from tests.world.oracle_payloads import payload_of
from tests.world.oracle_words import was_refused
from tests.world.story import WORKING
from tests.world.witness import Send


def i21_one_mode(seen: Evidence) -> Iterator[str]:
    """No order leaves in one mode while the provider works on another that left in the other mode.

    Not counted is what is a person's at that moment, and what the provider had said that it refused, although it works on it.
    """
    gone: dict[str, str] = {}
    called: dict[str, int] = {}
    for send in seen.sends:
        for order_id, mode in _leaving(send):
            if gone.get(order_id) == mode:
                continue  # a repetition; one that was refused may leave anew, in the mode of that day
            others = [each for each, other in gone.items() if other != mode and each != order_id]
            for other in (each for each in others if seen.word_at(each, send.at) in WORKING):
                if (
                    not _is_a_persons(seen, other, send)
                    and called.get(other) != REFUSED
                    and not was_refused(seen, other, send.point)
                ):
                    yield f"I21: {order_id} leaves in {mode} mode while the provider works on {other} in {gone[other]} mode"
            gone[order_id] = mode
        if send.kind == "call":
            called[send.name] = send.status


def _is_a_persons(seen: Evidence, order_id: str, send: Send) -> bool:
    chain = seen.chains.get(f"order:{order_id}", [])
    stood = [row["to_state"] for row in chain if datetime.fromisoformat(row["at"]) <= send.at]
    return stood[-1:] == ["review"]


def _leaving(send: Send) -> Iterator[tuple[str, str]]:
    """Which merchant-initiated orders leave, and in which mode: one of managed mode bears its expiry (CONTRACT 7.6)."""
    if send.kind == "rename":
        yield from ((str(record.get("orderId")), "managed") for record in payload_of(send.content))
    if send.kind == "call":
        record = json.loads(send.content)
        if record.get("isMIT"):
            yield send.name, "managed" if record.get("expiryDateUtc") else "sync"


def i12_one_channel_per_order(seen: Evidence) -> Iterator[str]:
    """An order that may have arrived by a file is not called, and one that may have been called stands in no file."""
    by_hand = released_by_hand(seen)
    refused = {row["order_id"] for row in seen.journal if row["event"] == "row_refused"} | by_hand
    refused |= {
        str(record.get("orderId"))
        for send in seen.sends
        if send.kind == "rename" and any(row["event"] == "file_refused" and row["file"] == send.name for row in seen.journal)
        for record in payload_of(send.content)
    }
    by_file: set[str] = set()
    called: set[str] = set()
    for send in seen.sends:
        if send.kind == "call":
            if send.name in by_file - refused:
                yield f"I12: {send.name} is called although a file with it may have arrived"
            called |= {send.name} if send.status not in (REFUSED, 401, 403, 429) else set()
        elif send.kind == "rename":
            here = {str(record.get("orderId")) for record in payload_of(send.content)}
            yield from (f"I12: {each} leaves in {send.name} although it was called" for each in sorted(here & called - by_hand))
            by_file |= here
