"""How requests leave this machine: over aiohttp, with errors that say whether anything left."""

import functools
import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport


class MachineTransport(AiohttpTransport):
    """A transport of httpx's over aiohttp's connections.

    The transport under it calls every broken connection a timeout while connecting, one as well that broke after the
    request had left. Here ConnectError means that no connection came about, so that nothing was sent, and ReadError that
    nobody can tell. aiohttp repeats no POST by itself.
    """

    def __init__(self) -> None:
        super().__init__(verify=_no_authority(), trust_env=False)

    def get_client(self) -> aiohttp.ClientSession:
        """The session for all requests; only now, when the first one leaves, the authorities are read."""
        self.ssl_context = trusted_authorities()
        return super().get_client()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back."""
        try:
            return await super().handle_async_request(request)
        except httpx.HTTPError as error:
            if isinstance(error.__cause__, aiohttp.ClientConnectorError):
                raise httpx.ConnectError(str(error)) from error
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                raise httpx.ReadError(str(error)) from error
            raise


@functools.cache
def trusted_authorities() -> ssl.SSLContext:
    """What a certificate is checked by: read once, because reading all authorities takes as long as a short run does."""
    return httpx.create_ssl_context(trust_env=False)


@functools.cache
def _no_authority() -> ssl.SSLContext:
    """Stands in until a request leaves: with it no certificate would be believed."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
