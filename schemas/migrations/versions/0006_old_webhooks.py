"""Finding webhooks by their age, so that those that were applied long ago can be deleted."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add one index."""
    op.create_index("webhook_by_arrival", "webhook", ["mid", "received_at"])
