"""The pretend provider in a process of its own, which can be put back to what it had received at a moment."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from jobs.clock import MovableClock
from tests.crash import provider as crash
from tests.crash.provider import START


class Provider(crash.Provider):
    """The provider of the crash tests, with one more wish. Its clock stands at START until it is moved."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "tests.power.provider", str(folder)]
        repository = Path(__file__).resolve().parents[2]
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=repository)
        first = self._line()
        self.settings_toml: str = first["settings_toml"]
        self.sftp_port: int = first["sftp_port"]

    def __enter__(self) -> Self:
        """Nothing more: the process runs already."""
        return self

    def restore(self, received: list[list[str]], inbound: dict[str, str], seconds: int) -> None:
        """Forget everything, receive these files (name, Latin-1 text) at START, find these in inbound, and let time pass."""
        self._ask({"do": "restore", "received": received, "inbound": inbound, "seconds": seconds})


def serve(folder: Path) -> None:
    """Run the sandbox until stdin ends."""
    from jobs.sandbox import Sandbox

    clock = MovableClock(START)
    with Sandbox(folder, clock=clock) as sandbox:
        sandbox._bearers._tidy_at = datetime.max.replace(tzinfo=UTC)  # going back in time, it must know its tokens of then
        crash._say({"settings_toml": sandbox.settings_toml("var", "sqlite:///orders.db"), "sftp_port": sandbox.sftp_port})
        for line in sys.stdin:
            question = json.loads(line)
            if question["do"] == "restore":
                clock.advance(START - clock.now())
                sandbox.reset()
                _receive(sandbox, question)
                crash._say({})
            elif question["do"] == "advance":
                sandbox.advance(timedelta(seconds=question["seconds"]))
                crash._say({})
            elif question["do"] == "settle":
                crash._say({} if crash._is_settled(sandbox) else {"problem": "a connection stays open"})
            else:
                inbound = crash._contents(sandbox.inbound)
                crash._say({"journal": sandbox.journal(), "orders": sandbox.orders(), "inbound": inbound})


def _receive(sandbox: Any, question: dict[str, Any]) -> None:  # noqa: ANN401 - its mailbox is private
    for name, content in question["received"]:
        (sandbox.inbound / name).write_bytes(content.encode("latin-1"))
        sandbox._mailbox.arrived(name)
    for name, content in question["inbound"].items():
        (sandbox.inbound / name).write_bytes(content.encode("latin-1"))
    sandbox.advance(timedelta(seconds=question["seconds"]))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
