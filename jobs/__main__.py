"""`mitbatch`, also `python -m jobs`: runs one command and ends with its exit code, whatever happens."""

import gc
import io
import resource
import sys

from jobs.cli import run

COLLECTED = (50_000, 20, 20)
"""How often Python looks for objects that only name one another: rarely, for a night makes millions and hardly any such."""


def main() -> None:
    """The console script.

    No core is ever dumped, for secrets are in memory. What the terminal's encoding cannot show is escaped: a run that
    worked never fails for that.
    """
    gc.set_threshold(*COLLECTED)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
