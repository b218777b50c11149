"""Calls as evidence: what was asked and answered, of each only the fields that are named here.

An allow-list, so that what nobody thought of is left out: no bearer, key, card number, token, name or address is ever kept.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from batch.card_numbers import has_card_number
from batch.equipment import Clock
from schemas.certification import Exchange

MOST_KEPT_BYTES = 256 * 1024
MOST_TEXT = 160
_ASKED = frozenset(
    """
    orderid idempotencykey isdeclined ismit isrecurring ordersource siteid siteurl mid expirydateutc transaction amount currency
    responsecode timestamputc subscription subscriptionid amounttorefund ordersessionkey
    """.split()
)
"""Properties of a request that are kept, in lower case; everything else is left out."""

_ANSWERED = frozenset(
    """
    success result status statuscode statusname errors item1 item2 item3 item4 ordersessionkey orderid transmitid
    externalorderid referencenumber amount amountrefunded currencycode responsecode expirydate orderplaceddate transaction
    succeeded payment_method last_four_digits orders totalitemcount capturestatus expires traceid title
    """.split()
)
"""Properties of an answer that are kept."""


class Recording:
    """The calls of one account so far, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.exchanges: list[Exchange] = []

    def over(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """A transport that carries what the inner one carries, and writes it down here."""
        return _RecordedTransport(inner, self)

    def since(self, mark: int) -> tuple[Exchange, ...]:
        """What was said since the list was so long."""
        return tuple(self.exchanges[mark:])


class _RecordedTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, recording: Recording) -> None:
        self._inner, self._recording = inner, recording

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = kept_text(request.content, _ASKED)
        at, noted = self._recording.clock.now(), self._recording.exchanges
        try:
            response = await self._inner.handle_async_request(request)
        except Exception:
            noted.append(Exchange(at, request.method, request.url.path, asked, 0, "no answer"))
            raise
        if not isinstance(response.stream, httpx.AsyncByteStream):
            return response

        def note(content: bytes) -> None:
            answer = kept_text(content, _ANSWERED)
            noted.append(Exchange(at, request.method, request.url.path, asked, response.status_code, answer))

        response.stream = _Noted(response.stream, note)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Noted(httpx.AsyncByteStream):
    """An answer on its way: passed on as it comes, and noted once when it is closed."""

    def __init__(self, inner: httpx.AsyncByteStream, note: Any) -> None:  # noqa: ANN401 - a function of bytes
        self._inner, self._note, self._content = inner, note, bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._content += piece[: max(0, MOST_KEPT_BYTES - len(self._content))]
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
        note, self._note = self._note, None
        if note is not None:
            note(bytes(self._content))


def kept_text(content: bytes, names: frozenset[str]) -> str:
    """What may be kept of a body: the named properties as JSON; of a body that is no JSON object, its length."""
    if not content:
        return ""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return f"({len(content)} bytes that are no JSON)"
    return json.dumps(_kept(found, names, 0), ensure_ascii=False)


def _kept(value: Any, names: frozenset[str], depth: int) -> Any:  # noqa: ANN401 - any JSON
    if depth > 8:
        return "(left out)"
    if isinstance(value, dict):
        return {
            name: _kept(each, names, depth + 1) for name, each in value.items() if name.lower() in names or _is_id(name, depth)
        }
    if isinstance(value, list):
        return [_kept(each, names, depth + 1) for each in value[:50]]
    if isinstance(value, str):
        return "(left out)" if has_card_number(value) or "@" in value else value[:MOST_TEXT]
    return value


def _is_id(name: str, depth: int) -> bool:
    """The id of the order that an answer is about stands at its top; deeper ones may be a token's."""
    return depth == 0 and name.lower() == "id"
