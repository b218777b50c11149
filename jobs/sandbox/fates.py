"""What becomes of an order: a pure function of the seed, the order and the payment, never of who asked when."""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

Ending = Literal[
    "completed", "cancelled", "expired", "onhold", "problem", "capturerequired", "chargeback", "returned", "regretted"
]
Way = Literal["managed", "sync", "cit"]
"""Who retries and who waits: managed MIT, sync MIT, or a customer who is present (CONTRACT 7.6)."""
CardClass = Literal["success", "challenge", "declined", "unknown"]
"""What a card stands for among the test values (CONTRACT 15); unknown for a token that the sandbox never made."""
Challenge = Literal["none", "passed", "failed"]

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

WIDGET_KEY = "widget-"
"""How the senseKey of a page begins that carries the widget: the advanced integration. Ours; the real ones are opaque."""
REFUSED_TOKEN_ENDING = "a005"  # noqa: S105 - a test value, not a secret
EARLIEST = timedelta(hours=1)
LATEST = timedelta(days=12)
AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Fate:
    """How an order ends and when, counted from its acceptance; an expiry comes at `expiryDateUtc` whatever `after` is.

    `reads_expired` says whether its expiry shows as EXPIRED or as Cancelled (CONTRACT 6.4 allows both).
    `amount_change` is added to the amount of a completion, in minor units. A `challenge` comes before the ending;
    `in_widget` says that the shop's page is integrated with the widget, so that evaluate answers SUBMITTED meanwhile.
    """

    ending: Ending
    after: timedelta = EARLIEST
    reads_expired: bool = False
    amount_change: int = 0
    challenge: Challenge = "none"
    in_widget: bool = False


_IN_TIME: dict[str, Fate] = {
    "a001": Fate("completed"),
    "a002": Fate("cancelled"),
    "a003": Fate("expired", reads_expired=True),
    "a004": Fate("expired", reads_expired=False),
    "a006": Fate("onhold", after=AT_ONCE),
    "a007": Fate("problem"),
    "a008": Fate("completed", amount_change=-1),
    "a009": Fate("capturerequired"),
    "a00a": Fate("chargeback"),
    "a00b": Fate("returned"),
    "a00c": Fate("regretted"),
}
"""Endings of test tokens for every MIT."""

_AT_ONCE: dict[str, Fate] = {
    "b001": Fate("completed", AT_ONCE),
    "b002": Fate("cancelled", AT_ONCE),
    "b003": Fate("completed", AT_ONCE, challenge="passed"),
    "b004": Fate("cancelled", AT_ONCE, challenge="failed"),
    "b005": Fate("capturerequired", AT_ONCE),
}
"""Endings of test tokens for whoever is answered at once: a CIT, and a sync MIT where it needs no browser."""


def fate_of(seed: int, order_id: str, token: str, card: CardClass = "unknown") -> Fate:
    """Decide a managed MIT's fate: by its token's ending if that is a test value, else by a hash of seed and order id.

    Of a hundred orders about 45 complete, 20 are cancelled, and 35 expire. A success card always completes,
    a declined card never does.
    """
    by_token = _IN_TIME.get(token[-4:].lower())
    if by_token is not None:
        return by_token
    share, after, reads_expired = _draw(seed, order_id)
    if card in ("success", "challenge") or (share < 45 and card == "unknown"):
        return Fate("completed", after, reads_expired)
    if share < 65:
        return Fate("cancelled", after, reads_expired)
    return Fate("expired", after, reads_expired)


def sync_fate_of(seed: int, order_id: str, token: str, card: CardClass) -> Fate:
    """Decide a sync MIT's fate: approved at once, or declined at once and worked on in the background (CONTRACT 7.6).

    Success cards are approved at once; of unknown tokens every third is.
    """
    ending = token[-4:].lower()
    if ending in ("b001", "b002", "b005"):
        return _AT_ONCE[ending]
    if ending not in _IN_TIME and (card in ("success", "challenge") or (card == "unknown" and _draw(seed, order_id)[0] % 3 == 0)):
        return Fate("completed", AT_ONCE)
    return fate_of(seed, order_id, token, card)


def cit_fate_of(seed: int, order_id: str, payment: tuple[str, CardClass, bool], phone: str) -> Fate:
    """Decide at once for a customer who is present (CONTRACT 15); `payment` is token, card class, and whether a CVV came.

    The success card is approved. The challenge card is challenged when the phone holds 99.2001, declined when there is
    neither phone nor CVV, and else approved. Every other card is declined. An unknown token is decided by hash.
    """
    token, card, has_cvv = payment
    by_token = _AT_ONCE.get(token[-4:].lower())
    if by_token is not None:
        return by_token
    share, _, _ = _draw(seed, order_id)
    approved, declined = _AT_ONCE["b001"], _AT_ONCE["b002"]
    if card == "success":
        return approved
    if card == "challenge":
        if "99.2001" in phone:
            return _AT_ONCE["b003"]
        return approved if phone or has_cvv else declined
    if card == "declined" or share >= 55:
        return declined
    return approved if share < 45 else _AT_ONCE["b003"]


def shown_in_widget(fate: Fate) -> Fate:
    """The same fate for a page with the widget: the customer is asked there first, and only then it ends as it would."""
    asked: Challenge = "passed" if fate.ending in ("completed", "capturerequired") else "failed"
    return replace(fate, challenge=asked, in_widget=True)


def authorized(fate: Fate) -> Fate:
    """The same fate for an AUTHORIZATION: what would complete waits for a capture instead (CONTRACT 11)."""
    return replace(fate, ending="capturerequired") if fate.ending == "completed" else fate


def _draw(seed: int, order_id: str) -> tuple[int, timedelta, bool]:
    """A share of a hundred, a time to the ending, and how an expiry reads."""
    digest = hashlib.sha256(f"{seed}\n{order_id}".encode()).digest()
    span = int((LATEST - EARLIEST).total_seconds())
    after = EARLIEST + timedelta(seconds=int.from_bytes(digest[4:10], "big") % span)
    return int.from_bytes(digest[:4], "big") % 100, after, digest[10] % 2 == 0


def outcome_word(name: str, *, expired: bool) -> str | None:
    """The word of an outcome file for a final status name, or None while nothing is final (CONTRACT 6.4)."""
    if expired:
        return "EXPIRED"
    return {"Completed": "COMPLETED", "Cancelled": "DECLINED"}.get(name)
