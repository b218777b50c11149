"""A command that is killed, as the kernel does it, at one moment: `python -m tests.certify.killed MOMENT ARGUMENTS...`.

Nothing of the program is changed up to that moment; the moment is a call that is let through, or not, before the process dies.
Behind it, `@AUTHORITY` lets production's names lead to this machine (`two_sandboxes.py`).
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from jobs.cli import run
from tests.certify.two_sandboxes import lead_here

MOMENTS: dict[str, tuple[str, str, str, bool]] = {
    "noted": ("jobs.certify.unfinished", "Unfinished", "note", True),
    "made": ("jobs.certify.scratch_orders", "", "_shared", False),
    "tokenized": ("jobs.certify.bench", "Bench", "tokenize", True),
    "sent": ("jobs.certify.looks", "", "call_is_answered", True),
    "dropped": ("jobs.certify.unfinished", "", "_remove", False),
    "pack": ("jobs.certify.chain", "Chain", "add", False),
    "before the lock": ("jobs.golive.command", "", "lock_identity", False),
    "after the lock": ("jobs.golive.command", "", "lock_identity", True),
    "before the event": ("jobs.certify.chain", "Chain", "_written", False),
    "after the event": ("jobs.certify.chain", "Chain", "_written", True),
}
"""Module, class (or none), the call, and whether it is let through first."""


def killed_at(moment: str) -> None:
    """Let this process die at this moment."""
    module, owner, name, is_after = MOMENTS[moment]
    holder: Any = import_module(module)
    holder = getattr(holder, owner) if owner else holder
    setattr(holder, name, dying(getattr(holder, name), is_after=is_after))


def dying(call: Callable[..., Any], *, is_after: bool) -> Callable[..., Any]:
    """The call, and then the end of this process; or the end before it."""

    def dies(*arguments: Any, **more: Any) -> None:  # noqa: ANN401 - whatever the call takes
        if is_after:
            call(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    return dies


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and die in it."""
    moment, _, authority = arguments[0].partition("@")
    if authority:
        lead_here(Path(authority), pytest.MonkeyPatch())
    killed_at(moment)
    return run(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
