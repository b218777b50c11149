"""How much memory one comparison takes above what the process rests with, measured in a child of its own."""

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.comparison.books import ListingProvider, books


@dataclass(frozen=True)
class Measured:
    """One comparison: what it found, the seconds that it took, and its peak of memory above rest, in KiB."""

    orders: int
    equal: int
    matches: dict[str, int]
    seconds: float
    peak_kib: int


def measured(orders: int, *, lost: int = 0, changed: int = 0, more: int = 0) -> Measured:
    """Compare so many orders in a child, which leaves its figures behind."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        child = os.fork()
        if child == 0:
            code = 1
            try:
                figures.write_text(json.dumps(_compare(Path(folder), orders, lost, changed, more)), encoding="utf-8")
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        return Measured(**json.loads(figures.read_text(encoding="utf-8")))


def _compare(folder: Path, orders: int, lost: int, changed: int, more: int) -> dict[str, object]:
    with books(folder, ListingProvider(orders, lost, more), changed=changed) as made:
        resting = _memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
        began = time.monotonic()
        compared = made.compare()
        seconds = time.monotonic() - began
        peak = _memory("VmHWM") - resting
    matches = {match.value: total.orders for (match, _), total in compared.matches.items()}
    return {"orders": compared.orders, "equal": compared.equal, "matches": matches, "seconds": seconds, "peak_kib": peak}


def _memory(name: str) -> int:
    """A figure of this process's memory, in KiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)
