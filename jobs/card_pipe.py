"""Card data from a pipe: where it may come from, line by line in one buffer that is wiped, and no picture of the memory."""

import contextlib
import ctypes
import os
import resource
import stat
import sys
from collections.abc import Generator

from batch.card_lines import MOST_LINE_BYTES
from schemas.errors import UsageRefused

_PR_SET_DUMPABLE = 4


def check_pipe(descriptor: int) -> None:
    """Refuse anything but a pipe or a socket, before a byte of it is read. Raises UsageRefused."""
    example = "Example: export-cards | mitbatch tokenize"
    if os.isatty(descriptor):
        raise UsageRefused("Card data is read from a pipe, and standard input is a terminal.", next_step=example)
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        raise UsageRefused("Card data is read from a pipe, and standard input is closed.", next_step=example) from None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        kind = "a file, where no card data may lie" if stat.S_ISREG(mode) else "no pipe"
        raise UsageRefused(f"Card data is read from a pipe, and standard input is {kind}.", next_step=example)


def keep_no_picture() -> None:
    """No core file of this process, and none piped to a crash reporter; on Linux its memory is closed to other processes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without it: the limit above still stands
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def lines_of(descriptor: int) -> Generator[tuple[int, bytes | None], None, None]:
    """Each line that is not blank with its number from 1, without its line break; None for one that is too long.

    All lines pass through one buffer of fixed size, of which every byte is overwritten once its line is done with.
    """
    buffer = bytearray(2 * MOST_LINE_BYTES)
    view = memoryview(buffer)
    filled, number, is_overlong = 0, 0, False
    try:
        while True:
            got = os.readv(descriptor, [view[filled:]])
            filled += got
            if not got and (filled or is_overlong):
                buffer[filled] = 0x0A  # the last line may lack its break; there is always room, see below
                filled += 1
            start = 0
            while (end := buffer.find(b"\n", start, filled)) >= 0:
                number += 1
                if is_overlong or end - start > MOST_LINE_BYTES:
                    yield number, None
                elif line := bytes(view[start:end]).strip(b" \t\r"):
                    yield number, line
                is_overlong = False
                _wipe(view[start : end + 1])
                start = end + 1
            if not got:
                return
            rest = filled - start
            if rest > MOST_LINE_BYTES:
                is_overlong, rest = True, 0  # its end is still to come; what is here of it is dropped
            view[:rest] = view[start : start + rest]
            _wipe(view[rest:filled])
            filled = rest
    finally:
        _wipe(view)


def _wipe(view: memoryview) -> None:
    view[:] = bytes(len(view))
