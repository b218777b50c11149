"""The page of one order: a verdict, everything that happened in order, what may happen next, and the three views side by side."""

import shlex
from typing import Any

from batch.history_rows import EVENT_COLUMNS
from batch.ledger import Submission
from batch.ledger.order_story import OrderStory, Row, is_forgotten
from batch.tampering import detail_of
from jobs.order_timeline import timeline
from schemas.errors import AuditBroken
from schemas.money import decimal_text, people_text
from schemas.states import NEVER_AGAIN, RELEASED, State

NEXT: dict[State, str] = {
    State.CLAIMED: "The next nightly holds it, or lets it go if its row is no longer free.",
    State.HELD: "The next nightly sends it.",
    State.WITHDRAWN: "Nothing of it was sent; it may be chosen again while it is declined.",
    State.SENDING: "The provider's acknowledgement moves it; without one it is in doubt after the ingest window.",
    State.IN_DOUBT: "Every run asks the provider for it; it is never sent again by itself.",
    State.PENDING: "The provider completes it, gives it up, or lets it expire; every poll asks when it is due.",
    State.CAPTURE_REQUIRED: "It is captured or cancelled, or the provider voids it when its window ends.",
    State.COMPLETED: "It may be refunded, or charged back by the cardholder.",
    State.DECLINED: "Nothing more; if the provider says otherwise, a person decides.",
    State.EXPIRED: "Nothing more; if the provider says otherwise, a person decides.",
    State.CANCELLED: "Nothing more; if the provider says otherwise, a person decides.",
    State.REJECTED: "Mended and set back to declined, it goes out again with the next nightly.",
    State.REVIEW: "A person decides: mitbatch review list",
    State.PARTIALLY_REFUNDED: "The rest may be refunded, or the charge charged back.",
    State.REFUNDED: "It may still be charged back.",
    State.CHARGEBACK: "Nothing more; if the provider says otherwise, a person decides.",
}
"""What may happen to an order next, by its state."""


def page_of(story: OrderStory, row: dict[str, str] | None) -> list[str]:
    """The page in lines; `row` is the order's row in the order system, None if it has none."""
    latest = story.attempts[-1] if story.attempts else None
    happened = [f"  {at}  {kind}: {words}" for at, kind, words in timeline(story)]
    ahead = ["", f"  next          {NEXT[latest.state]}", f"  you may       {you_may(latest)}"] if latest else []
    views = [f"  {name:<14}{words}".rstrip() for name, words in views_of(story, row).items()]
    return [f"Order {story.order_id!r}: {verdict_of(story, row)}", "", *happened, *ahead, "", *views]


def verdict_of(story: OrderStory, row: dict[str, str] | None) -> str:
    """How an order stands, in half a sentence."""
    if not story.attempts:
        return "a copy of the good charge; it was never declined." if story.copies else "it was never handed over."
    latest = story.attempts[-1]
    if latest.state is State.COMPLETED:
        return "recovered by the provider; nobody charges it again."
    if latest.state in NEVER_AGAIN:
        return f"{latest.state}; nobody charges it again."
    if latest.state in RELEASED:
        free = row is not None and not row["hold_reference"]
        return f"{latest.state}; " + ("your own retry may take it." if free else "its hold is kept.")
    since = next((event["at"] for event in reversed(story.events) if _entered(event, latest)), latest.claimed_at)
    until = f" (it expires at {latest.expires_at})" if latest.expires_at else ""
    return f"{latest.state} since {since}; your own retry is blocked until its outcome is known{until}."


def you_may(latest: Submission) -> str:
    """What a person may do about it, as a command."""
    order = shlex.quote(latest.order_id)
    order = f"-- {order}" if latest.order_id.startswith("-") else order
    commands = {
        State.PENDING: f'mitbatch cancel --reason "..." {order}',
        State.CAPTURE_REQUIRED: f'mitbatch capture --reason "..." {order}',
        State.COMPLETED: f'mitbatch refund --amount {decimal_text(latest.amount_minor, latest.currency)} --reason "..." {order}',
        State.IN_DOUBT: f'mitbatch cancel --external --reason "..." {order}',
        State.REVIEW: "mitbatch review list",
    }
    return commands.get(latest.state, f"mitbatch holds check {order}")


def _entered(event: Row, latest: Submission) -> bool:
    moves = event["kind"] == "transition" and event["from_state"] != event["to_state"]
    return bool(moves and event["subject"] == f"order:{latest.order_id}" and event["to_state"] == latest.state)


def views_of(story: OrderStory, row: dict[str, str] | None) -> dict[str, str]:
    """What the ledger, the provider and the order system say of an order, side by side."""
    latest: Submission | None = story.attempts[-1] if story.attempts else None
    ledger = f"{latest.state}   {people_text(latest.amount_minor, latest.currency)}" if latest else "unknown"
    provider = f"{latest.provider_status or 'not heard of'}   {latest.provider_order_id}".rstrip() if latest else "unknown"
    orders = (
        f"{row['status']}   {_row_amount(row)}   hold {row['hold_reference'] or 'none'}   retry {row['retry_state'] or 'none'}"
        if row
        else "no such row"
    )
    return {"ledger": ledger, "provider": provider, "order system": orders}


def _row_amount(row: dict[str, str]) -> str:
    """The row's own amount; as it stands there where it is none."""
    minor = row["amount_minor"]
    return people_text(int(minor), row["currency"]) if minor.lstrip("-").isdecimal() else f"{minor!r} {row['currency']!r}"


def object_of(story: OrderStory, row: dict[str, str] | None) -> dict[str, Any]:
    """The page for machines. Raises AuditBroken where an event's detail is no JSON: nobody was ever to read another."""
    kept = ("subject", *(name for name in EVENT_COLUMNS if name != "detail"))
    own = [event for event in story.events if event["subject"] == f"order:{story.order_id}"]
    return {
        "order_id": story.order_id,
        "state": story.attempts[-1].state.value if story.attempts else "",
        "decisions": [
            {name: each[name] for name in ("business_date", "decision", "reason", "reason_text")} for each in story.decisions
        ],
        "events": [{**{name: event[name] for name in kept}, "detail": _detail_of(event)} for event in own],
        "timeline": [{"at": at, "kind": kind, "words": words} for at, kind, words in timeline(story)],
        "evidence": [
            {
                **{name: each[name] for name in ("evidence_id", "source", "received_at", "content_hash", "size")},
                "file": name,
                "is_forgotten": is_forgotten(each),
            }
            for each in story.evidence
            for name in [story.file_names.get(each["evidence_id"], "")]
        ],
        "order_row": row,
    }


def _detail_of(event: Row) -> dict[str, Any]:
    detail = detail_of(event["detail"])
    if detail is None:
        raise AuditBroken(
            f"Event {event['seq']:,} of {event['subject']} is not as it was written.",
            next_step="See all of it: mitbatch audit verify",
        )
    return detail
