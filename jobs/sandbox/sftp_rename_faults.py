"""Faults of renames, the moment at which a file becomes the provider's."""

import errno

from jobs.sandbox.faults import fault
from jobs.sandbox.sftp_faults import SftpCall, denied


@fault("rename.before")
def refuse_rename(call: SftpCall) -> None:
    """A rename is answered with permission denied, and does not happen (N-07)."""
    denied()


@fault("rename.before")
def name_taken(call: SftpCall) -> None:
    """A file with other content bears the final name when the rename comes (N-14)."""
    call.taken_before = True


@fault("rename.after")
def failure_after_rename(call: SftpCall) -> None:
    """The rename happens, and the answer says that it failed (N-04, N-14)."""
    raise OSError(errno.EIO, "failure, on purpose")


@fault("rename.before")
def rename_unsupported(call: SftpCall) -> None:
    """A rename is answered with operation unsupported (N-15)."""
    raise OSError(errno.ENOTSUP, "unsupported, on purpose")


@fault("rename.before")
def copied_rename(call: SftpCall) -> None:
    """The rename is a copy that breaks off: both names are there, the final one with half of the bytes (N-15)."""
    call.copied = True


@fault("rename.done")
def take_file_at_once(call: SftpCall) -> None:
    """The file is picked up and gone from inbound inside the rename (N-05, F-09)."""
    call.at_once = True


@fault("rename.before")
def drop_before_rename(call: SftpCall) -> None:
    """The connection is cut on a rename that does not happen (N-02)."""
    call.cut()


@fault("rename.after")
def drop_after_rename(call: SftpCall) -> None:
    """The rename happens, and the connection is cut before the reply (N-04)."""
    call.cut()
