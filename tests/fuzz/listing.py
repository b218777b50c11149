"""Fuzzed SFTP listings: raw packets of a server that lies about names, counts, lengths and attributes (RFC draft filexfer-02)."""

import re
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import paramiko

from batch.sftp import PLAIN_NAME, SftpFolder
from batch.sftp_channel import MOST_NAMES, RemoteName, SftpChannel
from batch.sftp_connection import SftpConnections
from schemas.errors import SftpRefused
from tests.fuzz.dice import Dice
from tests.fuzz.targets import Judged, Target

NO_CLEAR_ANSWER = (
    EOFError,
    paramiko.SSHException,
    paramiko.SFTPError,
    UnicodeError,
    ValueError,
    IndexError,
    struct.error,
    OSError,
)
"""The errors that a step over SFTP turns into one of the project's own."""

HANDLE, NAME, STATUS, DATA = 102, 104, 101, 103
_NAMES = (
    b"evaluate_3f1c09ab_20261123_0a1b2c3d4e5f_response.json",
    b"outcomes_3f1c09ab_20261123T063000Z_1.json",
    b"../../x",
    b"/etc/passwd",
    b"..\\x",
    b".",
    b"..",
    b".hidden",
    b"-rf",
    b"a\nb",
    b"plain.json\n",
    b"nul\x00.json",
    b"\xff\xfe",
    "caf\u00e9.json".encode(),
    "\uff0e\uff0e/x".encode(),
    "\u202egnp.json".encode(),
    b"a" * 128,
    b"a" * 129,
    b"a" * 300,
    b"$(reboot)",
    b"CON",
    b"",
)


class _Server:
    """The channel under a session: what the server says stands fixed; what is said to it is remembered."""

    def __init__(self, stream: bytes) -> None:
        self._stream, self._place, self.heard = memoryview(packet(2, 3, b"") + stream), 0, bytearray()

    def send(self, content: bytes) -> int:
        """Take what the client says."""
        self.heard += content
        return len(content)

    def recv(self, size: int) -> bytes:
        """Say the next bytes; nothing at the end."""
        said = bytes(self._stream[self._place : self._place + size])
        self._place += len(said)
        return said

    def close(self) -> None:
        """Nothing is open."""

    def get_name(self) -> str:
        """A name for the log."""
        return "in memory"


class _OneSession:
    """Connections that lend one session for every step."""

    def __init__(self, session: SftpChannel) -> None:
        self._session = session

    @contextmanager
    def step(self, _what: str) -> Iterator[SftpChannel]:
        """Lend it."""
        yield self._session


def packet(kind: int, number: int, body: bytes) -> bytes:
    """One SFTP packet: length, kind, request number, body."""
    return struct.pack(">IBI", len(body) + 5, kind, number) + body


def text(content: bytes) -> bytes:
    """A string as SFTP writes it."""
    return struct.pack(">I", len(content)) + content


def entry(name: bytes, attributes: bytes = b"\x00\x00\x00\x00") -> bytes:
    """An entry of a listing."""
    return text(name) + text(b"-rw-r--r-- 1 a a 2 " + name[:20]) + attributes


def ended(number: int) -> bytes:
    """The end of a listing, and a good close after it."""
    end = struct.pack(">I", 1) + text(b"end") + text(b"")
    return packet(STATUS, number, end) + packet(STATUS, number + 1, struct.pack(">I", 0) + text(b"") + text(b""))


def listing(*entries: bytes) -> bytes:
    """A whole listing in one packet."""
    names = packet(NAME, 2, struct.pack(">I", len(entries)) + b"".join(entries))
    return packet(HANDLE, 1, text(b"handle")) + names + ended(3)


def session(stream: bytes) -> tuple[SftpChannel, _Server]:
    """A session with a server that says these packets."""
    server = _Server(stream)
    return SftpChannel(cast(paramiko.Channel, server)), server


def _attributes(dice: Dice) -> bytes:
    flags, body = 0, b""
    if not dice.one_in(5):
        flags, body = flags | 1, struct.pack(">Q", dice.choice([0, 2, 512, 1 << 31, (1 << 64) - 1]))
    if dice.one_in(3):
        flags, body = flags | 2, body + struct.pack(">II", 0, 0)
    if not dice.one_in(3):
        modes = (stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755, stat.S_IFLNK | 0o777, stat.S_IFIFO, 0, 0xFFFFFFFF)
        flags, body = flags | 4, body + struct.pack(">I", dice.choice(modes))
    if dice.one_in(3):
        flags, body = flags | 8, body + struct.pack(">II", 1, 2)
    if dice.one_in(6):
        claimed = dice.choice([0, 1, 1, 1, 2, 2, 2, 0xFFFFFFFF])
        flags, body = flags | 0x80000000, body + struct.pack(">I", claimed) + (text(b"x@y") + text(b"z")) * min(claimed, 2)
    if dice.one_in(20):
        flags = dice.getrandbits(32)
    return struct.pack(">I", flags) + body


