"""A relay on loopback between the merchant and a server: what passes through it can be cut, stalled, sliced or swallowed."""

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Self

KINDS = ("cut", "reset", "half", "stall", "slow", "slice", "swallow")
"""What can be done to a line: closed; reset; told that no more will come while it stays open; no byte moves any more; a
byte every second; every byte on its own; what the server says is lost until it has acted, and then the line is cut."""

_GENTLE = ("slice", "slow")
_ANSWERS_WITHIN = 0.3
"""So long what the server says is swallowed, from its first word after the client's on: that shows that it is acting."""
_PATIENCE_SECONDS = 30.0


class _Pair:
    """One connection through the relay."""

    def __init__(self, relay: "Relay", client: socket.socket, server: socket.socket) -> None:
        self.relay, self.client, self.server = relay, client, server
        self.ill = ""
        self.allowed = 0
        self.was_asked = False
        self.swallows_until = 0.0
        threading.Thread(target=self._pump, daemon=True).start()

    def strike(self, kind: str, after: int) -> None:
        """Let this happen once `after` more bytes of the client have passed."""
        self.allowed, self.ill = after, kind
        if kind == "swallow":
            self.swallows_until = time.monotonic() + _PATIENCE_SECONDS

    def close(self, *, reset: bool = False) -> None:
        """End both sides."""
        for side in (self.client, self.server):
            with suppress(OSError):
                if reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    side.shutdown(socket.SHUT_RDWR)
            side.close()

    def _pump(self) -> None:
        try:
            while self._once():
                pass
        except (OSError, ValueError):
            self.close()

    def _once(self) -> bool:
        if self.ill == "swallow" and time.monotonic() > self.swallows_until:
            self.close()
            return False
        sides = {self.client: self.server, self.server: self.client}
        readable, _, _ = select.select([*sides], [], [], 0.05)
        for side in readable:
            content = side.recv(32768)
            if not content:
                self.close()
                return False
            if not self._pass(content, sides[side], from_client=side is self.client):
                return False
        return True

    def _pass(self, content: bytes, to: socket.socket, *, from_client: bool) -> bool:
        if not self.ill:
            to.sendall(content)
            return True
        self.was_asked |= from_client
        if from_client and self.allowed > 0 and self.ill not in _GENTLE:
            passing, content = content[: self.allowed], content[self.allowed :]
            self.allowed -= len(passing)
            to.sendall(passing)
            if not content:
                return True
        if self.ill == "swallow":
            if from_client:
                to.sendall(content)
            elif self.was_asked:
                self.swallows_until = min(self.swallows_until, time.monotonic() + _ANSWERS_WITHIN)
            return True
        return self._suffer(content, to)

    def _suffer(self, content: bytes, to: socket.socket) -> bool:
        if self.ill in _GENTLE:
            to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(len(content)):
                to.sendall(content[number : number + 1])
                if self.ill == "slow":
                    time.sleep(1)
            return True
        if self.ill in ("cut", "reset"):
            self.close(reset=self.ill == "reset")
            return False
        if self.ill == "half":
            self.client.shutdown(socket.SHUT_WR)
        self.relay.ended.wait(30)  # stalled, or half closed: not a byte more
        self.close()
        return False


class Relay:
    """Carries every connection to `target`, and lets a fault strike the open ones or the next ones."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.ended = threading.Event()
        self.fired = 0
        self.next_kind, self.next_after = "", 0
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """It carries already."""
        return self

    def __exit__(self, *failure: object) -> None:
        """End every line."""
        self._listener.close()
        self.heal()

    def strike(self, kind: str, after: int = 0) -> None:
        """The lines that are open now suffer this, once so many more bytes of the client have passed."""
        self.fired += 1
        for pair in self._pairs:
            pair.strike(kind, after)

    def strike_next(self, kind: str, after: int = 0) -> None:
        """Every new line suffers this from its beginning."""
        self.next_kind, self.next_after = kind, after

    def heal(self) -> None:
        """New lines are well; those that suffered end."""
        self.next_kind = ""
        self.ended.set()
        self.ended = threading.Event()
        for pair in self._pairs:
            if pair.ill:
                pair.close()
        self._pairs = []

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        if self.next_kind == "refuse":
            self.fired += 1
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        pair = _Pair(self, client, server)
        self._pairs.append(pair)
        if self.next_kind:
            self.fired += 1
            pair.strike(self.next_kind, self.next_after)
