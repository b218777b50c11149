"""What the flows ask the provider's API for, and what comes back: nothing here asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from batch.responses import OrderRead


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one order: the raw words, and the order if they could be read; `problem` says why not.

    `is_unreachable` says that nothing came back at all, or that the server failed; `is_absent` that the provider does
    not know the order, which proves nothing; `is_forbidden` that we may not ask; `is_double` that it has the order twice.
    `source` is what a move that follows from it cites: `poll`, or `outcome` for the older call.
    """

    asked_for: str
    content: bytes
    read: OrderRead | None
    problem: str = ""
    is_unreachable: bool = False
    is_absent: bool = False
    is_forbidden: bool = False
    is_double: bool = False
    source: str = "poll"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for a request that is made once: HTTP status and body; or status 0, and `problem` says what came instead."""

    status: int
    content: bytes
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ListedOrders:
    """One page of a listing: its orders, and whether another may follow; `problem` says why it could not be had.

    `is_unreadable` says that a page came and cannot be read: the next one may be better.
    """

    orders: tuple[OrderRead, ...]
    has_next: bool
    problem: str = ""
    is_unreadable: bool = False


class ProviderReads(Protocol):
    """What the flows need of the provider's API."""

    def fresh_token(self) -> str:
        """A token minted just now, to be put into a batch file."""
        ...

    def read_orders(self, provider_order_ids: Sequence[str]) -> Iterator[Answer]:
        """Ask for each of these orders."""
        ...

    def find_order(self, order_id: str) -> Answer:
        """Look for an order by our own id."""
        ...

    def find_orders(self, order_ids: Sequence[str]) -> Iterator[Answer]:
        """Look for each of these orders by our own id."""
        ...

    def list_orders(self, codes: Sequence[int], placed_from: str, page: int) -> ListedOrders:
        """One page of the orders that have one of these status codes, oldest first."""
        ...

    def ask_once(self, path: str, content: bytes) -> Reply:
        """Send a request that may have an effect, once."""
        ...
