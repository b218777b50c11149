"""The business date that an item's end is booked on, which the merchant's clock cannot tell when a run goes on past midnight."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add one column, empty for items that ended before."""
    op.add_column("item", sa.Column("closed_date", sa.String(length=10)))
