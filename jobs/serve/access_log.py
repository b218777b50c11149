"""What `serve` says about each request: one JSON object on a line of its own, with nothing of what was sent.

No header, no body, no order id: the route by its name, what was answered, why, and how long it took.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from batch.equipment import Clock
from batch.pace import utc_text


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Writes to a stream, unless it shall be quiet."""

    clock: Clock
    stream: TextIO
    is_quiet: bool = False

    def begin(self) -> Callable[[str, int, str], None]:
        """A request has come; call what is returned with its route, HTTP status and result when it is answered."""
        started = self.clock.monotonic()

        def end(route: str, status: int, result: str) -> None:
            if self.is_quiet:
                return
            milliseconds = round(1000 * (self.clock.monotonic() - started), 1)
            row = {"at": utc_text(self.clock.now()), "route": route, "status": status, "result": result, "ms": milliseconds}
            self.stream.write(json.dumps(row) + "\n")
            self.stream.flush()

        return end
