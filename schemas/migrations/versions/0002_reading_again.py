"""When a file was last read and what the listing said of it, and news of orders whose id at the provider came later."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add two columns that may be empty, and one table."""
    op.add_column("remote_file", sa.Column("modified", sa.BigInteger(), nullable=True))
    op.add_column("remote_file", sa.Column("read_at", sa.String(length=20), nullable=True))
    op.create_table(
        "early_news",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("provider_order_id", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("mid", "provider_order_id", "evidence_id"),
    )
