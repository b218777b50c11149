"""Single steps on the provider's server: what counts as alive, and what is believed of a file's size."""

from types import SimpleNamespace
from typing import cast

import pytest

from batch import sftp
from batch.sftp import SftpFolder
from batch.sftp_connection import SftpConnections
from tests.table.test_send_proofs import PART, Remote, Server


class NewPart(Remote):
    """A part that is being written anew."""

    def set_pipelined(self, is_on: bool) -> None:
        """Blocks are not waited for one by one."""
        assert is_on


class FreshServer(Server):
    """A server on which a part is written anew; it tells the sizes of its files, or does not."""

    def __init__(self, content: bytes = b"", *, tells_sizes: bool = True) -> None:
        super().__init__(content)
        self.file: Remote = NewPart(content, self.told)
        self._tells_sizes = tells_sizes

    def remove(self, _path: str) -> None:
        """Nothing is there."""
        raise FileNotFoundError

    def stat(self, path: str) -> SimpleNamespace:
        """The size, if it is told."""
        return super().stat(path) if self._tells_sizes else SimpleNamespace(st_size=None)

    lstat = stat


def folder_of(server: FreshServer, beats: list[int]) -> SftpFolder:
    """Its folder, on which each beat is noted."""
    place = {"inbound": "/inbound", "outbound": "/outbound"}
    return SftpFolder(cast("SftpConnections", server), **place, beat=lambda: beats.append(1))


def test_each_block_that_moves_is_a_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is written, and once more when the server has confirmed it all; and of what is read."""
    monkeypatch.setattr(sftp, "_BLOCK", 2)
    beats: list[int] = []
    server = FreshServer()
    folder_of(server, beats).write_part(PART, b"abcde")
    assert (server.file.content.getvalue(), len(beats)) == (b"abcde", 4)
    beats.clear()
    assert folder_of(FreshServer(b"abcde"), beats).fetch("outcomes_20261123.json", 8) == b"abcde"
    assert len(beats) == 3


@pytest.mark.parametrize(("tells_sizes", "size"), [(True, 5), (False, -1)])
def test_a_size_that_is_not_told_is_none_that_a_file_can_have(tells_sizes: bool, size: int) -> None:
    """The file is there, and is taken for no other of a known size."""
    assert folder_of(FreshServer(b"abcde", tells_sizes=tells_sizes), []).size_of(PART) == size


def test_a_part_whose_size_is_not_told_is_read_back() -> None:
    """One byte more than was sent is asked for: that is enough to tell a longer one."""
    server = FreshServer(tells_sizes=False)
    real, written = server.file.write, list[bytes]()

    def write(piece: bytes) -> None:
        real(piece)
        server.file.content.seek(0)
        written.append(piece)

    server.file.write = write  # type: ignore[method-assign]
    folder_of(server, []).write_part(PART, b"abcde")
    assert written == [b"abcde"]
    assert server.told[-1] == "read 6"
