"""One POST to the registered address, which is on this machine only; no redirect is followed."""

import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ANSWER_SECONDS = 5
_PIECES = 10
_PAUSE_SECONDS = 0.1
MAX_URL = 2000


@dataclass(frozen=True)
class Endpoint:
    """A merchant's webhook address on loopback."""

    url: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host as the Host header names it, with the port unless it is 80."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == 80 else f"{name}:{self.port}"


def endpoint_of(url: str) -> Endpoint:
    """Read an address. Raises `ValueError` for one that is not plain http on loopback."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    printable = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL
    if not printable or parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.username is not None:
        message = "the address is not http://127.0.0.1:PORT/PATH: the sandbox tells nothing to other machines"
        raise ValueError(message)
    path = parts.path or "/"
    return Endpoint(url, parts.hostname, port or 80, f"{path}?{parts.query}" if parts.query else path)


def post(endpoint: Endpoint, headers: dict[str, str], body: bytes, *, slow: bool = False) -> tuple[int | None, str]:
    """Send one delivery and return the HTTP status, or None and why there is none. It waits five seconds at most."""
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=_ANSWER_SECONDS)
    try:
        sized = {"Host": endpoint.authority, "Content-Length": str(len(body)), **headers}
        connection.request("POST", endpoint.path, _pieces(body) if slow else body, sized)
        answer = connection.getresponse()
        answer.read(1024)
        return answer.status, ""
    except (OSError, http.client.HTTPException) as error:
        return None, type(error).__name__
    finally:
        connection.close()


def _pieces(body: bytes) -> Iterator[bytes]:
    size = max(1, -(-len(body) // _PIECES))
    for start in range(0, len(body), size):
        time.sleep(_PAUSE_SECONDS)
        yield body[start : start + size]
