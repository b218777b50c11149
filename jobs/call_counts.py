"""Counting the calls of the provider's API: by operation and what came back, never by order."""

import httpx

from batch.day_counts import Figures, labelled, observe
from batch.equipment import Clock
from schemas.metrics import CALL_BUCKETS_MS

_ACTIONS = frozenset({"cancel", "external-cancel", "capture", "refund"})
_POSTS = frozenset({"tokenize", "evaluate", "transmit", "outcome", "capture"})


class CountedTransport(httpx.AsyncBaseTransport):
    """A transport that counts in `figures` what goes over the one that it is given."""

    def __init__(self, inner: httpx.AsyncBaseTransport, clock: Clock, figures: Figures, *, base_path: str) -> None:
        self._inner, self._clock, self._figures, self._base_path = inner, clock, figures, base_path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back; the time runs until the answer begins."""
        began, code = self._clock.monotonic(), "error"
        operation = operation_of(request.method, request.url.path.removeprefix(self._base_path))
        try:
            response = await self._inner.handle_async_request(request)
            code = f"{response.status_code // 100}xx"
            return response
        except httpx.TimeoutException:
            code = "timeout"
            raise
        finally:
            took = round(1000 * (self._clock.monotonic() - began))
            self._figures["mitbatch_api_requests", labelled(operation, code)] += 1
            observe(self._figures, "mitbatch_api_request_duration_seconds", (operation,), CALL_BUCKETS_MS, took)

    async def aclose(self) -> None:
        """Close the one below."""
        await self._inner.aclose()


def operation_of(method: str, path: str) -> str:
    """What a request asks for, in one of a few words."""
    first, *rest = path.strip("/").split("/")
    if first == "orders":
        if rest and method == "POST":
            return rest[-1] if rest[-1] in _ACTIONS else "other"
        return ("read" if rest else "list") if method == "GET" else "other"
    if method == "POST" and [first, *rest] == ["oauth2", "token"]:
        return "token"
    return first if method == "POST" and first in _POSTS and not rest else "other"
