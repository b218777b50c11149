"""Counts by business date, kept for metrics and the dashboard; they begin with the first run of this version."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add one table."""
    op.create_table(
        "figure",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "business_date", "name", "labels"),
    )
