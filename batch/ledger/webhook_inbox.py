"""Webhooks that came in: kept whole before they are answered for, applied later by a run, each once (CONTRACT 12).

Who stores them holds no lease and touches no other table. A nonce is taken once; the database itself refuses a second use.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from batch.card_numbers import has_card_number
from batch.ledger.transaction import Ledger, Writing
from batch.pace import from_utc_text, utc_text
from schemas.errors import TransitionLost
from schemas.ledger_tables import webhook

_STORED = text("verdict = 'stored'")
"""As the index of what is to be applied has it, letter for letter."""

_NEW = insert(webhook)
_TAKEN = select(webhook.c.nonce).where(
    webhook.c.mid == bindparam("mid"), webhook.c.nonce.in_(bindparam("nonces", expanding=True))
)
_WAITING = (
    select(webhook.c.webhook_id, webhook.c.received_at, webhook.c.content)
    .where(webhook.c.mid == bindparam("mid"), _STORED)
    .order_by(webhook.c.received_at, webhook.c.webhook_id)
    .limit(bindparam("limit"))
)
_BACKLOG = select(func.count(), func.min(webhook.c.received_at)).where(webhook.c.mid == bindparam("mid"), _STORED)
_SETTLE = (
    update(webhook)
    .where(webhook.c.mid == bindparam("w_mid"), webhook.c.webhook_id == bindparam("w_webhook_id"), _STORED)
    .values({name: bindparam(f"v_{name}") for name in ("verdict", "reason", "evidence_id", "applied_at")})
)
_OLD = (
    select(webhook.c.webhook_id)
    .where(webhook.c.mid == bindparam("mid"), webhook.c.verdict != "stored", webhook.c.evidence_id.is_not(None))
    .where(webhook.c.received_at < bindparam("before"), webhook.c.sent_at < bindparam("before"))
    .order_by(webhook.c.received_at, webhook.c.webhook_id)
    .limit(bindparam("limit"))
)
_FORGET = delete(webhook).where(
    webhook.c.mid == bindparam("mid"), webhook.c.webhook_id.in_(bindparam("webhook_ids", expanding=True))
)
_NOTHING = update(webhook).where(webhook.c.mid == bindparam("w_mid"), text("1 = 0")).values(reason=webhook.c.reason)

MOST_RECEIVERS = 4
"""So many receivers may be told the same at the same moment; what yet another one is told has to be sent again."""

Settled = Literal["applied", "ignored", "set_aside"]
"""What a run made of a webhook: it followed it, had no use for it, or set it aside for a person."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A webhook whose signature is right, as it arrived: its nonce, its signed date, when it came, and its raw body."""

    nonce: str
    sent_at: datetime
    received_at: datetime
    content: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook that is kept and not applied yet; `received_at` is UTC text."""

    webhook_id: str
    received_at: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many webhooks wait to be applied, and when the oldest of them came (None when none waits)."""

    count: int
    oldest: datetime | None


def store_webhooks(ledger: Ledger, arrivals: Sequence[Arrival]) -> list[bool]:
    """Keep these webhooks in one synchronised transaction; for each whether it is new, or its nonce was taken before.

    Only when this has returned may any of them be answered for: whoever dies before has kept none or all of them, and
    the provider sends again what was not answered. Raises LedgerBusy, and then nothing was kept, or nobody knows.
    """
    for _ in range(MOST_RECEIVERS - 1):
        with suppress(TransitionLost):  # another receiver has taken one of the nonces since it was looked for; now it is seen
            return _store(ledger, arrivals)
    return _store(ledger, arrivals)


def _store(ledger: Ledger, arrivals: Sequence[Arrival]) -> list[bool]:
    with ledger.unguarded() as connection:
        nonces = [_kept(arrival.nonce) for arrival in arrivals]
        taken = set(connection.execute(_TAKEN, {"mid": ledger.mid, "nonces": nonces}).scalars())
        verdicts, fresh = [], []
        for arrival, nonce in zip(arrivals, nonces, strict=True):
            verdicts.append(nonce not in taken)
            if verdicts[-1]:
                taken.add(nonce)
                fresh.append(_row(ledger.mid, arrival))
        if fresh:
            connection.execute(_NEW, fresh)
    return verdicts


def _kept(nonce: str) -> str:
    """A nonce as it is kept, only to be met again: one that may be a card number as a digest."""
    return hashlib.sha256(nonce.encode()).hexdigest() if has_card_number(nonce) else nonce


def _row(mid: str, arrival: Arrival) -> dict[str, object]:
    return {
        "mid": mid,
        "webhook_id": hashlib.sha256(arrival.nonce.encode()).hexdigest()[:32],
        "nonce": _kept(arrival.nonce),
        "sent_at": utc_text(arrival.sent_at),
        "received_at": utc_text(arrival.received_at),
        "content_hash": hashlib.sha256(arrival.content).hexdigest(),
        "content": arrival.content,
        "verdict": "stored",
        "reason": "",
    }


def check_writable(ledger: Ledger) -> None:
    """Take the ledger's lock for writing and change nothing. Raises LedgerBusy when a webhook could not be kept now."""
    with ledger.unguarded() as connection:
        connection.execute(_NOTHING, {"w_mid": ledger.mid})


def waiting_webhooks(connection: Connection, mid: str, *, limit: int) -> list[Waiting]:
    """What is kept and not applied yet, in the order in which it came."""
    return [Waiting(*row) for row in connection.execute(_WAITING, {"mid": mid, "limit": limit})]


def backlog(connection: Connection, mid: str) -> Backlog:
    """How much waits to be applied, and since when."""
    count, oldest = connection.execute(_BACKLOG, {"mid": mid}).one()
    return Backlog(count, from_utc_text(oldest) if oldest else None)


def settle_webhook(writing: Writing, waiting: Waiting, verdict: Settled, *, reason: str = "", evidence_id: str = "") -> None:
    """Write down what came of a webhook, in the very transaction that does what follows from it.

    Raises TransitionLost when it was settled before: then nothing follows from it a second time.
    """
    values = {"verdict": verdict, "reason": reason, "evidence_id": evidence_id or None, "applied_at": writing.now}
    one = {"w_mid": writing.mid, "w_webhook_id": waiting.webhook_id}
    settled = writing.connection.execute(_SETTLE, {**one, **{f"v_{name}": value for name, value in values.items()}})
    if settled.rowcount != 1:
        raise TransitionLost(f"Webhook {waiting.webhook_id} was settled before.")


def has_old_webhooks(connection: Connection, mid: str, *, before: str) -> bool:
    """Whether `forget_webhooks` would delete anything."""
    return connection.execute(_OLD, {"mid": mid, "before": before, "limit": 1}).first() is not None


def forget_webhooks(writing: Writing, *, before: str, limit: int) -> int:
    """Delete webhooks that were settled, came and were signed before that moment (UTC text), the oldest first. Returns how many.

    What was not applied stays however old it is, and so does the evidence of every one: an order's story, the items and
    the events cite that.
    """
    old = list(writing.connection.execute(_OLD, {"mid": writing.mid, "before": before, "limit": limit}).scalars())
    writing.connection.execute(_FORGET, {"mid": writing.mid, "webhook_ids": old})
    return len(old)
