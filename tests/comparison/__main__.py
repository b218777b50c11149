"""Compare the books of many orders, `python -m tests.comparison [ORDERS]`, by default 100,000, and print time and memory.

Every 5,000th order is lost at the provider and every 3,000th changed by the merchant; 7 more are unknown to the ledger.
"""

import sys

from tests.comparison.measuring import measured


def main(orders: int) -> None:
    """One comparison of a tenth of the orders, and one of all."""
    for count in (orders // 10, orders):
        found = measured(count, lost=5000, changed=3000, more=7)
        matches = ", ".join(f"{match} {number:,}" for match, number in sorted(found.matches.items()))
        per_second = found.orders / found.seconds
        sys.stdout.write(
            f"{found.orders:,} orders: {found.equal:,} equal, {matches}; {found.seconds:.1f} s ({per_second:,.0f} a second),"
            f" {found.peak_kib / 1024:.1f} MiB above rest\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
