"""What must be proven before a byte or a name goes out once more, and what stops the files after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest

from batch.departures import Departures
from batch.sftp import SftpFolder
from batch.sftp_connection import SftpConnections
from schemas.errors import (
    ApiLoginRefused,
    ApiUnreachable,
    FileNotWritten,
    HostKeyChanged,
    MitbatchError,
    OrdersUnreachable,
    SftpLoginRefused,
    SftpLost,
    SftpUnreachable,
)
from tests.table.desk import Desk

ONE, TWO = "b00000000001", "b00000000002"
PART = f"{ONE}.json.part"
OF_ALL = (HostKeyChanged, SftpUnreachable, SftpLoginRefused, ApiUnreachable, ApiLoginRefused, OrdersUnreachable, FileNotWritten)


def test_a_rename_is_asked_for_again_only_for_our_own_part(desk: Desk) -> None:
    """The answer is lost and a part is there, but another run has put it there since: it is not renamed, and all is in doubt."""
    batch = desk.held(ONE, "a")
    desk.folder.trouble["publish"] = [SftpLost("lost")]
    desk.folder.before["sha256_of"] = lambda: desk.folder.files.update({PART: b"written late by a run that was overtaken"})
    assert desk.deliver(batch) == ["MB-SFTP-REFUSED"]
    assert (desk.batch(ONE).step, desk.states("a")) == ("in_doubt", ["in_doubt"])
    assert list(desk.folder.files) == [PART]


@pytest.mark.parametrize("kind", OF_ALL)
def test_what_is_so_for_every_file_is_met_once(kind: type[MitbatchError], desk: Desk) -> None:
    """A login that is refused, a server that is away, a disk that is full: the next file is not tried, and is named."""
    batches = [desk.held(ONE, "a"), desk.held(TWO, "b")]
    problem = kind("as it is for all")
    desk.folder.trouble["write_part"] = [problem, problem]
    assert desk.deliver(*batches) == [problem.code]
    assert len(desk.folder.trouble["write_part"]) == 1
    assert desk.findings.undelivered == [f"{ONE}.json", f"{TWO}.json"]


@pytest.mark.parametrize(("seconds", "state"), [(0, "withdrawn"), (1, "sending")])
def test_an_order_goes_until_a_day_before_its_expiry(seconds: int, state: str, desk: Desk) -> None:
    """At 24 hours it stays at home; a second more, and it goes (CONTRACT 7.6)."""
    batch = desk.held(ONE, "a")
    desk.room.clock.advance(timedelta(days=20, seconds=-seconds))
    desk.room.run = desk.room.take("second")
    assert desk.deliver(batch) == []
    assert desk.states("a") == [state]


class Remote:
    """A file on a server, and in which order it was touched."""

    def __init__(self, content: bytes, told: list[str]) -> None:
        self.content, self._told, self._at = BytesIO(content), told, 0

    def __enter__(self) -> Self:
        """It is open."""
        return self

    def __exit__(self, *failure: object) -> None:
        """It is closed."""

    def truncate(self, size: int) -> None:
        """Cut it."""
        self._told.append("cut")
        self.content.truncate(size)

    def seek(self, place: int) -> None:
        """Go there."""
        self.content.seek(place)

    def write(self, piece: bytes) -> None:
        """Write a piece."""
        self._told.append("written")
        self.content.write(piece)

    def read(self, most: int) -> bytes:
        """Read so much."""
        self._told.append(f"read {most}")
        return self.content.read(most)


class Server:
    """Connections to a server with one file."""

    def __init__(self, content: bytes) -> None:
        self.told: list[str] = []
        self.file = Remote(content, self.told)

    @contextmanager
    def step(self, _what: str) -> Iterator[Self]:
        """One step."""
        yield self

    def open(self, _path: str, mode: str) -> Remote:
        """Open the file."""
        self.told.append(f"opened {mode}")
        return self.file

    def stat(self, _path: str) -> SimpleNamespace:
        """How large it is."""
        return SimpleNamespace(st_size=len(self.file.content.getvalue()))

    def folder(self) -> SftpFolder:
        """The folder in which it is."""
        return SftpFolder(cast("SftpConnections", self), inbound="/inbound", outbound="/outbound")


def test_the_proof_is_recorded_before_a_byte_changes() -> None:
    """The part is opened without leave to create it, then the proof is written down, and only then is it cut and written."""
    server = Server(b"with an old token")
    server.folder().rewrite_part(PART, b"with a fresh one", lambda: server.told.append("proof"))
    assert server.told == ["opened r+", "proof", "cut", "written"]
    assert server.file.content.getvalue() == b"with a fresh one"


@pytest.mark.parametrize(("size", "is_read"), [(7, True), (8, True), (9, False)])
def test_a_file_is_read_up_to_its_limit(size: int, is_read: bool) -> None:
    """A file as large as may be is read whole; one byte more, and nothing of it is (F-18)."""
    content = b"x" * size
    server = Server(content)
    assert server.folder().fetch("outcomes_20261123.json", 8) == (content if is_read else None)
    assert server.told[:2] == ["opened rb", "read 9"], "no more is asked for than tells that it is too large"


class _Refuses:
    """A disk that refuses a step, with a reason of the operating system's or without one."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Any:  # noqa: ANN401 - any step of a disk
        """Every step is refused."""

        def refuse(*_: object) -> None:
            raise self._error

        return refuse


@pytest.mark.parametrize("error", [OSError("the folder went away"), OSError(28, "the folder went away")])
def test_a_mark_that_cannot_be_written_says_why(error: OSError) -> None:
    """Whatever the operating system says of it, with a number or without one, is told; the file does not leave (I4)."""
    departures = Departures(Path("/marks"), cast("Any", _Refuses(error)))
    with pytest.raises(FileNotWritten, match=r"could not be written \(the folder went away\)"):
        departures.mark("evaluate", ONE, f"{ONE}.json")
    with pytest.raises(FileNotWritten, match=r"could not be removed \(the folder went away\)"):
        departures.unmark("evaluate", ONE)
