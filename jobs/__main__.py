"""`mitbatch`, also `python -m jobs`: runs one command and ends with its exit code, whatever happens."""

import gc
import resource
import sys

from jobs.cli import run, say_unprinted
from jobs.outlet import print_through_outlets

COLLECTED = (50_000, 20, 20)
"""How often Python looks for objects that only name one another: rarely, for a night makes millions and hardly any such."""


def main() -> None:
    """The console script.

    No core is ever dumped, for secrets are in memory. What the terminal's encoding cannot show is escaped: a run that
    worked never fails for that, nor for a reader that goes away; an answer that did not get onto a full device is told.
    """
    gc.set_threshold(*COLLECTED)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = print_through_outlets()
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(say_unprinted(code, out.refusal) if out.refusal else code)


if __name__ == "__main__":
    main()
