"""Faults in the bytes of outbound files. `where` limits one to acknowledgement or outcomes."""

import gzip
import re

from jobs.sandbox.faults import fault
from jobs.sandbox.outbound_faults import TextCall

_DEPTH = 100_000
_DIGITS = 1_000_000
_UNPACKED_BYTES = 64 * 1024 * 1024


@fault("outbound.text")
def cut_inside_character(call: TextCall) -> None:
    """The file ends inside a character of several bytes (F-01)."""
    call.content = call.content[: len(call.content) // 2] + "\u00e9".encode()[:1]


@fault("outbound.text")
def byte_order_mark(call: TextCall) -> None:
    """The file begins with a UTF-8 byte order mark (F-13)."""
    call.content = b"\xef\xbb\xbf" + call.content


@fault("outbound.text")
def utf16_file(call: TextCall) -> None:
    """The file is UTF-16 (F-13)."""
    call.content = call.content.decode("utf-8", "replace").encode("utf-16")


@fault("outbound.text")
def cp1252_file(call: TextCall) -> None:
    """The file is in code page 1252, and a name in it has an umlaut (F-13)."""
    call.content = call.content.replace(b"{", b'{"city": "Z\xfcrich",', 1) if not call.as_csv else call.content + b"Z\xfcrich"


@fault("outbound.text")
def mixed_encodings(call: TextCall) -> None:
    """The first half is UTF-8 and the second UTF-16 (F-13)."""
    half = len(call.content) // 2
    call.content = call.content[:half] + call.content[half:].decode("utf-8", "replace").encode("utf-16-le")


@fault("outbound.text")
def nul_bytes(call: TextCall) -> None:
    """A run of NUL bytes follows the text, as on a disk that lost power (F-13)."""
    call.content += bytes(512)


@fault("outbound.text")
def crlf_lines(call: TextCall) -> None:
    """Lines end with CR LF (F-14)."""
    call.content = call.content.replace(b"\n", b"\r\n")


@fault("outbound.text")
def mixed_line_ends(call: TextCall) -> None:
    """Lines end with CR LF, LF and CR in turn (F-14)."""
    ends = (b"\r\n", b"\n", b"\r")
    lines = call.content.split(b"\n")
    call.content = b"".join(line + ends[n % 3] for n, line in enumerate(lines[:-1])) + lines[-1]


@fault("outbound.text")
def no_last_newline(call: TextCall) -> None:
    """The last line has no end (F-14)."""
    call.content = call.content.rstrip(b"\r\n")


@fault("outbound.text")
def empty_file(call: TextCall) -> None:
    """The file has zero bytes (F-16)."""
    call.content = b""


@fault("outbound.text")
def deep_json_file(call: TextCall) -> None:
    """The file is JSON a hundred thousand levels deep (F-18)."""
    call.content = b'{"responses":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"


@fault("outbound.text")
def huge_number(call: TextCall) -> None:
    """The mid is a number of a million digits (F-18)."""
    call.content = re.sub(rb'"mid": "[^"]*"', b'"mid": ' + b"9" * _DIGITS, call.content, count=1)


@fault("outbound.text")
def gzip_bomb_file(call: TextCall) -> None:
    """The file is gzip, a few kilobytes that unpack to 64 megabytes (F-18)."""
    call.content = gzip.compress(bytes(_UNPACKED_BYTES), 1, mtime=0)
