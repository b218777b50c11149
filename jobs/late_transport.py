"""A transport that is made when the first request leaves: many a run asks the API nothing, and loading one takes a while."""

from collections.abc import Callable

import httpx

from schemas.errors import ConfigurationError


class LateTransport(httpx.AsyncBaseTransport):
    """Carries requests over the transport that `make` gives, which is called once, or never."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._made: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back. Raises ConfigurationError where what carries it cannot be loaded."""
        if self._made is None:
            try:
                self._made = self._make()
            except ImportError as error:  # the provider has not been asked, so it is not said that it does not answer
                raise ConfigurationError(
                    f"What carries requests to the provider's API cannot be loaded ({error}).",
                    next_step="Install what it needs once more, as the README says; mitbatch doctor names what is missing.",
                ) from error
        return await self._made.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what was made."""
        if self._made is not None:
            await self._made.aclose()
