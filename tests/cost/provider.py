"""A provider in this process that counts what it is asked: tokens, listings, single orders."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

NAMES = {0: "Draft", 1: "Onhold", 2: "Cancelled", 4: "Processing", 7: "Completed"}


@dataclass
class Kept:
    """One order as the provider has it."""

    key: str
    order_id: str
    code: int = 4

    def shown(self) -> dict[str, object]:
        """The order as a listing and a single read show it."""
        amount = {"amount": 1999, "currencyCode": "USD"}
        return {"id": self.key, "externalOrderId": self.order_id, "status": self.code, "statusName": NAMES[self.code], **amount}


def answer(document: object, status: int = 200) -> httpx.Response:
    """An answer that is read as a stream, as from a socket."""
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(document).encode()))


@dataclass
class CountingProvider(httpx.AsyncBaseTransport):
    """Answers from `orders`, oldest first. `spoil` may change a page before it leaves, `meanwhile` what happens after it."""

    orders: list[Kept]
    calls: Counter[str] = field(default_factory=Counter)
    spoil: Callable[[int, dict[str, Any]], Any] = lambda _number, document: document
    meanwhile: Callable[[int], None] = lambda _number: None
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Know each order by its key."""
        self._by_key = {order.key: order for order in self.orders}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        path = request.url.path.removeprefix("/v1/")
        if path == "oauth2/token":
            self.calls["token"] += 1
            return answer({"accessToken": "a.b.c", "expires": 4_000_000_000_000})
        if path == "orders":
            self.calls["listing"] += 1
            return self._page(request.url.params)
        self.calls["read"] += 1
        key = path.removeprefix("orders/")
        self.asked.append(self._by_key[key].order_id)
        return answer(self._by_key[key].shown())

    def _page(self, query: httpx.QueryParams) -> httpx.Response:
        wanted = {int(code) for code in query.get_list("status")}
        number, size = int(query["pageNumber"]), min(500, int(query["pageSize"]))
        found = [order for order in self.orders if order.code in wanted]
        rows = found[(number - 1) * size : number * size]
        document = {"orders": [order.shown() for order in rows], "hasNextPage": number * size < len(found)}
        spoilt = self.spoil(number, document)
        self.meanwhile(number)
        return spoilt if isinstance(spoilt, httpx.Response) else answer(spoilt)
