"""Sending records over the provider's API, one call each and many at a time: evaluate and transmit (CONTRACT 5, 7).

A call sends the stored bytes and nothing else; the token stands in a header. Each is made at most once, and once more
only where the provider has refused the token: that proves that nothing was done. What comes back is told as it is;
`batch.call_answers` says what it means. Requests go to the transport as they are, because httpx's client does for each
what none of them needs (redirects, cookies, authentication), which took half of the time of a call.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import httpx

from batch.api import ProviderApi, bounded_body
from batch.api_line import AT_A_TIME, Aside, Call, Called, Line, Turn
from batch.responses import MOST_ANSWER_BYTES
from schemas.errors import ApiLoginRefused, ApiUnreachable

Objection = Callable[[Call], str]
"""Says right before a call begins why it must not; empty where nothing speaks against it."""


class ProviderSends(Protocol):
    """What the flows need of the provider's API to send."""

    def be_ready(self) -> None:
        """Have a token, or raise ApiLoginRefused or ApiUnreachable."""
        ...

    def call_all(self, path: str, turn: Turn, objection: Objection) -> None:
        """Make the calls that the turns give, until one gives none, and hand each turn what has come back since.

        A call that there is an objection to comes back as not made.
        """
        ...


class ApiSends:
    """`ProviderSends` over HTTP, on the connections and with the token of the reads."""

    def __init__(self, api: ProviderApi, aside: Aside, at_a_time: int = AT_A_TIME) -> None:
        self._api, self._aside, self._at_a_time = api, aside, at_a_time
        seconds = api.access.timeout_seconds
        self._extensions = {"timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}}

    def be_ready(self) -> None:
        """Have a token, so that nothing is begun while the provider cannot be reached or refuses our credentials."""
        self._api.run(self._api.bearer())

    def call_all(self, path: str, turn: Turn, objection: Objection) -> None:
        """Make calls until a turn gives none. The turns are taken one after the other, while other calls are under way.

        A call that shows that the next would meet the same (refused credentials, too many calls, no connection) lets no
        more begin: what was given and not begun comes back as not made. What a turn raises ends everything.
        """
        url = httpx.URL(f"{self._api.access.base_url}{path}")
        self._api.run(Line(lambda call: self._call(url, call, objection), turn, self._aside, self._at_a_time).go())

    async def _call(self, url: httpx.URL, call: Call, objection: Objection) -> Called:
        tokens: list[str] = []
        if self._api.clock.now() >= call.before:
            return Called(call, problem="its time had passed before it could begin", not_made=True)
        for _ in range(2):
            try:
                tokens.append(await self._api.bearer())
            except (ApiLoginRefused, ApiUnreachable) as error:
                return Called(call, problem=str(error.what), not_sent=True, is_login=isinstance(error, ApiLoginRefused))
            if why := objection(call):
                return Called(call, problem=why, not_made=True, is_off=True)
            called = await self._post(url, call, tokens[-1])
            if called.http_status != httpx.codes.UNAUTHORIZED:
                return replace(called, is_login=called.http_status == httpx.codes.FORBIDDEN)
            self._api.forget(tokens[-1])
        return replace(called, is_login=True)

    async def _post(self, url: httpx.URL, call: Call, token: str) -> Called:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        request = httpx.Request("POST", url, headers=headers, content=call.body, extensions=self._extensions)
        try:
            async with asyncio.timeout(self._api.access.timeout_seconds):
                response = await self._api.transport.handle_async_request(request)
                try:
                    content = await bounded_body(response, url.path.rpartition("/")[2], MOST_ANSWER_BYTES)
                finally:
                    await response.aclose()
        except httpx.ConnectError as error:
            return Called(call, problem=f"no connection to the provider's API came about ({error})", not_sent=True)
        except ApiUnreachable as error:
            return Called(call, problem=error.what)
        except Exception as error:  # noqa: BLE001 - the transport lets errors of its own through; whatever came, it was no answer
            return Called(call, problem=f"the provider's API did not answer ({type(error).__name__})")
        return Called(call, response.status_code, content, response.headers.get("Retry-After", ""))
