"""How long a run takes to say that it has heard Ctrl-C, beside a process that does nothing else (INTERFACE rule 22: 0.1 s).

Part of `python -m tests.cost.start_times`. It is a measurement, not a test: what a busy machine lets a process wait is not ours.
"""

import signal
import statistics
import subprocess
import sys
import time

from tests.commands.merchant_folder import MerchantFolder
from tests.commands.terminals import running

TIMES = 5
HEARD = "SIGINT: finishing the step in hand"
STAGES = ("write back", "choose", "deliver", "acknowledgements", "poll", "listing")
BARE = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: print("heard", file=sys.stderr, flush=True))
print("up", flush=True)
time.sleep(60)
"""


def bare_seconds() -> float:
    """The least that this machine needs: a process that only waits, has a handler of one line, and is heard over a pipe."""
    with subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.stderr.readline()
        seconds = time.monotonic() - began
        process.kill()
    return seconds


def seconds_in(merchant: MerchantFolder, stage: str) -> float | None:
    """How long a nightly takes to answer Ctrl-C right after a stage has begun; None where the stage did not come."""
    with running(merchant, "--verbose nightly") as command:
        if not command.err.saw(f"at work: {stage}"):
            return None
        began = time.monotonic()
        command.interrupt()
        return time.monotonic() - began if command.err.saw(HEARD) else None


def lines(merchant: MerchantFolder) -> list[str]:
    """A line for each stage of a nightly that came: the middle and the worst of five, and how often the bare process's time."""
    floor = statistics.median(bare_seconds() for _ in range(TIMES))
    found = [f"{'Ctrl-C, a bare process':<28}{floor * 1000:8.1f} ms"]
    for stage in STAGES:
        heard = sorted(seconds for _ in range(TIMES) if (seconds := seconds_in(merchant, stage)) is not None)
        if heard:
            middle = statistics.median(heard)
            figures = f"{middle * 1000:8.1f} ms, {middle / floor:.1f} times that; worst {heard[-1] * 1000:.1f} ms"
            found.append(f"{'Ctrl-C in ' + stage:<28}{figures}")
    return found
