"""Which evidence names which order, so that an order's story can be told whole."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add one table with its index."""
    op.create_table(
        "mention",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("mid", "order_id", "evidence_id"),
    )
    op.create_index("mention_by_evidence", "mention", ["mid", "evidence_id"])
