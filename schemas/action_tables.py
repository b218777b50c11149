"""The ledger's tables of what comes in by itself and what people ask for: webhooks, and cancels, captures and refunds."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, String, Table, Text, UniqueConstraint, text

from schemas.ledger_base import metadata, partial_index

webhook = Table(
    "webhook",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("webhook_id", String(32), nullable=False),
    Column("nonce", String(128), nullable=False),
    Column("sent_at", String(20), nullable=False),
    Column("received_at", String(20), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence_id", String(32)),
    Column("applied_at", String(20)),
    PrimaryKeyConstraint("mid", "webhook_id"),
    UniqueConstraint("mid", "nonce", name="one_use_of_a_nonce"),
)
"""Webhooks whose signature was right, raw, as they arrived (CONTRACT 12). `verdict` is stored until a run has applied it.

A nonce is taken once: the database refuses a replay. `sent_at` is the signed date, UTC text. A row that was applied is
deleted when `retention.webhook_days` are over; what the webhook said stays as evidence.
"""

_STORED = text("verdict = 'stored'")
partial_index(
    "webhook_to_apply",
    webhook.c.mid,
    webhook.c.received_at,
    where=_STORED,
)
Index("webhook_by_arrival", webhook.c.mid, webhook.c.received_at)

operation = Table(
    "operation",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("operation_id", String(36), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("order_id", Text, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", String(20), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("step", String(16), nullable=False),
    Column("idempotency_key", String(36), nullable=False),
    Column("refunded_before_minor", BigInteger),
    Column("transaction_id", String(128)),
    Column("answer", Text),
    Column("evidence_id", String(32)),
    Column("settled_at", String(20)),
    Column("event_seq", BigInteger, nullable=False),
    Column("event_hash", String(64), nullable=False),
    Column("event_date", String(10), nullable=False),
    PrimaryKeyConstraint("mid", "operation_id"),
    UniqueConstraint("mid", "kind", "request_id", name="one_operation_per_request"),
)
"""One cancel, capture or refund of one order, recorded before it is asked for (CONTRACT 9, 10, 11). Amounts are minor units.

`step` is claimed, sending, in_doubt, done or refused; `refunded_before_minor` what the provider showed as refunded before
a refund was asked for, so that a lost answer is settled by reading. Its events are the chain `operation:<id>`.
"""

_UNSETTLED = text("step IN ('claimed', 'sending', 'in_doubt')")
partial_index(
    "one_unsettled_operation",
    operation.c.mid,
    operation.c.order_id,
    operation.c.kind,
    unique=True,
    where=_UNSETTLED,
)
Index("operation_by_date", operation.c.mid, operation.c.business_date)
Index("operation_by_order", operation.c.mid, operation.c.order_id)

mention = Table(
    "mention",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("order_id", Text, nullable=False),
    Column("evidence_id", String(32), nullable=False),
    PrimaryKeyConstraint("mid", "order_id", "evidence_id"),
)
"""Which evidence names which order of ours: a row of an outcomes file, or a webhook."""

Index("mention_by_evidence", mention.c.mid, mention.c.evidence_id, mention.c.order_id)

early_news = Table(
    "early_news",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("provider_order_id", Text, nullable=False),
    Column("evidence_id", String(32), nullable=False),
    PrimaryKeyConstraint("mid", "provider_order_id", "evidence_id"),
)
"""Which evidence names an id of the provider's that we did not know when it was read: it is applied again once we do.

Where it names an order of ours as well, it stands there once more under a digest of our id: any id that is learnt of it decides.
"""

Index("early_news_by_evidence", early_news.c.mid, early_news.c.evidence_id, early_news.c.provider_order_id)
