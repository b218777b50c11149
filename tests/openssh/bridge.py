"""The provider's two halves put together: files arrive at OpenSSH, the pretend provider's brain reads and answers them."""

from datetime import datetime, timedelta
from pathlib import Path

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from tests.openssh.server import OpenSshServer
from tests.sandbox.merchant import deliver, sftp

START = datetime.fromisoformat("2026-11-23T06:30:00+00:00")


class Bridge:
    """Carries finished files from OpenSSH's inbound folder to the sandbox over SFTP, and its answers back."""

    def __init__(self, server: OpenSshServer, sandbox: Sandbox) -> None:
        self._server = server
        self._sandbox = sandbox
        self.carried: list[str] = []

    def carry(self) -> None:
        """Take every finished file away, and put every new answer where the merchant looks for it."""
        finished = sorted(path for path in self._server.inbound.iterdir() if not path.name.endswith(".part"))
        if finished:
            with sftp(self._sandbox) as session:
                for path in finished:
                    deliver(session, path.name, path.read_bytes())
                    path.unlink()
                    self.carried.append(path.name)
        for answer in sorted(self._sandbox.outbound.iterdir()):
            _put_whole(self._server.outbound / answer.name, answer.read_bytes())


def _put_whole(path: Path, content: bytes) -> None:
    if not path.exists():
        temporary = path.with_name(f".{path.name}")
        temporary.write_bytes(content)
        temporary.replace(path)


class BridgingClock(MovableClock):
    """A clock on which waiting means that the provider gets on with its work."""

    def __init__(self) -> None:
        super().__init__(START)
        self.bridge: Bridge | None = None

    def sleep(self, seconds: float) -> None:
        """Let the provider work, and move the clock."""
        if self.bridge is not None:
            self.bridge.carry()
        self.advance(timedelta(seconds=seconds))
