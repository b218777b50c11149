"""The biggest hostile inputs, each in a forked child that is watched for its memory and its time (I22).

`python -m tests.fuzz.limits` prints for each input what came of it, its seconds of the processor, and how many MiB it took.
"""

import gzip
import json
import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from httpx_aiohttp import AiohttpTransport

from batch.api import ApiAccess, ProviderApi
from batch.poll import AT_A_TIME
from batch.responses import MOST_FILE_BYTES, MOST_PAGE_BYTES, read_acknowledgement, read_order_page, read_outcomes
from jobs.clock import MovableClock
from schemas.errors import MitbatchError
from tests.fuzz import listing
from tests.pure.samples import NOW, profile

ROOM = 2 << 30
"""What a child may take before it is stopped: far more than is allowed, so that no refused allocation looks like a refusal."""

SECONDS = 30
"""Time of the processor that an input may cost: on a busy machine a reader may have to wait."""
MOST_WAITING = 600
"""Seconds of the wall's clock after which a child is ended, however little it has worked: it waits for ever."""
Case = Callable[[], Callable[[], object]]
"""Prepares an input, and gives back what is measured: the reading of it."""

_BOMB = gzip.compress(b"0" * (512 << 20), 9)
_BODIES = {
    "bomb": (_BOMB, "gzip"),
    "double": (gzip.compress(_BOMB, 9), "gzip, gzip"),
    "endless": (b"", ""),
    "wide": (b'{"id": "k", "status": 7, "x": [' + b"[[[]]]," * 18_700 + b"0]}", ""),
}


class _Server(BaseHTTPRequestHandler):
    """A token for everybody, and a bomb of the kind that the path ends with."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """The token call."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b'{"accessToken": "eyJ.abc", "expires": 1795415400000}', "")

    def do_GET(self) -> None:
        """An order."""
        content, encoding = _BODIES[self.path.rpartition("/")[2]]
        if content:
            self._answer(content, encoding)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except OSError:
            self.close_connection = True

    def handle(self) -> None:
        """A client that hangs up on a bomb is right to."""
        with suppress(OSError):
            super().handle()

    def log_message(self, *_words: object) -> None:
        """Nothing is logged."""

    def _answer(self, content: bytes, encoding: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(content)


def _ask(url: str, what: str) -> str:
    clock = MovableClock(NOW)
    access = ApiAccess(url, lambda: "k", lambda: "s", timeout_seconds=20)
    api = ProviderApi(access, AiohttpTransport(), profile=profile(), clock=clock)
    try:
        answers = list(api.read_orders([what] * AT_A_TIME))
        return "refused" if answers[0].read is None else "read"
    finally:
        api.close()


def _list(entry: bytes, count: int) -> str:
    channel, _ = listing.session(listing.listing(*[entry] * count))
    try:
        return "read" if channel.entries("out") else "refused"
    except listing.NO_CLEAR_ANSWER:
        return "refused"


def _cases(url: str) -> dict[str, Case]:
    names, wide, page = profile(), MOST_FILE_BYTES - 100, MOST_PAGE_BYTES - 100

    def outcomes(unit: bytes, times: int = 0, closing: bytes = b"0") -> Case:
        def prepared() -> Callable[[], object]:
            content = b'{"mid": "m", "outcomes": [' + unit * (times or wide // len(unit)) + closing + b"]}"
            return lambda: read_outcomes(content, names)

        return prepared

    def sheet(unit: bytes, times: int = 0) -> Case:
        def prepared() -> Callable[[], object]:
            content = b"mid,orderId,status\n" + unit * (times or wide // len(unit))
            return lambda: read_outcomes(content, names)

        return prepared

    def orders(unit: bytes) -> Case:
        content = b'{"orders": [' + unit * (page // len(unit)) + b"0]}"
        return lambda: lambda: read_order_page(content, names)

    row = b'{"orderId": "a", "orderSessionKey": "k", "status": "COMPLETED"},'
    made: dict[str, Case] = {
        "a depth of 100,000": outcomes(b"[", 100_000, b"]" * 100_000),
        "a number of a million digits": outcomes(b"9", 1_000_000),
        "16 MB of backslashes": outcomes(b"", 1, b'"' + b"\\\\" * (wide // 2 - 50) + b'"'),
        "16 MB of escapes": outcomes(b"", 1, b'"' + b"\\u0041" * (wide // 6 - 50) + b'"'),
        "16 MB of quotes": outcomes(b'"'),
        "16 MB of spaces and one wide letter": outcomes(b" ", 0, '"\U0001f642"'.encode()),
        "16 MB of rows": outcomes(row),
        "as many rows as may be": outcomes(row, 124_000),
        "16 MB of empty lists": outcomes(b"[],"),
        "as many lists as may be": outcomes(b"[[[[0]]]],", 99_000),
        "as many fractions as may be": outcomes(b"0.1,", 499_000),
        "as many objects as may be": outcomes(b'{"":{"":0}},', 166_000),
        "16 MB of CSV quotes": sheet(b'"'),
        "16 MB of quoted cells": sheet(b'"' + b'""' * 1000 + b'",a,b\n'),
        "one CSV cell of 16 MB": sheet(b"a", wide - 30),
        "as many CSV rows as may be": sheet(b"m,a,b\n", 166_000),
        "as many CSV cells as may be": sheet(b"," * 49 + b"\n", 9_990),
        "4 MB of empty lists": orders(b"[],"),
        "4 MB of fractions": orders(b"0.1,"),
        "20 MB": lambda: lambda: read_acknowledgement(b" " * (20 << 20), names),
        "100,000 names": lambda: lambda: _list(listing.entry(b"outcomes_" + b"a" * 60), 100_000),
        "a name of 15 MB": lambda: lambda: _list(listing.text(b"a" * (15 << 20)) + listing.text(b"") + bytes(4), 1),
    }
    return made | {f"HTTP: {what}": (lambda what=what: lambda: _ask(url, what)) for what in _BODIES}


def _memory(what: str) -> int:
    """A figure of this process's memory, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def _watched(case: Case) -> tuple[str, int]:
    """What came of a case in this process, which ends after it, and the MiB that it took at its peak."""
    work = case()
    limit = _memory("VmData") * 1024 + ROOM
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(MOST_WAITING)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is counted from here
    resting = _memory("VmRSS")
    try:
        found = work()
        said = found if isinstance(found, str) else "read"
    except MitbatchError:
        said = "refused"
    except BaseException as error:  # noqa: BLE001 - its name is the result
        said = type(error).__name__
    return said, (_memory("VmHWM") - resting) >> 10


def measured(case: Case) -> tuple[str, float, int]:
    """What came of a case in a child, its seconds of the processor, and its MiB above the memory that it rested with."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, json.dumps(_watched(case)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as words:
        said, taken = json.loads(words.read() or b'["killed", 0]')
    used = os.wait4(child, 0)[2]
    return said, round(used.ru_utime + used.ru_stime, 2), taken


def measured_all() -> dict[str, tuple[str, float, int]]:
    """Every input, measured one after another."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    serving = os.fork()
    if serving == 0:
        server.serve_forever()
    try:
        return {name: measured(case) for name, case in _cases(f"http://127.0.0.1:{server.server_port}/v1/").items()}
    finally:
        os.kill(serving, signal.SIGTERM)
        os.waitpid(serving, 0)
        server.server_close()


def main() -> None:
    """Measure every input and print it as JSON."""
    print(json.dumps(measured_all()))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()
