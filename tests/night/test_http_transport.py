"""The machine's transport tells whether a request left: no connection is one thing, a connection that broke another."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from batch.api import ApiAccess, ProviderApi
from jobs.clock import SystemClock
from jobs.http_transport import MachineTransport
from jobs.late_transport import LateTransport
from schemas.errors import ConfigurationError
from tests.ports import kept_port
from tests.pure.samples import profile

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Future[None] | None"]


async def _post(port: int) -> httpx.Response:
    async with httpx.AsyncClient(transport=MachineTransport(), timeout=20) as client:
        return await client.post(f"http://127.0.0.1:{port}/v1/evaluate", content=b"{}")


def test_a_closed_port_means_that_nothing_was_sent() -> None:
    """Nobody listens: ConnectError, which lets an order be called again."""
    with kept_port() as port, pytest.raises(httpx.ConnectError):
        asyncio.run(_post(port))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", b"nonsense\r\n\r\n"])
def test_a_connection_that_breaks_later_proves_nothing(answer: bytes) -> None:
    """The request was read and the line ends before its answer does: any error but ConnectError, and one request only."""
    requests = []

    async def work() -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await reader.readuntil(b"{}"))
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            await _post(server.sockets[0].getsockname()[1])

    with pytest.raises(Exception) as caught:
        asyncio.run(work())
    assert not isinstance(caught.value, httpx.ConnectError | httpx.ConnectTimeout)
    assert len(requests) == 1


class Kept(httpx.MockTransport):
    """A transport that answers by itself, and knows whether it was closed."""

    is_closed = False

    async def aclose(self) -> None:
        """Close it."""
        self.is_closed = True


@pytest.mark.parametrize("requests", [0, 1, 3])
def test_a_transport_is_made_by_the_first_request(requests: int) -> None:
    """However many requests leave, it is made once, and closed with what it was made for; without any it is never made."""
    made: list[Kept] = []

    def make() -> Kept:
        made.append(Kept(lambda _request: httpx.Response(204)))
        return made[-1]

    async def work() -> list[int]:
        async with httpx.AsyncClient(transport=LateTransport(make)) as client:
            return [(await client.get("http://127.0.0.1/")).status_code for _ in range(requests)]

    assert asyncio.run(work()) == [204] * requests
    assert [each.is_closed for each in made] == [True] * min(requests, 1)


def test_what_cannot_be_loaded_is_not_the_providers_silence() -> None:
    """A broken installation is said to be one, by whoever asks the API; nothing is held for it as unanswered."""

    def make() -> httpx.AsyncBaseTransport:
        raise ModuleNotFoundError("No module named 'aiohttp'")

    access = ApiAccess("https://api.example/v1/", lambda: "key", lambda: "secret", timeout_seconds=5)
    api = ProviderApi(access, LateTransport(make), profile=profile(), clock=SystemClock())
    try:
        with pytest.raises(ConfigurationError, match="cannot be loaded") as refusal:
            api.fresh_token()
    finally:
        api.close()
    assert "mitbatch doctor" in refusal.value.next_step
