"""Print what one poll costs: `python -m tests.cost [ORDERS] [CHANGED]`, by default 100,000 pending orders of which 1,000 changed.

Calls are counted where they arrive; `without` reads every due order singly.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.cost.merchant import merchant, provider_of


def main(orders: int, changed: int) -> None:
    """One poll with the listing and one without, over the same orders."""
    for name, listing_from in (("with the listing", 1), ("without", orders + 1)):
        provider = provider_of(orders)
        for kept in provider.orders[:: orders // changed]:
            kept.code = 7
        with tempfile.TemporaryDirectory() as folder, merchant(Path(folder), provider, listing_from=listing_from) as made:
            began = time.monotonic()
            made.poll()
            seconds, states = time.monotonic() - began, made.states()
        calls = ", ".join(f"{count:,} {kind}" for kind, count in sorted(provider.calls.items()))
        total = provider.calls.total()
        sys.stdout.write(f"{name}: {total:,} calls ({calls}), {len(states):,} of {orders:,} ended, {seconds:.1f} s\n")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given or [100_000, 1_000]))
