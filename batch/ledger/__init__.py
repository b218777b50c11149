"""The ledger: what was claimed, sent, answered and written back. It is the only writer of an order's state."""

from batch.ledger.records import Batch, Owner, Run, Submission, Transmission
from batch.ledger.transaction import Ledger, Writing

__all__ = ["Batch", "Ledger", "Owner", "Run", "Submission", "Transmission", "Writing"]
