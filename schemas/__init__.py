"""What everything looks like: orders, states, reasons, settings, errors, ledger tables, wire contract, audit columns."""
