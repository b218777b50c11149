"""A provider that takes 50 ms for every call and does nothing else: `python -m tests.call_speed.server` prints its port."""

import asyncio
import json
import sys
import time
import uuid

SECONDS = 0.05


class Connection(asyncio.Protocol):
    """One client's connection: requests come in, each is answered after 50 ms."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._content = transport, b""

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; each that is whole is answered in time."""
        self._content += data
        while (end := self._content.find(b"\r\n\r\n")) >= 0:
            head = self._content[:end].lower()
            _, _, length = head.partition(b"content-length:")
            size = int(length.split(b"\r\n")[0]) if length else 0
            if len(self._content) < end + 4 + size:
                return
            self._content = self._content[end + 4 + size :]
            asyncio.get_running_loop().call_later(SECONDS, self._answer, b"oauth2/token" in head)

    def _answer(self, is_token: bool) -> None:
        if self._transport.is_closing():
            return
        key = str(uuid.uuid4())
        order = {"orderSessionKey": key, "orderId": key, "success": True, "result": "Success", "status": "SUBMITTED"}
        token = {"accessToken": "a-token", "expires": int(time.time() * 1000) + 600_000}
        body = json.dumps(token if is_token else order).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve() -> None:
    """Serve until the process is ended, and say on which port."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
