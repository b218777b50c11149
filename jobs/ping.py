"""The ping that a dead man's switch waits for: start and end of each night, by healthchecks.io's protocol (`[alerts]`).

`POST URL/start`, then `POST URL` for exit 0, `URL/<code>` for any other, `URL/log` for 21, which says nothing of the night.
A ping that fails fails no run: it is told in one line. The address is as good as a password, and is never printed whole.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from schemas.counted import counted
from schemas.errors import ExitCode

TRIES, PAUSE_SECONDS, TIMEOUT_SECONDS = 3, 1.0, 5.0
MOST_BYTES = 10_000
"""Of a body, the self-hosted service keeps so much by default."""


@dataclass(frozen=True, slots=True)
class Ping:
    """One address, and the id that pairs a start with its end. `sleep` waits between two tries."""

    url: str
    sleep: Callable[[float], None]
    rid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def start(self) -> str:
        """Say that a run begins. Returns what went wrong, in one sentence; empty where nothing did."""
        return self._post("start", "")

    def end(self, code: ExitCode, body: str) -> str:
        """Say how the run ended."""
        ending = {ExitCode.CLEAN: "", ExitCode.ANOTHER_RUN: "log"}.get(code, str(int(code)))
        return self._post(ending, body)

    def _post(self, ending: str, body: str) -> str:
        if not self.url:
            return ""
        import httpx

        problem = ""
        for number in range(TRIES):
            if number:
                self.sleep(PAUSE_SECONDS * number)
            try:
                with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
                    answer = client.post(self._address(ending), content=shortened(body).encode())
                if answer.is_success:
                    return ""
                problem = f"HTTP {answer.status_code}"
                if answer.is_client_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    break  # asking again changes nothing
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                problem = type(error).__name__
        return f"The ping to {host_of(self.url)} failed ({problem}). The run is not touched by it. [MB-PING]"

    def _address(self, ending: str) -> str:
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/") + (f"/{ending}" if ending else "")
        query = "&".join(each for each in (parts.query, f"rid={self.rid}") if each)
        return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def host_of(url: str) -> str:
    """The part of a ping's address that may be shown."""
    return urlsplit(url).hostname or "nowhere"


def shortened(body: str) -> str:
    """A body of at most MOST_BYTES: lines before the last five are left out, and their number stands in their place."""
    lines, tail = body.splitlines(), body.splitlines()[-5:]
    if len(body.encode()) <= MOST_BYTES:
        return body
    kept, left = list[str](), MOST_BYTES - len("\n".join(tail).encode()) - 40
    for line in lines[: -len(tail)]:
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line)
    cut = len(lines) - len(kept) - len(tail)
    whole = "\n".join([*kept, f"... {counted(cut, 'line')} left out", *tail])
    return whole.encode()[:MOST_BYTES].decode(errors="ignore")
