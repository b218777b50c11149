"""Metrics: what `/metrics` shows and the textfile holds, read from the ledger."""
