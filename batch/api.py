"""The provider's HTTP API: one shared token, single orders and listings read, bounded and without following redirects."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import httpx

from batch.responses import (
    MOST_ANSWER_BYTES,
    MOST_PAGE_BYTES,
    OrderRead,
    TokenAnswer,
    read_order_answer,
    read_order_page,
    read_token,
)
from schemas.errors import AnswerUnreadable, ApiLoginRefused, ApiUnreachable, MitbatchError
from schemas.profile import Profile

Result = TypeVar("Result")
TOKEN_LIFE = timedelta(seconds=600)


class Clock(Protocol):
    """What the API needs of a clock."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Where the API is and who we are there (CONTRACT 1, 2). The secrets stay in memory and in no message."""

    base_url: str
    app_key: Callable[[], str]
    app_secret: Callable[[], str]
    concurrency: int = 16
    timeout_seconds: float = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one order: the raw words, and the order if they could be read; `problem` says why not.

    `is_unreachable` says that nothing came back at all, or that the server failed; `is_absent` that the provider does
    not know the order, which proves nothing; `is_forbidden` that we may not ask; `is_double` that it has the order twice.
    """

    asked_for: str
    content: bytes
    read: OrderRead | None
    problem: str = ""
    is_unreachable: bool = False
    is_absent: bool = False
    is_forbidden: bool = False
    is_double: bool = False


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


class ProviderApi:
    """`ProviderReads` over HTTP. One event loop of its own; calls go out side by side, answers come back in order."""

    def __init__(self, access: ApiAccess, transport: httpx.AsyncBaseTransport, *, profile: Profile, clock: Clock) -> None:
        self._access = access
        self._profile = profile
        self._clock = clock
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            base_url=access.base_url,
            transport=transport,
            timeout=httpx.Timeout(access.timeout_seconds),
            follow_redirects=False,
            trust_env=False,
        )
        self._token: TokenAnswer | None = None
        self._minted_at: datetime | None = None
        self._minting: asyncio.Lock | None = None
        self._one_at_a_time = threading.Lock()

    def close(self) -> None:
        """End every connection."""
        self._runner.run(self._client.aclose())
        self._runner.close()

    def fresh_token(self) -> str:
        """Mint a token now. Raises ApiLoginRefused, ApiUnreachable, AnswerUnreadable."""
        return self._run(self._mint()).token

    def read_orders(self, provider_order_ids: Sequence[str]) -> Iterator[Answer]:
        """One answer for each id, in order. What concerns one order is in its answer; what concerns all is raised."""
        yield from self._run(self._read_all(provider_order_ids))

    def find_order(self, order_id: str) -> Answer:
        """Search the provider's orders for ours (CONTRACT 9). Finding nothing proves nothing: `read` is None."""
        return self._run(self._find(order_id))

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        with self._one_at_a_time:
            return self._runner.run(work)

    async def _read_all(self, ids: Sequence[str]) -> list[Answer]:
        gate = asyncio.Semaphore(self._access.concurrency)

        async def one(provider_order_id: str) -> Answer:
            async with gate:
                return await self._read(provider_order_id)

        tasks = [asyncio.ensure_future(one(each)) for each in ids]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, provider_order_id: str) -> Answer:
        try:
            status, content = await self._get(f"orders/{quote(provider_order_id, safe='')}", {})
        except ApiUnreachable as error:
            return Answer(provider_order_id, b"", None, error.what, is_unreachable=True)
        if status == self._profile.orders.unknown_id_status:
            return Answer(provider_order_id, content, None, "the provider does not know the order", is_absent=True)
        if status != httpx.codes.OK:
            problem, forbidden = f"the provider answered with HTTP {status}", status == httpx.codes.FORBIDDEN
            return Answer(provider_order_id, content, None, problem, is_forbidden=forbidden)
        try:
            return Answer(provider_order_id, content, read_order_answer(content, self._profile))
        except AnswerUnreadable as error:
            return Answer(provider_order_id, content, None, error.what)

    async def _find(self, order_id: str) -> Answer:
        names = self._profile.orders
        page = names.first_page
        while page < names.first_page + 20:
            query = {"query": order_id, names.page_size: str(names.max_page_size), names.page_number: str(page)}
            status, content = await self._get("orders", query, MOST_PAGE_BYTES)
            if status != httpx.codes.OK:
                return Answer(order_id, content, None, f"the provider answered with HTTP {status}")
            try:
                found = read_order_page(content, self._profile)
            except AnswerUnreadable as error:
                return Answer(order_id, content, None, error.what)
            same = [order for order in found.orders if order.external_id == order_id]
            if len({order.provider_order_id for order in same}) > 1:
                return Answer(order_id, content, None, "the provider has the order twice", is_double=True)
            if same:
                return Answer(order_id, content, same[0])
            if not found.has_next:
                break
            page += 1
        return Answer(order_id, b"", None, "the provider's listing does not show the order", is_absent=True)

    async def _get(self, path: str, query: dict[str, str], most_bytes: int = MOST_ANSWER_BYTES) -> tuple[int, bytes]:
        token = await self._cached_token()
        status, content = await self._send("GET", path, query=query, token=token, most_bytes=most_bytes)
        if status == httpx.codes.UNAUTHORIZED:
            self._forget(token)
            status, content = await self._send("GET", path, query=query, token=await self._cached_token(), most_bytes=most_bytes)
            if status == httpx.codes.UNAUTHORIZED:
                raise ApiLoginRefused("The provider's API refuses a token that it has just given us.")
        if status >= 500:
            raise ApiUnreachable(f"The provider's API failed (HTTP {status}) at {path.split('/')[0]}.")
        return status, content

    async def _cached_token(self) -> str:
        self._minting = self._minting or asyncio.Lock()
        async with self._minting:
            if self._token is None or self._minted_at is None or self._is_old(self._token, self._minted_at):
                await self._mint()
            assert self._token is not None  # noqa: S101 - minted above
            return self._token.token

    def _is_old(self, token: TokenAnswer, minted_at: datetime) -> bool:
        ends = datetime.fromtimestamp(token.expires_ms // 1000, tz=UTC)
        life = min(max(ends - minted_at, TOKEN_LIFE / 10), TOKEN_LIFE)
        return not minted_at <= self._clock.now() < minted_at + life * 0.8

    def _forget(self, token: str) -> None:
        if self._token is not None and self._token.token == token:
            self._token = None

    async def _mint(self) -> TokenAnswer:
        body = {"AppKey": self._access.app_key(), "AppSecret": self._access.app_secret()}
        status, content = await self._send("POST", "oauth2/token", body=body)
        if status in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise ApiLoginRefused(f"The provider's API refused our app key and secret (HTTP {status}).")
        if status != httpx.codes.OK:
            raise ApiUnreachable(f"The provider's API gave no token (HTTP {status}).")
        try:
            self._token, self._minted_at = read_token(content), self._clock.now()
        except AnswerUnreadable as error:
            raise ApiUnreachable(f"The provider's API gave no token: {error.what}") from error
        return self._token

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        token: str = "",
        body: dict[str, str] | None = None,
        most_bytes: int = MOST_ANSWER_BYTES,
    ) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with (
                asyncio.timeout(self._access.timeout_seconds),
                self._client.stream(method, path, params=query, headers=headers, json=body) as response,
            ):
                content = bytearray()
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > most_bytes:
                        raise ApiUnreachable(
                            f"The provider's answer at {path.split('/')[0]} is larger than {most_bytes:,} bytes."
                        )
                return response.status_code, bytes(content)
        except MitbatchError:
            raise
        except Exception as error:
            # the transport lets errors of its own through; whatever came, it was no answer
            raise ApiUnreachable(
                f"The provider's API at {self._access.base_url} did not answer ({type(error).__name__}).",
            ) from error
