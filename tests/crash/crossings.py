"""Counting every point at which a run touches the world, and dying at one of them.

A run in a forked child crosses a point before and after each commit, around each SFTP request (before it leaves, when it
has left and no answer was read, when the answer was read), around each login and each HTTP request, and around each file
that is made, synced, renamed or removed. The program itself knows nothing of this: the libraries under it are wrapped,
so an effect that is added to the program later is counted without a word here.
"""

import asyncio
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import paramiko
from httpx_aiohttp import AiohttpTransport
from paramiko.sftp import CMD_NAMES
from sqlalchemy.engine.default import DefaultDialect

REPOSITORY = Path(__file__).resolve().parents[2]
_PROGRAM = (f"{REPOSITORY}/batch/", f"{REPOSITORY}/jobs/")
SMALL_REQUEST = 6144
"""Bytes of a file that travel in one SFTP request here, so that there are points in the midst of a small file."""

_PLUMBING = ("batch/ledger/transaction.py", "batch/sftp", "batch/api.py", "batch/writeback.py", "batch/ledger/lease.py")
_RANDOM = re.compile(r"[0-9a-f]{12,32}")
_CHANGING = {"open", "write", "close", "remove", "rename", "setstat", "fsetstat", "mkdir"}
"""SFTP requests that change something at the server: there is a point between their leaving and their answer."""


class Crossings:
    """The points that this process has crossed, and what it does at one of them (counted from 1; 0: nothing anywhere).

    Between two effects nothing outside changes: the point after one and the point before the next are one point, unless
    other effects are under way.
    """

    def __init__(self) -> None:
        self.labels: list[str] = []
        self._at = 0
        self._late = False
        self._act: Callable[[str], None] = die
        self._lock = threading.Lock()
        self._muted = True
        self._under_way = 0
        self._at_rest = False

    def begin(self, at: int, act: Callable[[str], None] | None = None, *, late: bool = False) -> None:
        """Count from here on; at point `at` die by SIGKILL, or do `act` with the point's label.

        `late`: not when the effect before that point has happened, but when the one after it is about to begin, so that
        whatever the program looks at in between has been seen. Only for a point whose label names both.
        """
        self.labels.clear()
        self._at, self._act, self._late, self._muted = at, act or die, late, False
        self._under_way, self._at_rest = 0, False

    def rest(self) -> None:
        """Count no more."""
        self._muted = True

    def before(self, effect: str) -> None:
        """An effect is about to begin."""
        if self._muted:
            return
        with self._lock:
            is_new = not self._at_rest or self._under_way > 0
            self._under_way += 1
            if is_new:
                act = self._count(f"before {effect}")
            else:
                self.labels[-1] += _RANDOM.sub("*", f"; before {effect}")
                is_it = self._late and len(self.labels) == self._at
                act = partial(self._act, self.labels[-1]) if is_it else None
                self._late = self._late and not is_it  # an effect that turns out to be none leaves its point to the next
            self._at_rest = False
        _do(act)

    def midway(self, effect: str) -> None:
        """An effect has been asked for, and nobody knows yet what became of it."""
        if self._muted:
            return
        with self._lock:
            act = self._count(f"asked for {effect}")
        _do(act)

    def after(self, effect: str) -> None:
        """An effect has happened, or was refused by whoever was asked."""
        if self._muted:
            return
        with self._lock:
            self._under_way -= 1
            self._at_rest = True
            act = self._count(f"after {effect}")
        _do(act)

    def nothing_happened(self) -> None:
        """What was about to begin changed nothing."""
        if self._muted:
            return
        with self._lock:
            self._under_way -= 1
            self._at_rest = True

    def _count(self, label: str) -> Callable[[], None] | None:
        where = _RANDOM.sub("*", f"{label} in {_caller()}")
        self.labels.append(where)
        return partial(self._act, where) if len(self.labels) == self._at and not self._late else None


def _do(act: Callable[[], None] | None) -> None:
    if act is not None:
        act()


