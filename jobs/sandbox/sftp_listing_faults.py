"""Faults of directory listings and of what a session sees."""

from jobs.sandbox.faults import fault
from jobs.sandbox.sftp_faults import SftpCall

_MANY = 10_001
HOSTILE_NAMES = (
    b"../../etc_response.json",
    b"/etc/passwd_response.json",
    b"..\\..\\x_response.json",
    b"nul\x00_response.json",
    b"two\nlines_response.json",
    b"x" * 300 + b"_response.json",
    b"-rf_response.json",
    b"gpj\xe2\x80\xaenosj_response.json",
    b"Outcomes_twice.json",
    b"outcomes_twice.json",
)
"""Names that no client may use as a path: steps upwards, control characters, a name that reads backwards, twice by case."""


@fault("list.before")
def stale_list(call: SftpCall) -> None:
    """A listing does not show the newest file (N-16)."""
    call.change_listing = lambda names: sorted(names[:-1])


@fault("list.before")
def partial_list(call: SftpCall) -> None:
    """A listing leaves out every second name, beginning with the first (N-16)."""
    call.change_listing = lambda names: sorted(names)[1::2]


@fault("list.before")
def unordered_list(call: SftpCall) -> None:
    """A listing is in no order: newest first, then every name from both ends in turn (N-16)."""
    call.change_listing = lambda names: [names[-1 - n // 2] if n % 2 == 0 else names[n // 2] for n in range(len(names))]


@fault("list.before")
def crowded_list(call: SftpCall) -> None:
    """A listing holds 10,001 names of files that are not there when they are asked for (N-16)."""
    call.change_listing = lambda names: [*names, *(b"old_%05d_response.json" % n for n in range(_MANY))]


@fault("list.before")
def hostile_names(call: SftpCall) -> None:
    """A listing holds names that want to be paths, options, control characters, or each other (F-17)."""
    call.change_listing = lambda names: [*HOSTILE_NAMES, *names]


@fault("open.before", wants=lambda call: not call.written)
def vanished_file(call: SftpCall) -> None:
    """A file that was listed is gone when it is opened for reading (N-16)."""
    message = "no such file, on purpose"
    raise FileNotFoundError(2, message)


@fault("any.before", wants=lambda call: call.where in ("list", "stat"))
def other_host_view(call: SftpCall) -> None:
    """A listing or a look at a file sees the empty folders of another host behind the same name (N-18)."""
    call.elsewhere = True
