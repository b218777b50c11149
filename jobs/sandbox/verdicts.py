"""What comes in and what is said of it: where a record came from, and whether it was taken. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from jobs.sandbox.strict_text import Fields
from jobs.sandbox.validation import Errors, at, text_at

Kind = Literal["evaluate", "transmit"]


@dataclass(frozen=True)
class Origin:
    """Where a record came from: the channel, and for a batch row its file and sequence number."""

    channel: Literal["sftp", "api"]
    file: str | None = None
    sequence_number: str | None = None


@dataclass(frozen=True)
class Accepted:
    """A record was taken; `key` is the order session key, or the transmit id, `status` the word of the answer."""

    key: str
    status: str = "SUBMITTED"


@dataclass(frozen=True)
class Refused:
    """A record was not taken, with every reason; a conflict is a key that was used for another payload."""

    errors: Errors = field(default_factory=dict)
    is_conflict: bool = False


def facts_of(kind: Kind, record: Fields, origin: Origin) -> dict[str, object]:
    """What the journal notes of a record; no payment is in it."""
    amount = at(record, "Transaction.Amount")
    return {
        "kind": kind,
        "channel": origin.channel,
        "order_id": text_at(record, "OrderId"),
        "file": origin.file,
        "sequence_number": origin.sequence_number,
        "amount": amount if isinstance(amount, int) else None,
        "currency": text_at(record, "Transaction.Currency") or None,
        "idempotency_key": text_at(record, "IdempotencyKey") or None,
    }
