"""An index of the open orders with everything that metrics and the dashboard count of them, so that no order's row is read."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add one index."""
    is_open = sa.text("state IN ('capture_required', 'claimed', 'held', 'in_doubt', 'pending', 'review', 'sending')")
    op.create_index(
        "submission_standing",
        "submission",
        ["mid", "site", "currency", "state", "handed_over_date", "expires_at", "amount_minor", "claimed_at"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
