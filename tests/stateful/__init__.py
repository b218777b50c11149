"""The ledger beside a model of a few lines: random steps by runs that hold the lease, lost it or were overtaken."""
