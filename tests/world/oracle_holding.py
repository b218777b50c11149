"""Who may charge: no charge on either side that the other does not know of, nobody forgotten, exactly the refused released."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from batch.pace import utc_text
from tests.world.merchant import Charge
from tests.world.oracle_decisions import released_by_hand
from tests.world.oracle_evidence import RECOVERED, Evidence
from tests.world.oracle_payloads import payload_of
from tests.world.oracle_words import was_refused
from tests.world.story import WORKING
from tests.world.traits import TRAITS

_UNTOLD = ("nightly", "poll")
_WENT_THROUGH = (0, 10, 11)


def i1_hold(seen: Evidence) -> Iterator[str]:
    """No in-house charge of an order that is at the provider, lies there unread, or goes there afterwards."""
    first = {row["order_id"]: row["n"] for row in reversed(seen.accepted)}
    lied_about = {row["subject"].partition(":")[2] for row in seen.events if row["source"] == "file"} if seen.lied_to else set()
    for charge in seen.charges:
        if any(record.get("orderId") == charge.order_id for content in charge.unread for record in payload_of(content)):
            yield f"I1: {charge.order_id} was charged in-house at {charge.at} while a file with it lay unread at the provider"
        if charge.order_id not in first:
            continue
        if first[charge.order_id] > charge.journal_end:
            yield f"I1: {charge.order_id} was sent after the merchant charged it"
            continue
        word, stood = seen.word_at(charge.order_id, charge.latest), _stood(charge)
        if word in RECOVERED and seen.traits.get(charge.order_id) == "completes late" and stood & {"declined", "cancelled"}:
            continue  # released by the provider's word that it is cancelled, and nobody could know better
        is_refused = "rejected" in stood and was_refused(seen, charge.order_id, charge.point)
        is_denied = charge.order_id in lied_about or is_refused
        if word in (*WORKING, *RECOVERED) and not is_denied:
            yield f"I1: {charge.order_id} was charged in-house at {charge.at} while the provider said {word}"


def _stood(charge: Charge) -> set[str]:
    """Where the ledger said that an order stood when it was charged, and, of a state of that very second, where it stood before.

    Its row shows a state only after the ledger has it; who takes the row meanwhile cannot know.
    """
    stood: set[str] = set()
    for state, at in reversed(charge.told):
        stood.add(state)
        if at != utc_text(charge.at):
            break
    return stood


def i13_liveness(seen: Evidence) -> Iterator[str]:
    """After the quiet nights each order has ended, or an item is open about it; or every night was refused (exit 30)."""
    told = seen.told()
    if seen.runs and seen.runs[-1][1].code == 30:
        return
    ended = (
        "completed",
        "declined",
        "expired",
        "cancelled",
        "rejected",
        "withdrawn",
        "refunded",
        "chargeback",
        "partially_refunded",
    )
    for order_id, row in seen.latest.items():
        if order_id in told or row["batch_id"] in told:
            continue
        if row["state"] not in ended:
            yield f"I13: {order_id} is {row['state']} at the end, and nobody was told"
        elif row["written_version"] != row["row_version"]:
            yield f"I13: {order_id} is {row['state']}, its row does not show it, and nobody was told"


def i13_nothing_silent(seen: Evidence) -> Iterator[str]:
    """A run that went through leaves no order without an ending past its expiry and the grace, and without an item."""
    grace = timedelta(seconds=seen.grace)
    for mark, (job, ended) in zip(seen.marks, seen.runs, strict=True):
        if ended.code not in _WENT_THROUGH or job not in _UNTOLD:
            continue
        told = {item["subject"].partition(":")[2] for item in mark.items}
        for row in mark.underway:
            is_late = datetime.fromisoformat(row["expires_at"]) + grace < mark.times[0]
            if is_late and row["order_id"] not in told and row["batch_id"] not in told:
                yield f"I13: {row['order_id']} is {row['state']} past its expiry {row['expires_at']}, and the {job} told nobody"


def i14_releases(seen: Evidence) -> Iterator[str]:
    """What the provider still works on, or recovered, is never free in the order system, unless it says both."""
    denied = {order_id for order_id in seen.latest if _is_denied(seen, order_id)}
    if seen.lied_to:
        denied |= {row["subject"].partition(":")[2] for row in seen.events if row["source"] == "file"}
    for order_id, known in seen.provider.items():
        row = seen.rows.get(order_id)
        if row is None or order_id in seen.changed or order_id in denied:
            continue
        free = row["status"] in {"declined", "not_recovered"} and row["hold_reference"] is None
        if free and known["status"] in (*WORKING, *RECOVERED):
            yield f"I14: {order_id} is free in the order system while the provider says {known['status']}"


def i14_exactly_the_refused(seen: Evidence) -> Iterator[str]:
    """The orders that we call rejected are those that the provider refused: none more, and none less that nobody was told of."""
    refused = _refused_by_provider(seen)
    rejected = _rejected(seen)
    for order_id in sorted(rejected - refused - released_by_hand(seen)):
        if was_refused(seen, order_id):
            continue  # of two words that contradict, only this one could be read
        yield f"I14: {order_id} is called rejected, and the provider never refused it"
    taken = {row["order_id"] for row in seen.accepted}
    told = seen.told()
    for order_id in sorted(refused - rejected - taken):
        row = seen.latest.get(order_id)
        if row is not None and order_id not in told and row["batch_id"] not in told:
            yield f"I14: the provider refused {order_id}, it is {row['state']} here, and nobody was told"


def i14_unfit_rows_stay(seen: Evidence) -> Iterator[str]:
    """What may never be handed over is not at the provider: a row with a card number, no amount, an unknown currency.

    Where only the switch of its origin keeps it here, it stays as long as that was off in every run.
    """
    was_on = any("website" not in mark.switched_off for mark in seen.marks)
    for order_id, name in seen.traits.items():
        may_go = TRAITS[name].goes or (name == "opted out" and was_on)
        if not may_go and order_id in seen.provider and order_id not in seen.changed:
            yield f"I14: {order_id} was handed over although it is {name!r}"


def _rejected(seen: Evidence) -> set[str]:
    return {
        row["subject"].partition(":")[2] for row in seen.events if row["kind"] == "transition" and row["to_state"] == "rejected"
    }


def _is_denied(seen: Evidence, order_id: str) -> bool:
    """Whether an order counts as refused at the end that the provider has, because it told that it refused it."""
    chain = seen.chains.get(f"order:{order_id}", [])
    return bool(chain) and chain[-1]["to_state"] == "rejected" and was_refused(seen, order_id)


def _refused_by_provider(seen: Evidence) -> set[str]:
    rows = {row["order_id"] for row in seen.journal if row["event"] == "row_refused" and row["kind"] == "evaluate"}
    files = {row["file"] for row in seen.journal if row["event"] == "file_refused"}
    sent = (send.content for send in seen.sends if send.kind in ("write", "rename") and send.name in files)
    return rows | {str(record.get("orderId")) for content in sent for record in payload_of(content)}
