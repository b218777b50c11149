"""Keeping webhooks as fast as they come: all that wait together go into one synchronised transaction.

A disk syncs a few hundred times a second, whatever is written: while one commit is under way, everything that arrives
waits for the next one. Nobody is answered before the commit that holds their webhook has returned.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from batch.ledger.webhook_inbox import Arrival

MOST_AT_ONCE = 256
"""So many go into one transaction at most."""

MOST_WAITING = 2000
"""So many may wait at most; who comes then is told to come again."""

MOST_SECONDS = 10.0
"""So long a webhook waits for its commit at most. One that is kept after that is told again, and then found kept."""

Keep = Callable[[Sequence[Arrival]], list[bool]]


class NotKept(Exception):
    """The webhook was not kept, or nobody knows: the provider must send it again."""


class GroupCommit:
    """Hands what waits to `keep`, a group at a time, on a thread of its own. Use it on one event loop."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._came = asyncio.Event()
        self._is_closing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="webhooks")
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to commit."""
        self._work = asyncio.create_task(self._commit_for_ever())

    async def close(self) -> None:
        """Commit what still waits, and end."""
        self._is_closing = True
        self._came.set()
        if self._work is not None:
            await self._work
        self._thread.shutdown()

    async def put(self, arrival: Arrival) -> bool:
        """Keep one webhook: True when it is new, False when its nonce was taken before. Raises NotKept."""
        if self._is_closing or len(self._waiting) >= MOST_WAITING:
            raise NotKept
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, kept))
        self._came.set()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await kept
        except TimeoutError as error:
            raise NotKept from error

    async def _commit_for_ever(self) -> None:
        while self._waiting or not self._is_closing:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._commit(group)

    async def _commit(self, group: Sequence[tuple[Arrival, asyncio.Future[bool]]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            verdicts = await loop.run_in_executor(self._thread, self._keep, [arrival for arrival, _ in group])
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody of this group may be told that it is kept
            for _, kept in group:
                if not kept.done():
                    refusal = NotKept()
                    refusal.__cause__ = error
                    kept.set_exception(refusal)
            return
        for (_, kept), is_new in zip(group, verdicts, strict=True):
            if not kept.done():
                kept.set_result(is_new)
