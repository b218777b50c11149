"""How a ledger of an older version becomes one of this version; numbered steps, run by Alembic in one transaction."""

HEAD = "0013"
"""The version that this program reads and writes. A ledger with a later one is refused."""
