"""Many orders are compared in memory that does not grow with them, and each that differs is found among them."""

import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from batch.comparing import reconcile
from batch.findings import Findings
from batch.ledger.items import open_items
from tests.comparison.books import ListingProvider, books
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


@dataclass
class Refusing(ListingProvider):
    """Refuses our credentials wherever a call begins so, and has lost the second of three orders."""

    refused: str = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one call, or refuse it."""
        if request.url.path.removeprefix("/v1/").startswith(self.refused):
            return httpx.Response(401, stream=httpx.ByteStream(b"{}"))
        return await super().handle_async_request(request)


@pytest.mark.parametrize(
    ("refused", "found", "matches"), [("orders", ["MB-API-LOGIN"], {}), ("orders/", [], {"missing_at_provider": 1})]
)
def test_refused_credentials_prove_nothing(refused: str, found: list[str], matches: dict[str, int], tmp_path: Path) -> None:
    """Where the list is refused it is told and the rest compared; where one read is, the order is not taken for lost (I12)."""
    findings = Findings()
    with books(tmp_path, Refusing(3, lost=3, refused=refused)) as made:
        compared = reconcile(made.equipment, made.run, findings)
        with made.equipment.ledger.reading() as connection:
            assert open_items(connection, made.equipment.ledger.mid) == []
    assert [problem.code for problem in findings.problems] == found
    assert {match.value: total.orders for (match, _), total in compared.matches.items()} == matches
    assert compared.equal == 3 - len(matches)
