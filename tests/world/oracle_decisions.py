"""What people decide: nothing that the provider shows otherwise, and what follows from a decision counts as proven.

The world keeps who was honest, and about what; the ledger keeps each decision's words with the name of whoever decided.
"""

from collections.abc import Iterator

from schemas.resolutions import Resolution
from tests.world.hands import HONEST, INSISTING
from tests.world.oracle_evidence import Evidence

BY_HAND = "operator"
RELEASING = (Resolution.NO_RESCUE, Resolution.NOT_TAKEN)
"""Decisions that release orders."""


def i12_nobody_overrules(seen: Evidence) -> Iterator[str]:
    """What somebody decides against what the provider shows when it is asked is refused: no event bears that word."""
    for row in seen.events:
        if f"({INSISTING})" in row["reason"]:
            yield f"I12: {row['subject']} went from {row['from_state']} to {row['to_state']} by {row['reason']!r}"
    for item in seen.items:
        if item["closed_by"] == INSISTING:
            yield f"I12: the item {item['item_id']} was closed by {INSISTING}, against what the provider shows"


def i7_decided_by_somebody(seen: Evidence) -> Iterator[str]:
    """What moved by hand was decided by somebody: the world saw that decision about that very order, file or request."""
    known = {order_id for each in seen.decided for order_id in each.order_ids} | {each.about for each in seen.decided}
    repeated = {order_id for each in seen.decided if each.resolution is Resolution.REPEAT_CALL for order_id in each.order_ids}
    known |= {f"batch:{row['batch_id']}" for row in seen.submissions if row["order_id"] in repeated}  # it calls for them again
    for row in seen.events:
        given_back = row["to_state"] in ("partially_refunded", "refunded")  # i2_refund_once judges those
        if row["source"] != BY_HAND or row["kind"] not in ("transition", "step") or given_back:
            continue
        kind, _, name = row["subject"].partition(":")
        if f"({HONEST})" not in row["reason"] or not {name, f"{kind}:{name}"} & known:
            yield f"I7: {row['subject']} became {row['to_state']} by hand, and nobody decided that"


def released_by_hand(seen: Evidence) -> set[str]:
    """Orders that somebody honest released, or may have: there is no rescue of them, and none will be."""
    return {order_id for each in seen.decided if each.resolution in RELEASING for order_id in each.order_ids}


def amounts_by_hand(seen: Evidence) -> set[str]:
    """Orders whose other amount somebody accepted, or may have."""
    return {
        order_id for each in seen.decided if each.resolution is Resolution.OTHER_AMOUNT_ACCEPTED for order_id in each.order_ids
    }


def proven_missing(seen: Evidence, file_name: str) -> list[int]:
    """Of how many sends it was certain, by somebody's word that was not refused, that none of them brought this file there."""
    mine = (each for each in seen.decided if each.resolution is Resolution.NEVER_ARRIVED and each.file_name == file_name)
    return [each.sends for each in mine if each.is_recorded]
