"""The provider's API without a network: requests go from httpx straight to the sandbox's own endpoints."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import httpx

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from jobs.sandbox.http_api import ROUTES, Asked, answer
from tests.world.points import Points

Given = TypeVar("Given")

DEADLINE = timedelta(seconds=30)
"""So long the program waits for an answer of the API."""

_PATTERNS = [
    (name, method, re.compile(re.sub(r"\{key(:path)?\}", lambda found: "(.+)" if found[1] else "([^/]+)", path) + r"\Z"))
    for name, path, method in ROUTES
]


_TRACE = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-01")


class _Stream(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            yield piece


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Requests(httpx.AsyncBaseTransport):
    """A transport of httpx's. `trouble` is asked at each request for an error that the network makes, before and after.

    A provider that is silent lets the request's deadline pass on `clock`, and on no other.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        points: Points,
        trouble: Callable[[str, str], Exception | None],
        clock: MovableClock,
    ) -> None:
        self._sandbox, self._points, self._trouble, self._clock = sandbox, points, trouble, clock

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
        if name == "evaluate":
            self._points.witness.calls(asked.body)
        given, reset = self._answered(answer(self._sandbox._office(), asked))
        if name == "evaluate":
            self._points.witness.answered(0 if reset else given.status)
        self._points.cross(f"HTTP {name}", "after")
        if reset:
            raise httpx.ReadError("the connection was reset")
        if error := self._trouble(name, "after"):
            if name == "evaluate":
                self._points.witness.answered(0)
            raise error
        body = _TRACE.sub(self._trace_of(asked), given.body)
        pieces = given.stream() if given.stream is not None else _whole(body)
        return httpx.Response(given.status, headers=given.headers, stream=_Stream(pieces))

    def _trace_of(self, asked: Asked) -> bytes:
        """The trace id that a refusal bears: the sandbox's is another each time, and here the seed decides everything."""
        about = f"{len(self._points.labels)}\n{asked.path}\n{self._clock.now()}".encode()
        digest = hashlib.sha256(about + asked.body).hexdigest()
        return f"00-{digest[:32]}-{digest[32:48]}-01".encode()

    def _answered(self, work: Coroutine[Any, Any, Given]) -> Given:
        """What the provider answers at once. Who waits for time to pass gives none before the deadline."""
        try:
            work.send(None)
        except StopIteration as ended:
            answered: Given = ended.value
            return answered
        work.close()
        self._clock.advance(DEADLINE)
        raise httpx.ReadTimeout("no answer before the deadline")
