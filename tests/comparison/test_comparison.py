"""Many orders are compared in memory that does not grow with them, and each that differs is found among them."""

import sys

import pytest

from tests.comparison.measuring import measured

MOST_GROWTH_KIB = 12 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read where Linux shows it")
def test_memory_does_not_grow_with_the_orders() -> None:
    """Eight times as many orders take hardly more memory, and what differs is found to the last order."""
    few, many = (measured(count, lost=1000, changed=700, more=3) for count in (3000, 24_000))

    assert (few.orders, few.equal) == (3000, 3000 - 3 - 5)
    assert many.matches == {"missing_at_provider": 24, "amount_differs": 35, "missing_in_ledger": 3}
    assert many.equal == many.orders - 24 - 35
    assert many.peak_kib - few.peak_kib < MOST_GROWTH_KIB
