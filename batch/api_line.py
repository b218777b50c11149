"""Many calls at a time: begun as they are given, told as they come back, with the ledger written while others are under way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import httpx

AT_A_TIME = 64
"""So many calls are under way at a time."""

MOST_DOUBTS = 8
"""So many answers in a row that tell nothing, and no more calls are begun: the rest waits, held, for the next run."""


@dataclass(frozen=True, slots=True)
class Call:
    """One record to be sent: which order it is of, and the bytes of its body as they are stored.

    `before`: it may only begin before this moment. A run that was paused for so long may have been overtaken.
    """

    order_id: str
    body: bytes
    before: datetime


@dataclass(frozen=True, slots=True)
class Called:
    """What became of one call: the HTTP status and content, or a `problem` in their place (`http_status` is 0).

    `not_sent` says that nothing of it left: no connection came about, or no token. `not_made`: it was never tried.
    `is_off`: because it was switched off after it was intended. `retry_after` is the header as it came.
    """

    call: Call
    http_status: int = 0
    content: bytes = b""
    retry_after: str = ""
    problem: str = ""
    not_sent: bool = False
    not_made: bool = False
    is_login: bool = False
    is_off: bool = False

    @property
    def tells_nothing(self) -> bool:
        """Whether the provider failed, or gave no answer at all."""
        return not self.not_made and (self.http_status == 0 or self.http_status >= httpx.codes.INTERNAL_SERVER_ERROR)


Turn = Callable[[Sequence[Called]], Sequence[Call] | None]
"""Takes what has come back, and gives the calls to be made next: none when there are no more, None to stop at once."""

Aside = Callable[[Callable[[], Sequence[Call] | None]], Awaitable[Sequence[Call] | None]]
"""Does a turn's work while calls are under way."""


class Line:
    """The calls under way, those that wait for their turn, and what has come back and was not told yet."""

    def __init__(self, make: Callable[[Call], Awaitable[Called]], turn: Turn, aside: Aside, at_a_time: int) -> None:
        self._make, self._turn, self._aside, self._at_a_time = make, turn, aside, at_a_time
        self._ahead: deque[Call] = deque()
        self._back: list[Called] = []
        self._under_way: set[asyncio.Future[Called]] = set()
        self._failure: BaseException | None = None
        self._doubts_in_a_row = 0
        self._is_over = self._is_halted = False
        self._news = asyncio.Event()

    async def go(self) -> None:
        """Go on until a turn gives nothing more and everything has come back and been told."""
        try:
            while not (self._is_over and not self._under_way and not self._back):
                self._news.clear()
                if self._is_time():
                    back, self._back = self._back, []
                    self._take(await self._aside(partial(self._turn, back)))
                else:
                    await self._news.wait()
                if self._failure is not None:
                    raise self._failure
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    def _is_time(self) -> bool:
        """Whether to take a turn: when calls are running out, or, once there are no more, when enough has come back."""
        if not self._is_over:
            return len(self._ahead) < self._at_a_time
        return len(self._back) >= self._at_a_time or not self._under_way

    def _take(self, given: Sequence[Call] | None) -> None:
        self._ahead.extend(given or ())
        if given is None:
            self._halt()
        elif not given:
            self._is_over = True
        self._begin()

    def _begin(self) -> None:
        if self._is_halted:
            self._back += [Called(call, not_made=True) for call in self._ahead]
            self._ahead.clear()
        while self._ahead and len(self._under_way) < self._at_a_time:
            task = asyncio.ensure_future(self._make(self._ahead.popleft()))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Future[Called]") -> None:
        self._under_way.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is not None:
            self._failure = failure
        else:
            called = task.result()
            self._back.append(called)
            self._doubts_in_a_row = self._doubts_in_a_row + 1 if called.tells_nothing else 0
            is_busy = called.http_status == httpx.codes.TOO_MANY_REQUESTS
            if called.not_sent or called.is_login or is_busy or self._doubts_in_a_row >= MOST_DOUBTS:
                self._halt()
        self._begin()
        self._news.set()

    def _halt(self) -> None:
        self._is_over = self._is_halted = True
