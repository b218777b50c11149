"""A connection that may not be held open by a request that never comes to an end of its head."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_SECONDS = 5.0
"""So long may the head of a request take to arrive, from its first byte or from the connection on."""

MOST_HEAD_BYTES = 16 * 1024


class TimedConnection(H11Protocol):
    """uvicorn's own connection, closed when a head takes too long. Bodies have their own deadline."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is due from now on."""
        super().connection_made(transport)
        self._head = self.loop.call_later(MOST_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a head that is not whole yet, or of what follows one."""
        if self._head is None and (self.cycle is None or self.cycle.response_complete):
            self._head = self.loop.call_later(MOST_SECONDS, self.transport.close)
        super().data_received(data)
        if self._head is not None and self.cycle is not None and not self.cycle.response_complete:
            self._head.cancel()
            self._head = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        if self._head is not None:
            self._head.cancel()
        super().connection_lost(exc)
