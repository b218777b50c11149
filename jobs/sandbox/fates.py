"""What becomes of an order: a pure function of the seed, the order id and the payment token, never of who asked when."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Ending = Literal["completed", "cancelled", "expired", "onhold", "problem"]

CODES: dict[str, int] = {
    "Draft": 0,
    "Onhold": 1,
    "Cancelled": 2,
    "Problem": 3,
    "Processing": 4,
    "Capturerequired": 5,
    "Returned": 6,
    "Completed": 7,
}
"""The published numbers of `GET /orders` (CONTRACT 9)."""

REFUSED_TOKEN_ENDING = "a005"  # noqa: S105 - a test value, not a secret
DRAFT_LASTS = timedelta(minutes=5)
EARLIEST = timedelta(hours=1)
LATEST = timedelta(days=12)


@dataclass(frozen=True)
class Fate:
    """How an order ends and when, counted from its acceptance; an expiry comes at `expiryDateUtc` whatever `after` is.

    `reads_expired` says whether its expiry shows as EXPIRED or as Cancelled (CONTRACT 6.4 allows both).
    `amount_change` is added to the amount of a completion, in minor units.
    """

    ending: Ending
    after: timedelta = EARLIEST
    reads_expired: bool = False
    amount_change: int = 0


_BY_TOKEN_ENDING: dict[str, Fate] = {
    "a001": Fate("completed"),
    "a002": Fate("cancelled"),
    "a003": Fate("expired", reads_expired=True),
    "a004": Fate("expired", reads_expired=False),
    "a006": Fate("onhold", after=timedelta(0)),
    "a007": Fate("problem"),
    "a008": Fate("completed", amount_change=-1),
}


def fate_of(seed: int, order_id: str, token: str) -> Fate:
    """Decide the order's fate: by its token's ending if that is a test value, else by a hash of seed and order id.

    Of a hundred orders about 45 complete, 20 are cancelled, and 35 expire.
    """
    by_token = _BY_TOKEN_ENDING.get(token[-4:].lower())
    if by_token is not None:
        return by_token
    digest = hashlib.sha256(f"{seed}\n{order_id}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") % 100
    span = int((LATEST - EARLIEST).total_seconds())
    after = EARLIEST + timedelta(seconds=int.from_bytes(digest[4:10], "big") % span)
    reads_expired = digest[10] % 2 == 0
    if share < 45:
        return Fate("completed", after, reads_expired)
    if share < 65:
        return Fate("cancelled", after, reads_expired)
    return Fate("expired", after, reads_expired)


def status_at(fate: Fate, placed: datetime, expiry: datetime, now: datetime) -> str:
    """The status name of an order at a moment: a name of `CODES`, or EXPIRED, which has no published number."""
    ends_at = placed + fate.after
    if fate.ending == "onhold":
        return "Onhold"
    if fate.ending != "expired" and ends_at < expiry and now >= ends_at:
        return {"completed": "Completed", "cancelled": "Cancelled", "problem": "Problem"}[fate.ending]
    if now >= expiry:
        return "EXPIRED" if fate.reads_expired else "Cancelled"
    return "Draft" if now < placed + DRAFT_LASTS else "Processing"


def outcome_word(name: str, *, expired: bool) -> str | None:
    """The word of an outcome file for a final status name, or None while nothing is final (CONTRACT 6.4)."""
    if expired:
        return "EXPIRED"
    return {"Completed": "COMPLETED", "Cancelled": "DECLINED"}.get(name)
