"""A command of the program with a stopwatch at each stage: `python -m tests.benchmarks.staged TIMES.json --config ... nightly`.

Each stage gets the processor's seconds of its own thread, without those of the stages that it calls; what is in none is "rest".
"""

import functools
import gc
import importlib
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.__main__ import COLLECTED
from jobs.cli import run

STAGES = {
    "select and gate": ["batch.pipeline:choose", "batch.choosing:verdicts"],
    "claim": ["batch.choosing:claim"],
    "hold": ["batch.choosing:hold", "batch.delivery:hold"],
    "intend": ["batch.delivery:intend"],
    "build": ["batch.delivery:canonical_csv", "batch.delivery:render", "batch.delivery:rows_of_batch"],
    "export": ["batch.export:ExportFolder.write"],
    "upload": ["batch.sftp:SftpFolder.write_part", "batch.sftp:SftpFolder.publish", "batch.sftp:SftpFolder.size_of"],
    "acknowledgement": ["batch.pipeline:collect"],
    "poll": ["batch.pipeline:poll"],
    "write-back": ["batch.pipeline:write_back"],
    "audit": ["jobs.running:_audit"],
    "close": ["jobs.running:_end"],
}
"""Where each stage of a night is entered."""


class Stopwatch:
    """Seconds of the processor by stage, of all threads."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._mine = threading.local()
        self._lock = threading.Lock()

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @functools.wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
            entered, mine = time.thread_time(), self._mine
            inner, mine.inner = getattr(mine, "inner", 0.0), 0.0
            try:
                return function(*arguments, **options)
            finally:
                took = time.thread_time() - entered
                with self._lock:
                    self.seconds[stage] += took - mine.inner
                mine.inner = inner + took

        return timed

    def set_up(self) -> None:
        """Put it around every stage."""
        for stage, places in STAGES.items():
            for place in places:
                module, _, path = place.partition(":")
                *owners, name = path.split(".")
                owner: Any = importlib.import_module(module)
                for each in owners:
                    owner = getattr(owner, each)
                setattr(owner, name, self.around(stage, getattr(owner, name)))


def main(times: Path, words: list[str]) -> int:
    """Run the command, write down what its stages took, and return its exit code."""
    gc.set_threshold(*COLLECTED)
    began, watch = time.process_time(), Stopwatch()
    watch.set_up()
    try:
        return run(words)
    finally:
        found = dict(watch.seconds)
        found["rest"] = time.process_time() - began - sum(found.values())
        times.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
