"""The ledger on a real SQLite file: its states, promises, chains, leases and migrations."""
