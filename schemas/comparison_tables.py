"""The ledger's tables of comparisons: what `mitbatch reconcile` found, and what it lays down while it is at work."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from schemas.ledger_base import metadata

comparison = Table(
    "comparison",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("comparison_id", String(36), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("compared_at", String(20), nullable=False),
    Column("is_whole", Integer, nullable=False),
    Column("is_settled", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("rows_digest", String(64), nullable=False),
    Column("step", String(16), nullable=False),
    Column("event_seq", Integer, nullable=False),
    Column("event_hash", String(64), nullable=False),
    Column("event_date", String(10), nullable=False),
    PrimaryKeyConstraint("mid", "comparison_id"),
)
"""One comparison that came to its end; the id is its run's. `is_whole`: the provider's list was had to its end.

`is_settled`: a settlement was given. Its event (chain `comparison:<id>`) says the same, and the digest over its rows.
"""

Index("comparison_by_date", comparison.c.mid, comparison.c.business_date)

comparison_row = Table(
    "comparison_row",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("comparison_id", String(36), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("currency", String(16), nullable=False),
    Column("amount_minor", BigInteger),
    Column("match", String(24), nullable=False),
    Column("ledger_state", String(20), nullable=False),
    Column("ledger_minor", BigInteger),
    Column("provider_status", String(64), nullable=False),
    Column("provider_minor", BigInteger),
    Column("orders_status", Text, nullable=False),
    Column("orders_minor", BigInteger),
    Column("file_minor", BigInteger),
    Column("difference_minor", BigInteger),
    Column("explanation", Text, nullable=False),
    Column("first_seen_date", String(10), nullable=False),
    Column("is_settlement", Integer, nullable=False),
    PrimaryKeyConstraint("mid", "comparison_id", "number"),
)
"""One order in a comparison: one that differs, or any active one where all were asked for. It never changes.

`is_settlement`: the row is about the provider's settlement; every other compares ledger, orders, files and the provider's list.
"""

Index("comparison_row_by_order", comparison_row.c.mid, comparison_row.c.comparison_id, comparison_row.c.order_id)

listed_order = Table(
    "listed_order",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("provider_order_id", String(128), nullable=False),
    Column("order_id", Text, nullable=False),
    Column("code", BigInteger),
    Column("status", String(64), nullable=False),
    Column("amount_minor", BigInteger),
    Column("currency", String(16), nullable=False),
    Column("refunded_minor", BigInteger),
    PrimaryKeyConstraint("mid", "number"),
)
"""What the provider's list shows while a comparison is at work, so that memory does not grow with it; emptied at its end."""

Index("listed_by_provider_order", listed_order.c.mid, listed_order.c.provider_order_id)
Index("listed_by_order", listed_order.c.mid, listed_order.c.order_id)

settled_line = Table(
    "settled_line",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("mid", "number"),
)
"""The lines of a settlement while a comparison is at work, each by our order id; emptied at its end."""

Index("settled_by_order", settled_line.c.mid, settled_line.c.order_id)
