"""An index from which totals by state are read alone: `status` stays fast however many orders the ledger has."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the index."""
    op.create_index("submission_by_total", "submission", ["mid", "state", "currency", "amount_minor"])
