"""Answers of the API that no provider of the tests gives at will: each is unreachable or unreadable, and moves nothing."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from batch.api import ApiAccess, ProviderApi
from jobs.clock import MovableClock
from schemas.errors import ApiUnreachable
from tests.confluence.bench import profile
from tests.ledger.room import START

TOKEN = b'{"accessToken": "abc", "expires": 4102444800000}'


class Stream(httpx.AsyncByteStream):
    """A body as it comes from a line."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """All at once."""
        yield self._content


def answered(content: bytes, **headers: str) -> httpx.Response:
    """An answer with this body."""
    return httpx.Response(200, headers=headers, stream=Stream(content))


@contextmanager
def api(answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[ProviderApi]:
    """The API, whose server answers so."""
    access = ApiAccess("https://api.example/v1/", app_key=lambda: "key", app_secret=lambda: "secret")
    made = ProviderApi(access, httpx.MockTransport(answer), profile=profile(), clock=MovableClock(START))
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"accessToken": 7}'])
def test_a_token_that_cannot_be_read_is_none(content: bytes) -> None:
    """An answer in the place of a token that is none makes the API unreachable: nothing is asked with it (H-10, H-11)."""
    with api(lambda _: answered(content)) as there, pytest.raises(ApiUnreachable, match="gave no token"):
        there.fresh_token()


def test_a_packed_answer_is_refused_as_such() -> None:
    """That an answer was packed is what is told, and not merely that none came (H-20)."""
    packed = {"Content-Encoding": "gzip"}
    with api(lambda _: answered(TOKEN, **packed)) as there, pytest.raises(ApiUnreachable, match="is packed"):
        there.fresh_token()


@pytest.mark.parametrize(("error", "is_certain"), [(httpx.ConnectError("no"), True), (httpx.ReadError("cut off"), False)])
def test_a_request_that_left_nobody_is_not_in_doubt(error: httpx.HTTPError, is_certain: bool) -> None:
    """Without a connection nothing can have been asked for, and that is raised; half a connection leaves doubt (I12)."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "token" in request.url.path:
            return answered(TOKEN)
        raise error

    with api(answer) as there:
        if is_certain:
            with pytest.raises(ApiUnreachable, match="did not answer"):
                there.ask_once("capture", b"{}")
        else:
            assert there.ask_once("capture", b"{}").status == 0


def test_a_listing_that_cannot_be_read_finds_nothing_and_proves_nothing() -> None:
    """A search whose page is no listing says why, and does not say that the order is absent (H-11, I12)."""

    def answer(request: httpx.Request) -> httpx.Response:
        return answered(TOKEN if "token" in request.url.path else b'{"orders": 7}')

    with api(answer) as there:
        found = there.find_order("000471")

    assert (found.read, found.is_absent, found.content) == (None, False, b'{"orders": 7}')
    assert found.problem
