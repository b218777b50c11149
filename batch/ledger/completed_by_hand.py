"""When a person said that an order is completed, of which claim, and with which amount."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from batch.ledger.operations import Operation
from batch.ledger.reading import events_of
from batch.ledger.records import Submission


class CompletedByHand(NamedTuple):
    """One such word: about the claim of this number, at this moment (UTC text), with this amount in minor units."""

    attempt: int
    at: str
    amount_minor: int


def completed_by_hand(connection: Connection, mid: str, order_id: str) -> list[CompletedByHand]:
    """Every such word about one order, oldest first."""
    decided = [row for row in events_of(connection, mid, f"order:{order_id}") if row["source"] == "operator"]
    details = [(row["at"], orjson.loads(row["detail"])) for row in decided]
    return [
        CompletedByHand(detail["attempt"], at, detail["recovered_minor"])
        for at, detail in details
        if detail.get("recovered_minor") is not None
    ]


def accepted_amount(connection: Connection, mid: str, order_id: str) -> int | None:
    """The amount (minor units) with which a person last said that an order is completed; None where nobody had to."""
    words = completed_by_hand(connection, mid, order_id)
    return words[-1].amount_minor if words else None


def is_taken_for_right(connection: Connection, mid: str, submission: Submission, cancels: Sequence[Operation]) -> bool:
    """Whether a person said that this claim is completed, after the newest of its cancels was asked for.

    What they said of an earlier claim, or before the cancel was asked for, was said of something else.
    """
    newest = max((each.asked_at for each in cancels if each.attempt == submission.attempt), default="")
    words = completed_by_hand(connection, mid, submission.order_id)
    return any(word.attempt == submission.attempt and word.at >= newest for word in words)
