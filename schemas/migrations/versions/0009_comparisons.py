"""What `mitbatch reconcile` found, row by row, so that finance's file of it can be made again; and its place of work."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add four tables with their indexes."""
    op.create_table(
        "comparison",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("comparison_id", sa.String(length=36), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("compared_at", sa.String(length=20), nullable=False),
        sa.Column("is_whole", sa.Integer(), nullable=False),
        sa.Column("is_settled", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("rows_digest", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("event_hash", sa.String(length=64), nullable=False),
        sa.Column("event_date", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("mid", "comparison_id"),
    )
    op.create_index("comparison_by_date", "comparison", ["mid", "business_date"])
    op.create_table(
        "comparison_row",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("comparison_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("match", sa.String(length=24), nullable=False),
        sa.Column("ledger_state", sa.String(length=20), nullable=False),
        sa.Column("ledger_minor", sa.BigInteger()),
        sa.Column("provider_status", sa.String(length=64), nullable=False),
        sa.Column("provider_minor", sa.BigInteger()),
        sa.Column("orders_status", sa.Text(), nullable=False),
        sa.Column("orders_minor", sa.BigInteger()),
        sa.Column("file_minor", sa.BigInteger()),
        sa.Column("difference_minor", sa.BigInteger()),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("first_seen_date", sa.String(length=10), nullable=False),
        sa.Column("is_settlement", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "comparison_id", "number"),
    )
    op.create_index("comparison_row_by_order", "comparison_row", ["mid", "comparison_id", "order_id"])
    op.create_table(
        "listed_order",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("provider_order_id", sa.String(length=128), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("code", sa.BigInteger()),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(length=16), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger()),
        sa.PrimaryKeyConstraint("mid", "number"),
    )
    op.create_index("listed_by_order", "listed_order", ["mid", "order_id"])
    op.create_index("listed_by_provider_order", "listed_order", ["mid", "provider_order_id"])
    op.create_table(
        "settled_line",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "number"),
    )
    op.create_index("settled_by_order", "settled_line", ["mid", "order_id"])
