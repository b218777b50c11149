"""The ledger and the order system on a real PostgreSQL."""
