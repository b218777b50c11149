"""A line that takes its time: a relay on loopback in a process of its own, which hands on every byte half a round trip later.

It models latency alone: no loss, no slow start, no limit of bandwidth, no jitter, and the handshake of TCP itself is not delayed.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.commands.walking import environment

SFTP_ROUND_TRIP = 0.040
"""Seconds of a round trip to the provider's SFTP server."""
_AT_ONCE = 1 << 18
_MOST_WAITING = 1 << 14
"""Pieces under way in one direction: at 40 ms a line of many gigabits fits, so latency alone is what limits."""


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Hand on what comes, each piece `delay` seconds after it came; several are under way at once."""
    loop, waiting = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]](_MOST_WAITING)

    async def hand_on() -> None:
        while True:
            due, content = await waiting.get()
            if (rest := due - loop.time()) > 0:
                await asyncio.sleep(rest)
            if not content:
                with suppress(OSError):
                    writer.write_eof()
                return
            writer.write(content)
            await writer.drain()

    handing = asyncio.ensure_future(hand_on())
    with suppress(OSError):
        while content := await reader.read(_AT_ONCE):
            await waiting.put((loop.time() + delay, content))
    await waiting.put((loop.time() + delay, b""))
    with suppress(OSError):
        await handing


async def _serve(target: int, round_trip: float) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target, limit=_AT_ONCE)
        await asyncio.gather(_carry(reader, back, round_trip / 2), _carry(there, writer, round_trip / 2))
        writer.close()
        back.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, limit=_AT_ONCE)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def delayed(target: int, round_trip: float) -> Iterator[int]:
    """The port of a line to `target` whose round trip takes so many seconds."""
    words = [sys.executable, "-m", "tests.benchmarks.delays", str(target), str(round_trip)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment(), text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
