"""The HTTP listener: starlette and uvicorn around the API and the controls, with bounded bodies."""

import asyncio
import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from jobs.sandbox.control_api import Controls
from jobs.sandbox.http_api import ROUTES, Asked, Office, answer
from jobs.sandbox.http_faults import Answer
from jobs.sandbox.portal import visited

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class HttpServer:
    """Serve one office on a loopback port until stopped. `start` and `stop` run on the sandbox's loop."""

    office: Office
    controls: Controls
    max_body_bytes: int
    port: int = 0
    tls: ssl.SSLContext | None = None
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None
    _transports: dict[tuple[str, int], asyncio.Transport] = field(default_factory=dict)

    async def start(self) -> None:
        """Listen; `port` is the real one afterwards. Raises `OSError` if the port is taken."""
        # asyncio sends without delay only on sockets that name their protocol; else each answer waits 40 ms
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._application(),
            http=self._protocol(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.ssl = self.tls
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        for transport in list(self._transports.values()):
            transport.close()
        await self._serving

    def _protocol(self) -> type[H11Protocol]:
        transports = self._transports

        class KnownConnection(H11Protocol):
            """A connection that can be found by its peer, so that a fault can reset it."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return KnownConnection

    def _application(self) -> Starlette:
        routes = [Route(path, self._endpoint, methods=[method], name=name) for name, path, method in ROUTES]
        routes.append(Route("/_sandbox/{path:path}", self._control, methods=["GET", "POST", "DELETE"]))
        return Starlette(routes=routes)

    async def _endpoint(self, request: Request) -> Response:
        body = await self._bounded_body(request)
        if body is None:
            return Response(status_code=413, headers={"Connection": "close"})
        asked = Asked(
            route=request.scope["route"].name,
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            order_key=request.path_params.get("key", ""),
            authorization=request.headers.get("authorization"),
            content_type=request.headers.get("content-type", ""),
            body=body,
        )
        given, reset = await answer(self.office, asked)
        if reset:
            self._reset(request)
        return _response(given)

    async def _control(self, request: Request) -> Response:
        body = await self._bounded_body(request)
        if body is None:
            return Response(status_code=413, headers={"Connection": "close"})
        path = request.path_params["path"]
        query, headers = dict(request.query_params), dict(request.headers)
        return _response(visited(self.controls, request.method, path, query, body, headers))

    async def _bounded_body(self, request: Request) -> bytes | None:
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self.max_body_bytes:
            return None
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self.max_body_bytes:
                return None
        return bytes(body)

    def _reset(self, request: Request) -> None:
        peer = request.client
        transport = self._transports.get((peer.host, peer.port)) if peer else None
        if transport is None:
            return
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        transport.abort()


def _response(given: Answer) -> Response:
    if given.stream is not None:
        return StreamingResponse(given.stream(), given.status, given.headers, given.media_type)
    return Response(given.body, status_code=given.status, media_type=given.media_type, headers=given.headers)
