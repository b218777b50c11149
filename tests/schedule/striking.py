"""`python -m tests.schedule.striking CONFIG`: a schedule in this process, struck at each line of its main thread."""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from jobs import schedule_timers
from jobs.output import Options
from jobs.schedule_signals import Stop
from jobs.settings_file import load_settings
from schemas.errors import ExitCode

WATCHED = ("schedule_signals.py", "schedule_timers.py", "threading.py", "thread.py", "background.py", "blocking.py")


class Striker:
    """Strikes at the line of this number, counted from 1, of the code that is watched; with 0 it only counts."""

    def __init__(self, at: int) -> None:
        self.lines, self._at = 0, at

    def trace(self, frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - as sys.settrace wants it
        """One step of the interpreter."""
        if not frame.f_code.co_filename.endswith(WATCHED) or frame.f_code.co_name in ("_signalled", "_pass_on"):
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self._at:
                os.kill(os.getpid(), signal.SIGTERM)
        return self.trace


def ended(config: Path, at: int) -> int:
    """Run the schedule, struck at this line and, by its first look, while it waits. Returns how many lines there were."""
    settings, striker, stop = load_settings(config), Striker(at), Stop()
    looked = threading.Event()

    def look(_schedule: object, _timers: object) -> None:
        if not looked.is_set():
            looked.set()
            os.kill(os.getpid(), signal.SIGTERM)

    schedule_timers.Schedule._look = look  # type: ignore[method-assign,assignment]
    with stop.listening():
        schedule = schedule_timers.Schedule(Options(config, quiet=True), settings, stop)
        sys.settrace(striker.trace)
        try:
            code = schedule.run()
        finally:
            sys.settrace(None)
    assert code is ExitCode.TERMINATED
    assert stop.is_asked
    return striker.lines


if __name__ == "__main__":
    ended(Path(sys.argv[1]), 0)
    lines = ended(Path(sys.argv[1]), 0)
    for number in range(1, lines + 1):
        ended(Path(sys.argv[1]), number)
    sys.stdout.write(f"{lines} lines\n")