def _made(dice: Dice) -> bytes:
    if dice.one_in(20):
        return dice.randbytes(dice.randint(0, 80))
    parts, number = [packet(HANDLE, 1, text(dice.choice([b"h", b"", b"\x00" * 256])))], 2
    for _ in range(dice.randint(0, 3)):
        names = [dice.choice(_NAMES) if not dice.one_in(5) else dice.odd_text().encode("utf-8", "surrogatepass")]
        names += [dice.choice(_NAMES) for _ in range(dice.randint(0, 3))]
        count = len(names) if not dice.one_in(12) else dice.choice([0, 1, 99, 0xFFFFFFFF])
        body = struct.pack(">I", count) + b"".join(entry(name, _attributes(dice)) for name in names)
        kind = NAME if not dice.one_in(20) else dice.choice([HANDLE, STATUS, DATA, 105, 0, 255])
        parts.append(packet(kind, number if not dice.one_in(25) else dice.getrandbits(32), body))
        number += 1
    stream = b"".join(parts) + ended(number)
    return dice.mutated(stream) if dice.one_in(4) else stream


def _judge(content: bytes) -> Judged:
    expected = _expected(content)
    channel, server = session(content)
    try:
        found = channel.entries("outbound")
    except NO_CLEAR_ANSWER:
        return Judged(["a good listing is refused"] if expected else [], is_deep=expected is not None)
    complaints = []
    if len(found) > MOST_NAMES or any(not isinstance(each, RemoteName) for each in found):
        complaints.append("the listing is without end")
    said = [(each.name.encode("utf-8", "surrogateescape"), each.size, each.is_file) for each in found]
    if expected is not None and said != expected:
        complaints.append("the listing is read as something else than it says")
    folder = SftpFolder(cast(SftpConnections, _OneSession(channel)), inbound="in", outbound="out")
    for each in found:
        complaints += _judge_name(folder, server, each.name)
    return Judged(complaints, is_deep=bool(found) or expected is not None)


def _judge_name(folder: SftpFolder, server: _Server, name: str) -> list[str]:
    is_plain = PLAIN_NAME.fullmatch(name) is not None
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    if is_plain:
        fine = 1 <= len(name) <= 128 and not set(name) - set(letters) and name[0] not in ".-"
        return [] if fine else ["a name is taken for plain that is not"]
    heard = len(server.heard)
    try:
        folder.fetch(name, 10)
    except SftpRefused as error:
        if len(server.heard) != heard:
            return ["a name that is not plain was asked for"]
        return ["a name breaks its own sentence"] if re.search("[\x00-\x1f\ud800-\udfff]", str(error)) else []
    return ["a name that is not plain was fetched"]


def _expected(content: bytes) -> list[tuple[bytes, int | None, bool]] | None:
    """What a well-formed stream lists, read apart from the program; None when it is not well formed."""
    found: list[tuple[bytes, int | None, bool]] = []
    try:
        rest, kind, number, _ = _next(content)
        if (kind, number) != (HANDLE, 1):
            return None
        for awaited in range(2, 100):
            rest, kind, number, body = _next(rest)
            if number != awaited:
                return None
            if kind == STATUS:
                is_end = body[:4] == b"\x00\x00\x00\x01" and _next(rest)[1:3] == (STATUS, awaited + 1)
                return found if is_end and _next(rest)[3] == bytes(12) and _is_end_text(body) else None
            if kind != NAME:
                return None
            found += _entries(body)
    except (struct.error, ValueError):
        return None
    return None


def _is_end_text(body: bytes) -> bool:
    return body[4:] in (text(b"end") + text(b""), text(b"") + text(b""))


def _next(stream: bytes) -> tuple[bytes, int, int, bytes]:
    size, kind, number = struct.unpack_from(">IBI", stream)
    if size < 5 or size > len(stream) - 4 or size >= 1 << 24:
        raise ValueError("cut")
    return stream[4 + size :], kind, number, stream[9 : 4 + size]


def _entries(body: bytes) -> list[tuple[bytes, int | None, bool]]:  # noqa: C901 - one field after another
    (count,), place, found = struct.unpack_from(">I", body), 4, []
    for _ in range(count):
        name, place = _string(body, place)
        _, place = _string(body, place)
        (flags,) = struct.unpack_from(">I", body, place)
        place, size, mode = place + 4, None, None
        if flags & 1:
            (size,), place = struct.unpack_from(">Q", body, place), place + 8
        if flags & 2:
            place += 8
        if flags & 4:
            (mode,), place = struct.unpack_from(">I", body, place), place + 4
        if flags & 8:
            place += 8
        if flags & 0x80000000:
            (extras,), place = struct.unpack_from(">I", body, place), place + 4
            for _ in range(2 * extras):
                _, place = _string(body, place)
        if place > len(body) or len(name) > 255 or flags & 0x7FFFFFF0:
            raise ValueError("cut")
        if name not in {b".", b".."}:
            found.append((name, size, mode is None or stat.S_IFMT(mode) == stat.S_IFREG))
    if place != len(body):
        raise ValueError("more than was promised")
    return found


def _string(body: bytes, place: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">I", body, place)
    if size > len(body) - place - 4:
        raise ValueError("cut")
    return body[place + 4 : place + 4 + size], place + 4 + size


LISTING = Target("listing", _made, _judge)
