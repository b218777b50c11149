"""Webhooks as they came in; cancels, captures and refunds as they were asked for; in which mode an order was handed over."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add two tables with their indexes, and one column that may be empty."""
    stored = sa.text("verdict = 'stored'")
    unsettled = sa.text("step IN ('claimed', 'sending', 'in_doubt')")
    op.add_column("submission", sa.Column("mit_mode", sa.String(length=8), nullable=True))
    op.create_table(
        "webhook",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=128), nullable=False),
        sa.Column("sent_at", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.String(length=20), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.String(length=32), nullable=True),
        sa.Column("applied_at", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("mid", "webhook_id"),
        sa.UniqueConstraint("mid", "nonce", name="one_use_of_a_nonce"),
    )
    op.create_index("webhook_to_apply", "webhook", ["mid", "received_at"], sqlite_where=stored, postgresql_where=stored)
    op.create_table(
        "operation",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("operation_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(length=20), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("idempotency_key", sa.String(length=36), nullable=False),
        sa.Column("refunded_before_minor", sa.BigInteger(), nullable=True),
        sa.Column("transaction_id", sa.String(length=128), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("evidence_id", sa.String(length=32), nullable=True),
        sa.Column("settled_at", sa.String(length=20), nullable=True),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("event_hash", sa.String(length=64), nullable=False),
        sa.Column("event_date", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("mid", "operation_id"),
        sa.UniqueConstraint("mid", "kind", "request_id", name="one_operation_per_request"),
    )
    op.create_index(
        "one_unsettled_operation",
        "operation",
        ["mid", "order_id", "kind"],
        unique=True,
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )
    op.create_index("operation_by_date", "operation", ["mid", "business_date"])
    op.create_index("operation_by_order", "operation", ["mid", "order_id"])
