"""Faults of a line that is slow or broken on one side."""

import asyncio

from jobs.sandbox.faults import fault
from jobs.sandbox.sftp_faults import SftpCall

_SLOW_SECONDS = 1.0


@fault("read.before")
async def one_byte_a_second(call: SftpCall) -> None:
    """A read brings one byte, after a second (N-10)."""
    await asyncio.sleep(_SLOW_SECONDS)
    call.most_bytes = 1


@fault("write.before")
async def slow_write(call: SftpCall) -> None:
    """A write is answered after `after` milliseconds, a second if not given (N-10)."""
    await asyncio.sleep(_SLOW_SECONDS if call.after is None else call.after / 1000)


@fault("any.before")
async def half_closed(call: SftpCall) -> None:
    """The server says that it will send no more, keeps the line open, and neither acts nor answers (N-11)."""
    call.half_close()
    if call.gone is not None:
        await call.gone()


@fault("any.before")
def reset_line(call: SftpCall) -> None:
    """The connection is reset in place of an answer, and nothing happens (N-11)."""
    call.cut()
