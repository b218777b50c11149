"""Going live: production's settings beside the sandbox's, what is not shown yet, and the lock of production's ledger."""
