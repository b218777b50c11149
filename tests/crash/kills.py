"""Killing a run at no labelled point: after so many milliseconds, or at its n-th call of the system by one name."""

import os
import shutil
import signal
import subprocess
import time
from functools import cache

SYSCALLS = {"fdatasync": 20, "fsync": 9, "rename": 7, "sendto": 12, "write": 8, "pwrite64": 115}
"""Calls of the system that change something outside, and about how many of each one thread of a short run makes."""


def why_not_traced() -> str:
    """Why no run can be killed by strace here; empty when one can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    return "" if _may_attach() else "the machine does not let strace attach to a process"


@cache
def _may_attach() -> bool:
    with subprocess.Popen(["sleep", "60"]) as other:
        tracer = trace(other.pid, "fsync", 1)
        other.kill()
        if tracer is None:
            return False
        tracer.communicate(timeout=30)
        return True


def trace(pid: int, syscall: str, when: int) -> subprocess.Popen[str] | None:
    """A strace that kills this process at its `when`-th such call, once it is attached; None when it may not be."""
    command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={syscall}", "-p", str(pid)]
    command += ["-e", f"inject={syscall}:signal=KILL:when={when}"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    if "attached" in tracer.stderr.readline():
        return tracer
    tracer.communicate(timeout=30)
    return None


def kill_after(pid: int, milliseconds: int) -> None:
    """Kill a child in so many milliseconds; one that has ended by then waits for its parent and feels nothing."""
    time.sleep(milliseconds / 1000)
    os.kill(pid, signal.SIGKILL)
