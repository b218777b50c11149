"""Lines come out of the pipe whole, in one buffer that is wiped, and from nothing but a pipe."""

import os
import pty
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from batch.card_lines import MOST_LINE_BYTES
from jobs import card_pipe
from jobs.card_pipe import check_pipe, lines_of
from schemas.errors import UsageRefused
from tests.cards.desk import CANARY, piped

LONGEST = b"x" * MOST_LINE_BYTES


def lines(content: bytes) -> list[tuple[int, bytes | None]]:
    """Everything that comes out of a pipe with this content."""
    with piped(content) as descriptor:
        return list(lines_of(descriptor))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", []),
        (b"\n \r\n\t\n", []),
        (b"a\nb\n", [(1, b"a"), (2, b"b")]),
        (b"a\n\nb", [(1, b"a"), (3, b"b")]),
        (b"a\r\nb\r\n", [(1, b"a"), (2, b"b")]),
        (LONGEST + b"\nb\n", [(1, LONGEST), (2, b"b")]),
        (LONGEST, [(1, LONGEST)]),
        (LONGEST + b"x\nb\n", [(1, None), (2, b"b")]),
        (LONGEST + b"x", [(1, None)]),
        (LONGEST * 9 + b"\nb", [(1, None), (2, b"b")]),
        (LONGEST * 2, [(1, None)]),
        (b"a\n" * 9000, [(number, b"a") for number in range(1, 9001)]),
    ],
    ids=range(12),
)
def test_lines_come_out_whole(content: bytes, found: Sequence[tuple[int, bytes | None]]) -> None:
    """Lines are numbered from 1 whatever their ends, blank ones are passed over, one that is too long is None."""
    assert lines(content) == list(found)


def test_a_line_may_come_in_pieces() -> None:
    """A line that arrives byte by byte is the same line."""
    out, into = os.pipe()
    got = lines_of(out)
    for piece in (b"a", b"b", b"\nc", b"\n"):
        os.write(into, piece)
    os.close(into)

    assert list(got) == [(1, b"ab"), (2, b"c")]
    os.close(out)


def test_the_buffer_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each line, and when the reader stops half way, no byte of a line that was done is left in the buffer."""
    buffers: list[bytearray] = []

    class Kept(bytearray):
        """A buffer that the test can look into."""

        def __init__(self, size: int) -> None:
            super().__init__(size)
            buffers.append(self)

    monkeypatch.setattr(card_pipe, "bytearray", Kept, raising=False)
    number = CANARY.encode()
    with piped(b"1" + number + b"\n2" + number + b"\n") as descriptor:
        found = lines_of(descriptor)
        assert next(found) == (1, b"1" + number)
        next(found)
        assert b"1" + number not in buffers[0]
        found.close()

    assert buffers[0] == bytes(2 * MOST_LINE_BYTES)


def test_a_terminal_is_refused() -> None:
    """A terminal is no pipe: the command refuses instead of waiting for somebody to type a card number."""
    leader, follower = pty.openpty()
    with pytest.raises(UsageRefused, match="standard input is a terminal"):
        check_pipe(follower)
    os.close(leader)
    os.close(follower)


def test_a_file_is_refused(tmp_path: Path) -> None:
    """A file of card data is refused unread: no card data may lie in files."""
    path = tmp_path / "cards.jsonl"
    path.touch()
    with path.open("rb") as file, pytest.raises(UsageRefused, match="a file, where no card data may lie"):
        check_pipe(file.fileno())
    with Path("/dev/null").open("rb") as nothing, pytest.raises(UsageRefused, match="no pipe"):
        check_pipe(nothing.fileno())
    with pytest.raises(UsageRefused, match="closed"):
        check_pipe(9999)


def test_pipes_and_sockets_are_taken() -> None:
    """What a shell, a program or a service manager connects is taken."""
    out, into = os.pipe()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        check_pipe(out)
        check_pipe(ours.fileno())
    os.close(out)
    os.close(into)
