"""A merchant's webhook endpoint for the tests: it keeps every delivery byte for byte and answers as it is told."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What arrived: headers in lower case and the raw body; `answers` are given in turn, then 200."""

    url: str = ""
    host: str = ""
    answers: list[int] = field(default_factory=list)
    deliveries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Keep one delivery and say what to answer."""
        with self.lock:
            self.deliveries.append((headers, body))
            return self.answers.pop(0) if self.answers else 200

    def payloads(self) -> list[dict[str, Any]]:
        """Every body as JSON."""
        return [json.loads(body) for _, body in self.deliveries]

    def events(self) -> list[str]:
        """Every event's name."""
        return [payload["Event"] for payload in self.payloads()]


@contextmanager
def listening() -> Iterator[Receiver]:
    """An endpoint on a loopback port of its own."""
    receiver = Receiver()

    class Taking(BaseHTTPRequestHandler):
        """Reads one body and answers."""

        def do_POST(self) -> None:
            """Take a delivery."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    receiver.host = f"127.0.0.1:{server.server_port}"
    receiver.url = f"http://{receiver.host}/hooks/fc?site=1"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def is_genuine(key: str, host: str, headers: dict[str, str], body: bytes) -> bool:
    """The three-step check of CONTRACT 12, written from its text with hashlib and hmac alone."""
    content_hash = base64.b64encode(hashlib.sha512(body).digest()).decode()
    if headers.get("x-fc-content-sha512") != content_hash:
        return False
    to_sign = "POST\n" + headers["x-fc-nonce"] + ";" + headers["x-fc-date"] + ";" + host + ";" + content_hash
    signature = base64.b64encode(hmac.new(base64.b64decode(key), to_sign.encode(), hashlib.sha512).digest()).decode()
    form, _, given = headers["x-fc-authorization"].partition("Signature=")
    return form == "HMAC-SHA512 SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512&" and given == signature
