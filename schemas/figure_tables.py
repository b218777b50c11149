"""The ledger's table of figures: what is counted once, at a run's end, so that nobody counts it again to look at it."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, Table, Text, text

from schemas.ledger_base import metadata

figure = Table(
    "figure",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("name", String(80), nullable=False),
    Column("labels", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    PrimaryKeyConstraint("mid", "business_date", "name", "labels"),
)
"""A count by business date, name and labels (a JSON list of texts); the empty date holds the sum over all dates.

Orders, files and money are counted from the events of their date, calls and webhooks as they are made. Nothing here is
looked at to decide anything, and finance's files do not rest on it.
"""

TOTAL = ""
"""The business date of the sum over all dates."""

STANDING = text("state IN ('capture_required', 'claimed', 'held', 'in_doubt', 'pending', 'review', 'sending')")
"""The open states, letter for letter as the index of open orders has them; a query that says the same reads that alone."""

STANDING_COLUMNS = ("mid", "site", "currency", "state", "handed_over_date", "expires_at", "amount_minor", "claimed_at")
"""Everything that is counted of open orders, in the order of that index."""
