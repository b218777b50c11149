"""The provider's API without a network: requests go from httpx straight to the sandbox's own endpoints."""

import re
from collections.abc import AsyncIterator, Callable

import httpx

from jobs.sandbox import Sandbox
from jobs.sandbox.http_api import ROUTES, Asked, answer
from tests.world.points import Points

_PATTERNS = [
    (name, method, re.compile(re.sub(r"\{key(:path)?\}", lambda found: "(.+)" if found[1] else "([^/]+)", path) + r"\Z"))
    for name, path, method in ROUTES
]


class _Stream(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            yield piece


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Requests(httpx.AsyncBaseTransport):
    """A transport of httpx's. `trouble` is asked at each request for an error that the network makes, before and after."""

    def __init__(self, sandbox: Sandbox, points: Points, trouble: Callable[[str, str], Exception | None]) -> None:
        self._sandbox, self._points, self._trouble = sandbox, points, trouble

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back."""
        path = request.url.path
        name, key = next(
            (name, found.group(1) if found.groups() else "")
            for name, method, pattern in _PATTERNS
            if method == request.method and (found := pattern.match(path))
        )
        self._points.cross(f"HTTP {name}", "before")
        if error := self._trouble(name, "before"):
            raise error
        asked = Asked(
            route=name,
            method=request.method,
            path=path,
            query=request.url.query.decode(),
            order_key=key,
            authorization=request.headers.get("authorization"),
            content_type=request.headers.get("content-type", ""),
            body=await request.aread(),
        )
        given, reset = await answer(self._sandbox._office(), asked)
        self._points.cross(f"HTTP {name}", "after")
        if reset:
            raise httpx.ReadError("the connection was reset")
        if error := self._trouble(name, "after"):
            raise error
        pieces = given.stream() if given.stream is not None else _whole(given.body)
        return httpx.Response(given.status, headers=given.headers, stream=_Stream(pieces))
