"""How a copy stood when its day ended, so that finance's file of that day stays as it was."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add one column, empty for copies that were not changed after their day."""
    op.add_column("transmission", sa.Column("day_end", sa.Text()))