def die(_label: str) -> None:
    """End this process as a power switch would, as far as a process can tell."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _caller() -> str:
    """The nearest function of the program that is not plumbing."""
    frame: FrameType | None = sys._getframe(3)
    seen = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_PROGRAM):
            place = name.removeprefix(f"{REPOSITORY}/")
            seen = f"{place}:{frame.f_code.co_name}"
            if not place.startswith(_PLUMBING):
                break
        frame = frame.f_back
    return seen or "a thread"


def install(crossings: Crossings, folder: Path) -> None:
    """Wrap the libraries under the program, for this process and its forks. `folder` is where its files count."""
    _wrap_commits(crossings)
    _wrap_sftp(crossings)
    _wrap_http(crossings)
    _wrap_files(crossings, str(folder))
    _without_delay()


def _wrap_commits(crossings: Crossings) -> None:
    original: Any = DefaultDialect.do_commit

    def do_commit(self: DefaultDialect, dbapi_connection: Any) -> None:  # noqa: ANN401 - the driver's own type
        cursor = dbapi_connection.cursor()
        name = Path(cursor.execute("PRAGMA database_list").fetchone()[2]).stem
        cursor.close()
        crossings.before(f"commit {name}")
        original(self, dbapi_connection)
        crossings.after(f"commit {name}")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def _wrap_sftp(crossings: Crossings) -> None:
    client: Any = paramiko.SFTPClient
    ask = client._async_request

    def async_request(self: Any, fileobj: Any, kind: int, *given: Any) -> Any:  # noqa: ANN401 - paramiko's own types
        """A request that nobody waits for here: a pipelined write."""
        name = f"SFTP {CMD_NAMES[kind].lower()}"
        crossings.before(name)
        number = ask(self, fileobj, kind, *given)
        crossings.after(name)
        return number

    def whole_request(self: Any, kind: int, *given: Any) -> Any:  # noqa: ANN401 - paramiko's own types
        """The two steps of paramiko's own method, with a point between them."""
        name = CMD_NAMES[kind].lower()
        crossings.before(f"SFTP {name}")
        number = ask(self, type(None), kind, *given)
        if name in _CHANGING:
            crossings.midway(f"SFTP {name}")
        try:
            return self._read_response(number)
        finally:
            crossings.after(f"SFTP {name}")

    client._async_request, client._request = async_request, whole_request
    paramiko.SFTPFile.MAX_REQUEST_SIZE = SMALL_REQUEST
    for name in ("start_client", "auth_publickey"):
        _wrap(paramiko.Transport, name, lambda *_, name=name: f"SSH {name}", crossings)


def _wrap_http(crossings: Crossings) -> None:
    """One request at a time, so that the points come in the same order every time."""
    original = AiohttpTransport.handle_async_request

    async def send(self: AiohttpTransport, request: httpx.Request) -> httpx.Response:
        name = f"HTTP {request.method} {request.url.path.rpartition('/')[0]}"
        lock: asyncio.Lock = vars(self).setdefault("one_at_a_time", asyncio.Lock())
        async with lock:
            crossings.before(name)
            try:
                return await original(self, request)
            finally:
                crossings.after(name)

    AiohttpTransport.handle_async_request = send  # type: ignore[method-assign]


def _wrap_files(crossings: Crossings, folder: str) -> None:
    def named(path: Any, *_: Any) -> str:  # noqa: ANN401 - whatever the os module takes
        text = str(Path(f"/proc/self/fd/{path}").readlink()) if isinstance(path, int) else os.fspath(path)
        return Path(text).name if str(text).startswith(folder) else ""

    def made(path: Any, flags: int, *_: Any) -> str:  # noqa: ANN401 - whatever the os module takes
        name = named(path) if flags & os.O_CREAT else ""
        return "" if name.endswith(".new") else name

    for name, label in (("open", made), ("fsync", named), ("replace", named), ("unlink", named), ("mkdir", named)):
        _wrap(os, name, lambda *given, label=label, name=name: (said := label(*given)) and f"{name} {said}", crossings)


def _wrap(owner: Any, name: str, label: Callable[..., str], crossings: Crossings) -> None:  # noqa: ANN401 - a class or module
    original = getattr(owner, name)

    def wrapped(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the original takes
        said = label(*given)
        if not said:
            return original(*given, **named)
        crossings.before(said)
        try:
            outcome = original(*given, **named)
        except Exception:
            crossings.nothing_happened()
            raise
        crossings.after(said)
        return outcome

    setattr(owner, name, wrapped)


def _without_delay() -> None:
    """Send small packets at once: a run is a hundred small questions, and each would wait 40 ms for nothing."""
    original = socket.create_connection

    def create_connection(*given: Any, **named: Any) -> socket.socket:  # noqa: ANN401 - whatever the original takes
        connection = original(*given, **named)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    socket.create_connection = create_connection
