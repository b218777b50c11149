"""What people ask of the provider: no refund twice, none above what was captured, every cancel that came too late told."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.table.rules import said
from tests.world.oracle_evidence import Evidence, Row

HAPPENED = ("done",)
MAYBE = ("claimed", "sending", "in_doubt")


def i2_refund_once(seen: Evidence) -> Iterator[str]:
    """What the provider gave back of an order are exactly the refunds that the ledger confirms, and those still in doubt."""
    if seen.restored:
        return  # an older ledger cannot tell
    given: dict[str, Counter[int]] = defaultdict(Counter)
    for row in _given_back(seen):
        given[str(row["order_id"])][int(row["amount"])] += 1
    for order_id in sorted({*given, *(row["order_id"] for row in _refunds(seen))}):
        mine = [row for row in _refunds(seen) if row["order_id"] == order_id]
        done = Counter(row["amount_minor"] for row in mine if row["step"] in HAPPENED)
        maybe = Counter(row["amount_minor"] for row in mine if row["step"] in MAYBE)
        if over := given[order_id] - done - maybe:
            yield f"I2: the provider gave {dict(over)} back of {order_id}, and no refund of the ledger says so"
        missing = done - given[order_id]
        if missing and not _may_be_taken_for_ours(seen, mine, missing):
            yield f"I2: {dict(missing)} of {order_id} are confirmed as given back, and the provider gave nothing"


def _may_be_taken_for_ours(seen: Evidence, mine: list[Row], missing: Counter[int]) -> bool:
    """Whether an order was given back by itself, by a provider that shows no sums, while one refund of all that was left was in
    doubt: that word is all there is, and nobody can know better."""
    lost = [row for row in mine if row["amount_minor"] in missing and row["refunded_before_minor"] is None]
    known = seen.provider.get(mine[0]["order_id"], {})
    total = sum(row["amount_minor"] for row in mine if row["step"] in HAPPENED)
    is_all = missing.total() == 1 and known.get("status") == "Returned" and total == known["amount"]
    return is_all and any(row["answer"] == "the provider says RETURNED" for row in lost)


def i2_asked_once(seen: Evidence) -> Iterator[str]:
    """Each request for money was made once: the provider gave back no more often than requests were written down."""
    if seen.restored:
        return
    asked = Counter(row["order_id"] for row in _refunds(seen))
    for order_id, count in Counter(str(row["order_id"]) for row in _given_back(seen)).items():
        if count > asked[order_id]:
            yield f"I2: the provider gave back {count} times of {order_id}, asked for {asked[order_id]} times"


def i3_never_above(seen: Evidence) -> Iterator[str]:
    """The sum of what was given back of an order is never above what was captured of it, in the ledger as at the provider."""
    sums: dict[str, int] = defaultdict(int)
    for row in _refunds(seen):
        if row["step"] in HAPPENED:
            sums[row["order_id"]] += row["amount_minor"]
    for order_id, total in sums.items():
        captured = seen.provider[order_id]["amount"] if order_id in seen.provider else 0
        if total > captured:
            yield f"I3: {total} were given back of {order_id}, of which {captured} were captured"


def i5_rows_show_refunds(seen: Evidence) -> Iterator[str]:
    """A row that the merchant left alone, and that is written, shows the sum that was given back.

    One that was charged in-house after its release, and bears no hold of ours, is the merchant's, and right as it stands.
    """
    charged = {charge.order_id for charge in seen.charges}
    sums: dict[str, int] = defaultdict(int)
    for row in _refunds(seen):
        sums[row["order_id"]] += row["amount_minor"] if row["step"] in HAPPENED else 0
    for order_id, row in seen.latest.items():
        is_written = row["written_version"] == row["row_version"] and order_id not in seen.changed
        if is_written and row["state"] in ("partially_refunded", "refunded") and order_id in seen.rows and sums[order_id]:
            shown = seen.rows[order_id]["refunded_minor"]
            is_theirs = order_id in charged and not seen.rows[order_id]["hold_reference"]
            if shown != sums[order_id] and not is_theirs:
                yield f"I5: {sums[order_id]} were given back of {order_id}, its row shows {shown}"


def i6_cancel_races_are_told(seen: Evidence) -> Iterator[str]:
    """An order that completed although its cancel had been asked for went to review and was told of: the provider's word wins.

    So was one that a person said is completed, and one that is heard to be recovered while it is under review for whatever else.
    A cancel that never reached the provider was not asked for.
    """
    for row in seen.operations:
        order_id = row["order_id"]
        word = seen.provider[order_id]["status"] if order_id in seen.provider else ""
        if row["kind"] != "cancel" or word not in ("Completed", "Returned") or _never_left(seen, row):
            continue
        chain = seen.chains.get(f"order:{order_id}", [])
        since = [each for each in chain if each["at"] >= row["asked_at"] and _attempt_of(each) == row["attempt"]]
        after = [each for each in since if each["kind"] == "transition"]
        if any(each["to_state"] == "completed" and each["from_state"] != "review" for each in after):
            yield f"I6: {order_id} was called completed without a word although its cancel had been asked for"
        is_recovered = any(each["to_state"] == "completed" for each in after) or any(map(_says_recovered, since))
        if is_recovered and not _is_told(seen, row):
            yield f"I6: {order_id} was recovered although its cancel had been asked for, and nobody was told"


TOO_LATE = "its cancel was asked for and came too late"
"""What tells of it, in words; that the merchant changed the row is told by an item of the same kind."""


def _is_told(seen: Evidence, asked: Row) -> bool:
    """Whether an item that tells of it stood open at any time since the cancel was asked for."""
    told = (item for item in seen.items if item["kind"] == "double_charge" and item["subject"] == f"order:{asked['order_id']}")
    return any(TOO_LATE in item["explanation"] and (item["closed_at"] or asked["asked_at"]) >= asked["asked_at"] for item in told)


def _attempt_of(event: Row) -> int | None:
    found: int | None = json.loads(event["detail"]).get("attempt")
    return found


def _says_recovered(event: Row) -> bool:
    """Whether the ledger learnt by this event that the provider has charged the customer."""
    word = str(json.loads(event["detail"]).get("provider_status") or "")
    return (said("", int(word)) if word.isdecimal() else said(word, None)) == "money"


def i7_cancelled_was_asked_for(seen: Evidence) -> Iterator[str]:
    """Nothing is called cancelled whose cancel nobody asked for."""
    asked = {row["order_id"] for row in seen.operations if row["kind"] == "cancel"}
    for order_id, row in seen.latest.items():
        if row["state"] == "cancelled" and order_id not in asked:
            yield f"I7: {order_id} is called cancelled, and nobody asked for that"


def i13_stopped_rows_are_free(seen: Evidence) -> Iterator[str]:
    """The row of an order that was cancelled bears no hold of ours once it is written, whoever has changed it; or it is told."""
    told = seen.told()
    for order_id, claim in seen.latest.items():
        bears = order_id in seen.rows and seen.rows[order_id]["hold_reference"] == claim["hold_reference"]
        is_over = claim["state"] == "cancelled" and claim["written_version"] == claim["row_version"]
        if is_over and bears and not seen.keeps_holds and order_id not in told:
            yield f"I13: {order_id} was cancelled, and its row bears our hold"


def _never_left(seen: Evidence, asked: Row) -> bool:
    """Whether no request to cancel ever came to the provider of whose cancel the ledger says that it was never asked for."""
    came = any(row["event"] == "answered" and str(row.get("path")).endswith("/cancel") for row in seen.journal)
    return asked["step"] == "refused" and not came


def _refunds(seen: Evidence) -> list[Row]:
    return [row for row in seen.operations if row["kind"] == "refund"]


def _given_back(seen: Evidence) -> list[Row]:
    """The refunds that the provider carried out when it was asked; what it gave back by itself is not among them."""
    return [row for row in seen.journal if row["event"] == "refunded" and row.get("transaction_id")]
