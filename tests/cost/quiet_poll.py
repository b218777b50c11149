"""Print what a poll costs that finds nothing new: `python -m tests.cost.quiet_poll [POLLS]`, after a night of the sample orders.

Statements, transactions, commits, and milliseconds of the processor and by the clock, of each of so many polls (by default 5)
in one process that has loaded everything.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from tests.commands.merchant_folder import merchant_folder

COUNTED = ("before_cursor_execute", "begin", "commit")


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count statements, transactions and commits of every database of this process."""
    found = Counter[str]()

    def seen_as(name: str) -> Callable[..., None]:
        def seen(_connection: Connection, *_: object) -> None:
            found[name] += 1

        return seen

    listeners = {name: seen_as(name) for name in COUNTED}
    for name, seen in listeners.items():
        event.listen(Engine, name, seen)
    try:
        yield found
    finally:
        for name, seen in listeners.items():
            event.remove(Engine, name, seen)


def main(polls: int) -> None:
    """A night, then the polls, a line each."""
    with tempfile.TemporaryDirectory() as folder, merchant_folder(Path(folder) / "merchant") as merchant:
        merchant.run("--quiet nightly")
        for _ in range(polls):
            with counting() as found:
                wall, processor = time.monotonic(), time.process_time()
                merchant.run("--quiet poll")
                wall, processor = time.monotonic() - wall, time.process_time() - processor
            counts = ", ".join(
                f"{found[name]} {word}" for name, word in zip(COUNTED, ("statements", "begun", "commits"), strict=True)
            )
            sys.stdout.write(f"{counts}, {processor * 1000:.0f} ms of the processor, {wall * 1000:.0f} ms\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
