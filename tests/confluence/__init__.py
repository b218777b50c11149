"""Confluence: whatever order the provider's messages arrive in, and however often, the ledger ends in one state (I7, I8)."""
