"""What is printed on: a reader that goes away, or a device that is full, ends no run and changes nothing of what it does."""

import io
import os
import select
import sys
from typing import Any, TextIO


class Outlet(io.RawIOBase):
    """A descriptor that takes whatever is written to it; what it refuses is dropped.

    `refusal` is why, where that is a fault: a full device, which may have room again for what comes later. A pipe that nobody
    reads any more is none (`| head -1`), and nothing more is written to it. One that is only full is waited for.
    """

    def __init__(self, descriptor: int) -> None:
        self.refusal = ""
        self._descriptor = descriptor
        self._is_shut = False

    def write(self, content: Any) -> int:  # noqa: ANN401 - whatever is a buffer, as io has it
        """Write it, or drop it. Returns how much is done with."""
        block = memoryview(content)
        while not self._is_shut:
            try:
                return os.write(self._descriptor, block)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except BrokenPipeError:
                self._is_shut = True
            except OSError as error:
                self.refusal = self.refusal or error.strerror or str(error)
                break
        return block.nbytes

    def writable(self) -> bool:
        """It is there for nothing else."""
        return True

    def fileno(self) -> int:
        """The descriptor: whether it is a terminal, and how wide, is asked of that."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return os.isatty(self._descriptor)


def printing_on(descriptor: int, stream: TextIO | None) -> tuple[TextIO, Outlet]:
    """A stream in place of Python's own one, in the same encoding; what that cannot show is escaped.

    Where the descriptor was closed from the beginning, the null device takes its number: no file of ours may get it.
    """
    if stream is None:
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    outlet = Outlet(descriptor)
    encoding = stream.encoding if stream is not None else "utf-8"
    is_eager = isinstance(stream, io.TextIOWrapper) and (stream.line_buffering or stream.write_through)
    by_line = outlet.isatty() or is_eager
    return io.TextIOWrapper(io.BufferedWriter(outlet), encoding, errors="backslashreplace", line_buffering=by_line), outlet


def print_through_outlets() -> Outlet:
    """Let stdout and stderr go through outlets. Returns the outlet of stdout."""
    sys.stdout, out = printing_on(1, sys.stdout)
    sys.stderr, _ = printing_on(2, sys.stderr)
    return out
