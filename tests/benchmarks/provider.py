"""The pretend provider in a process of its own: `python -m tests.benchmarks.provider FOLDER` writes a merchant's settings there.

It ends when its input does. A line of input is a number of seconds by which its clock leaps.
"""

import sys
from datetime import timedelta
from pathlib import Path

from jobs.clock import ShiftedClock
from jobs.sandbox import Sandbox

WAIT_SECONDS = 3600
"""A million orders need more than the usual minute to be read by one process."""


def main(folder: Path) -> None:
    """Serve until the input ends."""
    with Sandbox(folder / "provider", clock=ShiftedClock()) as sandbox:
        text = sandbox.settings_toml("var", "sqlite:///orders.db")
        usual = "acknowledgement_wait_seconds = 60"
        assert usual in text
        text = text.replace(usual, f"acknowledgement_wait_seconds = {WAIT_SECONDS}")
        (folder / "mitbatch.toml").write_text(text, encoding="utf-8")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            sandbox.advance(timedelta(seconds=int(line)))
            sys.stdout.write("leapt\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
