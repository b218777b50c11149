"""The provider's HTTP API: one shared token, single orders and listings read, bounded and without following redirects."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote

import httpx
import orjson

from batch.provider_reads import Answer, ListedOrders, Reply
from batch.responses import (
    MOST_ANSWER_BYTES,
    MOST_PAGE_BYTES,
    TokenAnswer,
    read_order_answer,
    read_order_page,
    read_outcome_answer,
    read_token,
)
from schemas.errors import AnswerUnreadable, ApiLoginRefused, ApiUnreachable, MitbatchError
from schemas.profile import Profile

Result = TypeVar("Result")
Query = Mapping[str, str | Sequence[str]]
TOKEN_LIFE = timedelta(seconds=600)


class Clock(Protocol):
    """What the API needs of a clock."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Where the API is and who we are there (CONTRACT 1, 2). The secrets stay in memory and in no message.

    `asks`: which call says how an order stands, `GET orders/{id}` or the older `POST outcome` (CONTRACT 8, 9).
    """

    base_url: str
    app_key: Callable[[], str]
    app_secret: Callable[[], str]
    asks: Literal["orders", "outcome"] = "orders"
    concurrency: int = 16
    timeout_seconds: float = 30


class ProviderApi:
    """`ProviderReads` over HTTP. One event loop of its own; calls go out side by side, answers come back in order."""

    def __init__(self, access: ApiAccess, transport: httpx.AsyncBaseTransport, *, profile: Profile, clock: Clock) -> None:
        self.access = access
        self.transport = transport
        self._profile = profile
        self.clock = clock
        self._runner = asyncio.Runner()
        self._has_asked = False
        self._client = httpx.AsyncClient(
            base_url=access.base_url,
            headers={"Accept-Encoding": "identity"},  # what is not packed cannot unpack to more than it is
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
        """End every connection; a run that asked nothing has none."""
        if self._has_asked:
            self._runner.run(self._client.aclose())
            self._runner.close()

    def fresh_token(self) -> str:
        """Mint a token now. Raises ApiLoginRefused, ApiUnreachable, AnswerUnreadable."""
        return self.run(self._mint()).token

    def read_orders(self, provider_order_ids: Sequence[str]) -> Iterator[Answer]:
        """One answer for each id, in order. What concerns one order is in its answer; what concerns all is raised."""
        ask = self._outcome if self.access.asks == "outcome" else self._read
        yield from self.run(self._side_by_side(provider_order_ids, ask))

    def find_order(self, order_id: str) -> Answer:
        """Search the provider's orders for ours (CONTRACT 9). Finding nothing proves nothing: `read` is None."""
        return self.run(self._find(order_id))

    def find_orders(self, order_ids: Sequence[str]) -> Iterator[Answer]:
        """`find_order` for each of these, side by side; answers come in order. What concerns one order is in its answer."""
        yield from self.run(self._side_by_side(order_ids, self._look_for))

    def list_orders(self, codes: Sequence[int], placed_from: str, page: int) -> ListedOrders:
        """One page of the orders with these status codes, placed since a moment (UTC text), oldest first (CONTRACT 9).

        Oldest first, new orders come at the end; those that leave the listing meanwhile make later ones shift forward, past
        the page that is asked for next. Raises ApiLoginRefused.
        """
        return self.run(self._list(codes, placed_from, page))

    def ask_once(self, path: str, content: bytes) -> Reply:
        """Send JSON that may have an effect, once, and say what came back; no answer, or half of one, is a Reply as well.

        A bearer that is refused (401) is renewed once and the request made again: nothing can have happened before. Raises
        ApiUnreachable and ApiLoginRefused only where it is certain that nothing was asked for.
        """
        return self.run(self._ask_once(path, content))

    def post(self, path: str, content: bytes, *, query: dict[str, str]) -> tuple[int, bytes]:
        """Send JSON once, with the shared token, and give back HTTP status and body; a token that ran out is renewed once.

        For calls that may be made twice. Raises ApiUnreachable for no answer or a failure of the server, ApiLoginRefused.
        """
        return self.run(self._ask("POST", path, query, content=content))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do this work on the one event loop that all calls share; one piece of work at a time."""
        with self._one_at_a_time:
            self._has_asked = True
            return self._runner.run(work)

    async def _side_by_side(self, ids: Sequence[str], ask: Callable[[str], Awaitable[Answer]]) -> list[Answer]:
        gate = asyncio.Semaphore(self.access.concurrency)

        async def one(asked_for: str) -> Answer:
            async with gate:
                return await ask(asked_for)

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

    async def _outcome(self, provider_order_id: str) -> Answer:
        """The same by the older call. Its answer names no order: what is kept of it begins with what was asked for."""
        question = orjson.dumps({"orderSessionKey": provider_order_id})
        try:
            status, content = await self._ask("POST", "outcome", {}, content=question)
        except ApiUnreachable as error:
            return Answer(provider_order_id, b"", None, error.what, is_unreachable=True)
        kept = question + b"\n" + content
        if status != httpx.codes.OK:
            problem, forbidden = f"the provider answered with HTTP {status}", status == httpx.codes.FORBIDDEN
            return Answer(provider_order_id, kept, None, problem, is_forbidden=forbidden, source="outcome")
        try:
            read = read_outcome_answer(content, provider_order_id)
        except AnswerUnreadable as error:
            return Answer(provider_order_id, kept, None, error.what, source="outcome")
        problem = "" if read else "the provider does not know the order"
        return Answer(provider_order_id, kept, read, problem, is_absent=read is None, source="outcome")

    async def _look_for(self, order_id: str) -> Answer:
        try:
            return await self._find(order_id)
        except ApiUnreachable as error:
            return Answer(order_id, b"", None, error.what, is_unreachable=True)

    async def _find(self, order_id: str) -> Answer:
        names = self._profile.orders
        page, odd = names.first_page, b""
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
            if {"", order_id} & {*found.odd}:
                odd = content
            if not found.has_next:
                break
            page += 1
        if odd:  # what cannot be read may be the very order: it is not absent
            return Answer(order_id, odd, None, "the provider's listing has a row that may be it and cannot be read")
        return Answer(order_id, b"", None, "the provider's listing does not show the order", is_absent=True)

    async def _list(self, codes: Sequence[int], placed_from: str, page: int) -> ListedOrders:
        names = self._profile.orders
        query = {"status": [str(code) for code in codes], "from": placed_from, "orderBy": "createdOn", "sort": "asc"}
        query |= {names.page_size: str(names.max_page_size), names.page_number: str(page)}
        try:
            status, content = await self._get("orders", query, MOST_PAGE_BYTES)
        except ApiUnreachable as error:
            return ListedOrders((), has_next=False, problem=error.what)
        if status != httpx.codes.OK:
            return ListedOrders((), has_next=False, problem=f"the provider answered with HTTP {status}")
        try:
            found = read_order_page(content, self._profile)
        except AnswerUnreadable as error:
            return ListedOrders((), has_next=True, problem=error.what, is_unreadable=True)
        return ListedOrders(found.orders, found.has_next or len(found.orders) >= names.max_page_size)

    async def _get(self, path: str, query: Query, most_bytes: int = MOST_ANSWER_BYTES) -> tuple[int, bytes]:
        return await self._ask("GET", path, query, most_bytes=most_bytes)

    async def _ask(
        self, method: str, path: str, query: Query, *, content: bytes = b"", most_bytes: int = MOST_ANSWER_BYTES
    ) -> tuple[int, bytes]:
        async def once(token: str) -> tuple[int, bytes]:
            return await self._send(method, path, query=query, token=token, content=content, most_bytes=most_bytes)

        token = await self.bearer()
        status, found = await once(token)
        if status == httpx.codes.UNAUTHORIZED:
            self.forget(token)
            status, found = await once(await self.bearer())
            if status == httpx.codes.UNAUTHORIZED:
                raise ApiLoginRefused("The provider's API refuses a token that it has just given us.")
        if status >= 500:
            raise ApiUnreachable(f"The provider's API failed (HTTP {status}) at {path.split('/')[0]}.")
        return status, found

    async def _ask_once(self, path: str, content: bytes) -> Reply:
        for _ in range(2):
            token = await self.bearer()
            try:
                status, found = await self._send("POST", path, token=token, content=content)
            except ApiUnreachable as error:
                if type(error.__cause__) is httpx.ConnectError:  # no connection came about; any other error may be an answer lost
                    raise
                return Reply(0, b"", error.what)
            if status != httpx.codes.UNAUTHORIZED:
                return Reply(status, found)
            self.forget(token)
        raise ApiLoginRefused("The provider's API refuses a token that it has just given us.")

    async def bearer(self) -> str:
        """The token that all calls share, renewed once however many ask. Raises as `fresh_token` does."""
        self._minting = self._minting or asyncio.Lock()
        async with self._minting:
            if self._token is None or self._minted_at is None or self._is_old(self._token, self._minted_at):
                await self._mint()
            assert self._token is not None  # noqa: S101 - minted above
            return self._token.token

    def _is_old(self, token: TokenAnswer, minted_at: datetime) -> bool:
        ends = datetime.fromtimestamp(token.expires_ms // 1000, tz=UTC)
        life = min(max(ends - minted_at, TOKEN_LIFE / 10), TOKEN_LIFE)
        return not minted_at <= self.clock.now() < minted_at + life * 0.8

    def forget(self, token: str) -> None:
        """The provider refused this token: the next that asks gets another, unless somebody has one already."""
        if self._token is not None and self._token.token == token:
            self._token = None

    async def _mint(self) -> TokenAnswer:
        body = orjson.dumps({"AppKey": self.access.app_key(), "AppSecret": self.access.app_secret()})
        status, content = await self._send("POST", "oauth2/token", content=body)
        if status in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise ApiLoginRefused(f"The provider's API refused our app key and secret (HTTP {status}).")
        if status != httpx.codes.OK:
            raise ApiUnreachable(f"The provider's API gave no token (HTTP {status}).")
        try:
            self._token, self._minted_at = read_token(content), self.clock.now()
        except AnswerUnreadable as error:
            raise ApiUnreachable(f"The provider's API gave no token: {error.what}") from error
        return self._token

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        token: str = "",
        content: bytes = b"",
        most_bytes: int = MOST_ANSWER_BYTES,
    ) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Content-Type": "application/json"} if content else {}
        try:
            async with (
                asyncio.timeout(self.access.timeout_seconds),
                self._client.stream(method, path, params=query, headers=headers, content=content or None) as response,
            ):
                return response.status_code, await bounded_body(response, path.split("/")[0], most_bytes)
        except MitbatchError:
            raise
        except Exception as error:
            # the transport lets errors of its own through; whatever came, it was no answer
            raise ApiUnreachable(
                f"The provider's API at {self.access.base_url} did not answer ({type(error).__name__}).",
            ) from error


async def bounded_body(response: httpx.Response, what: str, most_bytes: int) -> bytes:
    """The answer's bytes as they came. Packed ones are refused unread: a packing inside a packing knows no bound."""
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    if packed not in ("", "identity"):
        raise ApiUnreachable(f"The provider's answer at {what} is packed, which we did not ask for.")
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > most_bytes:
            raise ApiUnreachable(f"The provider's answer at {what} is larger than {most_bytes:,} bytes.")
    return bytes(content)
