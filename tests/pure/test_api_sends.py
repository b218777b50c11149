"""What becomes of one call over the API: answered, refused before it began, lost on the way; and which stop all others."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from batch.api import ApiAccess, ProviderApi
from batch.api_line import AT_A_TIME, Call, Called
from batch.api_sends import ApiSends
from batch.responses import MOST_ANSWER_BYTES
from jobs.clock import MovableClock
from schemas.errors import ApiLoginRefused, ApiUnreachable
from tests.ledger.room import START
from tests.pure.samples import profile
from tests.table.test_api_branches import Stream

CALL = Call("a", b'{"orderId": "a"}', START + timedelta(seconds=1))
Server = Callable[[httpx.Request], httpx.Response]


class Provider(httpx.AsyncBaseTransport):
    """Gives tokens, each another one, as long as it may, and answers every other request as it is told."""

    def __init__(self, answer: Server, *, tokens: int = 9, refusal: int = 401) -> None:
        self.answer, self.tokens, self.refusal = answer, tokens, refusal
        self.minted = self.under_way = self.most_under_way = 0
        self.calls: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """A token, or an answer a moment later."""
        if "token" in request.url.path:
            if self.minted == self.tokens:
                return httpx.Response(self.refusal, stream=Stream(b"{}"))
            self.minted += 1
            return httpx.Response(200, stream=Stream(b'{"accessToken": "t-%d", "expires": 4102444800000}' % self.minted))
        self.calls.append(request)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            return self.answer(request)
        finally:
            self.under_way -= 1

    @property
    def bearers(self) -> list[str]:
        """With which token each call came."""
        return [request.headers["Authorization"].removeprefix("Bearer ") for request in self.calls]


@contextmanager
def sends(provider: Provider, **more: int) -> Iterator[ApiSends]:
    """Calls to this provider."""

    async def aside(work: Callable[[], Sequence[Call] | None]) -> Sequence[Call] | None:
        return work()

    access = ApiAccess("https://api.example/v1/", app_key=lambda: "key", app_secret=lambda: "secret", timeout_seconds=7)
    api = ProviderApi(access, provider, profile=profile(), clock=MovableClock(START))
    try:
        yield ApiSends(api, aside, **more)
    finally:
        api.close()


def called(provider: Provider, *calls: Call, objection: Callable[[Call], str] = lambda _call: "") -> list[Called]:
    """Make these calls, and hear what came back."""
    groups, back = [[*calls]], list[Called]()

    def turn(told: Sequence[Called]) -> Sequence[Call]:
        back.extend(told)
        return groups.pop() if groups else []

    with sends(provider) as there:
        there.call_all("evaluate", turn, objection)
    return back


def status(code: int, content: bytes = b"", **headers: str) -> Server:
    """An answer with this status."""
    return lambda _request: httpx.Response(code, stream=Stream(content), headers=headers)


def test_a_call_sends_the_stored_bytes_and_nothing_else() -> None:
    """To its path, with the token and with every wait bounded; what came back is told as it is."""
    provider = Provider(status(200, b'{"x": 1}', **{"Retry-After": "7"}))
    assert called(provider, CALL) == [Called(CALL, 200, b'{"x": 1}', "7")]
    (request,) = provider.calls
    assert (request.method, str(request.url)) == ("POST", "https://api.example/v1/evaluate")
    assert request.content == CALL.body
    kept = {name: request.headers[name] for name in ("Authorization", "Content-Type", "Accept", "Accept-Encoding")}
    assert [*kept.values()] == ["Bearer t-1", "application/json", "application/json", "identity"]
    assert request.extensions["timeout"] == {"connect": 7, "read": 7, "write": 7, "pool": 7}


@pytest.mark.parametrize(("seconds", "is_made"), [(0, False), (1, True)])
def test_a_call_whose_time_has_passed_is_not_begun(seconds: int, is_made: bool) -> None:
    """A run that was paused for so long may have been overtaken: at that very moment it is too late (I11)."""
    provider = Provider(status(200))
    (back,) = called(provider, Call("a", b"{}", START + timedelta(seconds=seconds)))
    assert (back.not_made, back.problem) == ((False, "") if is_made else (True, "its time had passed before it could begin"))
    assert (len(provider.calls), back.is_off, back.not_sent) == (is_made, False, False)


@pytest.mark.parametrize(("codes", "bearers"), [([401, 200], ["t-1", "t-2"]), ([401, 401], ["t-1", "t-2"]), ([200], ["t-1"])])
def test_a_refused_token_is_renewed_once(codes: list[int], bearers: list[str]) -> None:
    """The refusal proves that nothing was done; a second one shows that our credentials are refused, and no third is made."""
    ahead = iter(codes)
    provider = Provider(lambda request: status(next(ahead))(request))
    (back,) = called(provider, CALL)
    assert (back.http_status, back.is_login, provider.bearers) == (codes[-1], codes[-1] == 401, bearers)


@pytest.mark.parametrize(("code", "is_login"), [(403, True), (404, False), (500, False), (429, False)])
def test_a_merchant_who_may_not_call_is_told_from_other_failures(code: int, is_login: bool) -> None:
    """Refused credentials stop all calls: they are not tried again with another token, nor are other answers."""
    provider = Provider(status(code))
    (back,) = called(provider, CALL)
    assert (back.http_status, back.is_login, len(provider.calls)) == (code, is_login, 1)


@pytest.mark.parametrize(("refusal", "is_login"), [(401, True), (503, False)])
@pytest.mark.parametrize("tokens", [0, 1])
def test_without_a_token_nothing_is_sent(tokens: int, refusal: int, is_login: bool) -> None:
    """Neither at first nor in place of one that was refused: the call says that nothing of it left, and why."""
    provider = Provider(status(401), tokens=tokens, refusal=refusal)
    (back,) = called(provider, CALL)
    assert (back.not_sent, back.is_login, len(provider.calls)) == (True, is_login, tokens)
    assert (back.http_status, back.not_made, bool(back.problem)) == (0, False, True)


def test_what_is_switched_off_meanwhile_is_not_called() -> None:
    """Looked at right before the call, again before it is repeated with another token (I25)."""
    provider, asked = Provider(status(401)), list[str]()

    def objection(call: Call) -> str:
        asked.append(call.order_id)
        return "" if len(asked) == 1 else "sending is paused"

    assert called(provider, CALL, objection=objection) == [Called(CALL, problem="sending is paused", not_made=True, is_off=True)]
    assert (asked, len(provider.calls)) == (["a", "a"], 1)


@pytest.mark.parametrize(
    ("error", "not_sent", "words"),
    [
        (httpx.ConnectError("refused"), True, "no connection to the provider's API came about (refused)"),
        (httpx.ReadTimeout("slow"), False, "the provider's API did not answer (ReadTimeout)"),
        (OSError("odd"), False, "the provider's API did not answer (OSError)"),
    ],
)
def test_only_without_a_connection_is_it_certain_that_nothing_left(error: Exception, not_sent: bool, words: str) -> None:
    """Whatever else happens on the way, the provider may have it (I12)."""

    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    (back,) = called(Provider(fail), CALL)
    assert back == Called(CALL, problem=words, not_sent=not_sent)


def test_an_answer_that_is_too_long_is_named_after_its_call() -> None:
    """It is no answer, and people read of which call."""
    (back,) = called(Provider(status(200, b"x" * (MOST_ANSWER_BYTES + 1))), CALL)
    assert (back.http_status, back.not_sent) == (0, False)
    assert "evaluate" in back.problem
    assert "v1" not in back.problem


def test_so_many_calls_are_under_way_at_a_time() -> None:
    """As many as may be, and not one more."""
    provider = Provider(status(200))
    calls = [Call(str(number), b"{}", CALL.before) for number in range(70)]
    assert {back.call.order_id for back in called(provider, *calls)} == {call.order_id for call in calls}
    assert provider.most_under_way == AT_A_TIME == 64


@pytest.mark.parametrize(("refusal", "kind"), [(401, ApiLoginRefused), (503, ApiUnreachable)])
def test_who_gets_no_token_is_not_ready(refusal: int, kind: type[Exception]) -> None:
    """It is found before anything is begun."""
    with sends(Provider(status(200), tokens=0, refusal=refusal)) as there, pytest.raises(kind):
        there.be_ready()
