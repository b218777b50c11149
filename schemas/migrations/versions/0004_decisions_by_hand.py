"""Who closed an item by hand, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add two columns that may be empty."""
    op.add_column("item", sa.Column("closed_by", sa.Text(), nullable=True))
    op.add_column("item", sa.Column("resolution_reason", sa.Text(), nullable=True))
