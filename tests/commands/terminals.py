"""A command as a process whose stdout and stderr are each a terminal of its own, or a pipe."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.commands.merchant_folder import MerchantFolder
from tests.commands.walking import environment

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Stream:
    """What comes out of one end, read by a thread of its own; `saw` waits for words."""

    descriptor: int
    text: str = ""
    ended: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def read(self) -> None:
        """Read until the other end is closed; a terminal says so with an error."""
        with contextlib.suppress(OSError):
            while piece := os.read(self.descriptor, 65536):
                with self.changed:
                    self.text += piece.decode("utf-8", "replace")
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        os.close(self.descriptor)

    def saw(self, words: str, seconds: float = 60) -> bool:
        """Whether the words came, waiting for them."""
        with self.changed:
            self.changed.wait_for(lambda: words in self.text or self.ended, seconds)
            return words in self.text


@dataclass
class Running:
    """A process, and what it has said so far."""

    process: "subprocess.Popen[bytes]"
    out: Stream
    err: Stream

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Press Ctrl-C, or send another signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(timeout=60)


@contextmanager
def running(
    merchant: MerchantFolder, words: str, *, terminals: str = "", changed: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Start a command; `terminals` names the streams that are terminals: out, err."""
    ends = {name: pty.openpty() if name in terminals.split() else os.pipe() for name in ("out", "err")}
    line = [sys.executable, "-m", "jobs", "--config", str(merchant.config), *words.split()]
    process = subprocess.Popen(
        line,
        stdin=subprocess.DEVNULL,
        stdout=ends["out"][1],
        stderr=ends["err"][1],
        cwd=merchant.folder,
        env=environment(**{"TERM": "xterm", "COLUMNS": "200", **(changed or {})}),
    )
    streams = {name: Stream(ours) for name, (ours, _) in ends.items()}
    readers = [threading.Thread(target=stream.read) for stream in streams.values()]
    for _, theirs in ends.values():
        os.close(theirs)
    for reader in readers:
        reader.start()
    try:
        yield Running(process, streams["out"], streams["err"])
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=60)
        for reader in readers:
            reader.join(timeout=60)


def told(merchant: MerchantFolder, words: str, *, terminals: str = "", changed: Mapping[str, str] | None = None) -> Running:
    """Run a command to its end."""
    with running(merchant, words, terminals=terminals, changed=changed) as command:
        command.end()
    return command


def plain(text: str) -> str:
    """What a terminal shows of a text, without its escapes."""
    return ESCAPE.sub("", text).replace("\r", "")
