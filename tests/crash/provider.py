"""The pretend provider in a process of its own, steered over a pipe: one JSON line asks, one answers."""

import contextlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from jobs.clock import MovableClock, ShiftedClock

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
"""Nine in the morning in New York: nothing here comes near the end of a business date."""

_SETTLED_SECONDS = 60


class Provider:
    """A sandbox in another process. `standing` clocks stand at START until they are moved, and go back there at `begin`."""

    def __init__(self, folder: Path, *, standing: bool = True) -> None:
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "tests.crash.provider", str(folder), "standing" if standing else "running"]
        repository = Path(__file__).resolve().parents[2]
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=repository)
        self.settings_toml: str = self._line()["settings_toml"]

    def __enter__(self) -> Self:
        """Nothing more: the process runs already."""
        return self

    def __exit__(self, *failure: object) -> None:
        """End the process."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait(timeout=30)
        self._program.stdout.close()

    def begin(self, inbound: dict[str, str] | None = None, seconds: int = 0) -> None:
        """Forget everything, stand at START plus so many seconds, with these files (name to Latin-1 text) in inbound."""
        self._ask({"do": "begin", "inbound": inbound or {}, "seconds": seconds})

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self._ask({"do": "advance", "seconds": seconds})

    def settle(self) -> None:
        """Wait until no connection of a dead client is left, so that what it had asked for is done or dropped."""
        self._ask({"do": "settle"})

    def switch_on(self, fault: str, where: str, skip: int = 0) -> None:
        """Let a fault strike once, after so many chances."""
        self._ask({"do": "fault", "name": fault, "where": where, "skip": skip})

    def record(self) -> dict[str, Any]:
        """The journal, how the provider sees each order now, and the files that lie in inbound (Latin-1 text)."""
        return self._ask({"do": "record"})

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(question) + "\n")
        self._program.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert line, "the provider's process ended"
        found: dict[str, Any] = json.loads(line)
        assert "problem" not in found, found
        return found


def serve(folder: Path, *, standing: bool) -> None:
    """Run the sandbox until stdin ends."""
    from jobs.sandbox import Sandbox

    clock = MovableClock(START) if standing else ShiftedClock()
    with Sandbox(folder, clock=clock) as sandbox:
        _say({"settings_toml": sandbox.settings_toml("var", "sqlite:///orders.db")})
        for line in sys.stdin:
            question = json.loads(line)
            if question["do"] == "begin":
                clock.advance(START + timedelta(seconds=question["seconds"]) - clock.now())
                sandbox.reset()
                for name, content in question["inbound"].items():
                    (sandbox.inbound / name).write_bytes(content.encode("latin-1"))
                _say({})
            elif question["do"] == "advance":
                sandbox.advance(timedelta(seconds=question["seconds"]))
                _say({})
            elif question["do"] == "fault":
                sandbox.faults.switch_on(question["name"], where=question["where"], skip=question["skip"])
                _say({})
            elif question["do"] == "settle":
                _say({} if _is_settled(sandbox) else {"problem": "a connection stays open"})
            else:
                _say({"journal": sandbox.journal(), "orders": sandbox.orders(), "inbound": _contents(sandbox.inbound)})


def _contents(folder: Path) -> dict[str, str]:
    """What lies in a folder; a file that the provider takes away meanwhile is not there."""
    found = {}
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found[path.name] = path.read_bytes().decode("latin-1")
    return found


def _is_settled(sandbox: Any) -> bool:  # noqa: ANN401 - its SFTP server is private
    ends = time.monotonic() + _SETTLED_SECONDS
    while sandbox._sftp._connections and time.monotonic() < ends:
        time.sleep(0.001)
    return not sandbox._sftp._connections


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), standing=sys.argv[2] == "standing")
