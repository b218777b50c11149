"""Counting what comes to the door of webhooks: in memory as it comes, in the ledger every few seconds.

Whoever cannot sign may come as often as they like: what is counted of them costs no transaction each.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from batch.day_counts import Figures, labelled
from batch.webhooks import ORDER_EVENTS, PAYOUT_EVENTS, read_webhook
from jobs.metrics.samples import UNREAD
from schemas.errors import AnswerUnreadable, MitbatchError

EVERY_SECONDS = 10.0
"""So often what was counted is written down; a server that is killed forgets what came since."""

_METRIC = "mitbatch_webhooks"
_KNOWN = ORDER_EVENTS | PAYOUT_EVENTS
_RESULTS = {
    "stored": "accepted",
    "duplicate": "replayed",
    "stale": "stale",
    "bad_headers": "bad_signature",
    "bad_signature": "bad_signature",
}


class WebhookCounts:
    """Counts on the event loop, and keeps on the threads of `apart`."""

    def __init__(self, keep: Callable[[Figures], None], apart: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        self._keep, self._apart = keep, apart
        self._figures: Figures = Counter()
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write down."""
        self._work = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """Write down what is left, and end."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work
        await self.write_down()

    def count(self, result: str, body: bytes) -> None:
        """Count one webhook by what was answered; what was not kept is told to come again, and counts then."""
        found = _RESULTS.get(result)
        if found is None:
            return
        event = _event(body) if found in {"accepted", "replayed"} else UNREAD
        if event not in _KNOWN and found == "accepted":
            found = "unknown"
        self._figures[_METRIC, labelled(event if event in {*_KNOWN, UNREAD} else "other", found)] += 1

    async def write_down(self) -> None:
        """Add what was counted to the ledger. What cannot be added now waits for the next time."""
        figures, self._figures = self._figures, Counter()
        if not figures:
            return
        try:
            await self._apart(lambda: self._keep(figures))
        except MitbatchError:
            self._figures.update(figures)

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.write_down()


def _event(body: bytes) -> str:
    try:
        return read_webhook(body).event
    except AnswerUnreadable:
        return "other"
