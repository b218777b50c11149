"""Reading a request's body: so many bytes at most, within so many seconds, whatever the sender announces."""

import asyncio

from starlette.requests import ClientDisconnect, Request

MOST_SECONDS = 5.0
"""So long may a body take to arrive: a webhook's few hundred bytes come at once."""


class BodyRefused(Exception):
    """The body is not read any further; `status` is what HTTP calls the reason."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def bounded_body(request: Request, most_bytes: int) -> bytes:
    """The raw body. Raises BodyRefused: 413 for one that is too large, 408 for one that is too slow, 400 for one that is cut.

    A length that is announced is judged before anything is read; what comes in pieces is judged as it comes.
    """
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdecimal()) or int(announced[:20]) > most_bytes:
        raise BodyRefused(413)
    body = bytearray()
    try:
        async with asyncio.timeout(MOST_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most_bytes:
                    raise BodyRefused(413)
    except TimeoutError as error:
        raise BodyRefused(408) from error
    except ClientDisconnect as error:
        raise BodyRefused(400) from error
    return bytes(body)
