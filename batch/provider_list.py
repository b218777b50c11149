"""The provider's whole list of orders, laid down in the ledger page by page, so that books are compared in bounded memory.

All statuses are asked for, since an order that was charged back or has expired may bear a code that nobody has published.
Pages may repeat, skip, lie about the next one, or never end: what a page left out is asked about singly where it matters,
and a list that did not come to its end proves nothing about what it does not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from batch.card_numbers import has_card_number
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Run
from batch.ledger.comparisons import lay_down_listed
from batch.order_rows import is_storable
from batch.provider_reads import ListedOrders
from batch.responses import OrderRead
from schemas.errors import ApiLoginRefused, ApiUnreachable

_MOST_TIMES, _SPARE_PAGES, _SAME_PAGES = 10, 100, 3
"""A list may be ten times as long as our own orders would make it (others may send for this account as well), and some."""


@dataclass(frozen=True, slots=True)
class ProviderList:
    """How the list was had: `is_had` at all, `is_whole` to its end without a page that could not be read."""

    is_had: bool
    is_whole: bool
    orders: int = 0


def lay_down_list(equipment: Equipment, run: Run, findings: Findings, *, placed_from: str, expected: int) -> ProviderList:
    """Fetch the list of all orders placed since a moment (UTC text). What kept it from coming is a finding, and no more.

    Each page is a transaction of its own, so that a nightly that waits gets its turn after the page in hand.
    """
    if equipment.settings.outcomes.ask != "orders":
        return ProviderList(is_had=False, is_whole=False)
    equipment.progress.stage("listing")
    number, laid, gaps, same = equipment.profile.orders.first_page, 0, 0, 0
    most, before = 0, list[str]()
    while True:
        page = _page(equipment, findings, placed_from, number)
        if page is None:
            return ProviderList(is_had=laid > 0, is_whole=False, orders=laid)
        gaps += page.is_unreadable
        shown = [order.provider_order_id for order in page.orders]
        with equipment.ledger.writing(run) as writing:
            lay_down_listed(writing, _rows(page.orders, laid))
        laid += len(shown)
        most = most or _MOST_TIMES * -(-expected // max(1, len(shown))) + _SPARE_PAGES
        same = same + 1 if page.is_unreadable or (shown and shown == before) else 0
        number, before = number + 1, shown
        equipment.progress.advance(len(shown))
        if not page.has_next:
            return ProviderList(is_had=True, is_whole=not gaps, orders=laid)
        if same >= _SAME_PAGES or number - equipment.profile.orders.first_page >= most:
            findings.add(ApiUnreachable(f"The provider's list of orders does not end; {number - 1:,} pages were read."))
            return ProviderList(is_had=True, is_whole=False, orders=laid)


def _page(equipment: Equipment, findings: Findings, placed_from: str, number: int) -> ListedOrders | None:
    """One page, asked for once more when it does not come or cannot be read; None where it cannot be had."""
    try:
        page = equipment.api.list_orders((), placed_from, number)
        if page.problem:
            page = equipment.api.list_orders((), placed_from, number)
    except (ApiLoginRefused, ApiUnreachable) as problem:
        findings.add(problem)
        return None
    if page.problem and not page.is_unreadable:
        findings.add(ApiUnreachable(f"The provider's list of orders could not be had: {page.problem.rstrip('.')}."))
        return None
    return page


def _rows(orders: Sequence[OrderRead], laid: int) -> list[dict[str, Any]]:
    return [
        {
            "number": laid + place,
            "provider_order_id": order.provider_order_id,
            "order_id": _kept(order.external_id),
            "code": order.code,
            "status": order.status,
            "amount_minor": order.amount_minor,
            "currency": order.currency[:16] if is_storable(order.currency) else "?",
            "refunded_minor": order.refunded_minor,
        }
        for place, order in enumerate(orders)
    ]


def _kept(order_id: str) -> str:
    """An order id as the list names it, where it may be kept: only what no database refuses, and no card number."""
    return order_id if is_storable(order_id) and not has_card_number(order_id) else ""
