"""What was read of the ledger, as one digest for each part of it: the same reading again gives the same digests."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import orjson

_Row = TypeVar("_Row", bound=Sequence[object])
_Entry = TypeVar("_Entry")


class SeenRows:
    """Digests by part of whatever passes by. Types count: a number is not the text that looks like it.

    Of what a database can hold only an infinite number looks like none at all; no column has room for one, and none is written.
    """

    def __init__(self) -> None:
        self._streams: dict[str, hashlib._Hash] = {}
        self._facts: dict[str, str] = {}

    def rows(self, part: str, chunks: Iterable[Sequence[_Row]]) -> Iterator[_Row]:
        """Hand on rows of a database as they come, and see them; their order counts, and into which chunks they fall."""
        digest = self._streams.setdefault(part, hashlib.sha256())
        for chunk in chunks:
            digest.update(_plain([tuple(row) for row in chunk]))
            yield from chunk

    def entries(self, part: str, entries: Iterable[_Entry]) -> Iterator[_Entry]:
        """Hand on entries that say all about themselves in their `repr`, and see them; their order counts."""
        digest = self._streams.setdefault(part, hashlib.sha256())
        for entry in entries:
            digest.update(_text(entry))
            yield entry

    def fact(self, part: str, value: object) -> None:
        """See one value, a part by itself, that says all about itself in its `repr`."""
        self._facts[part] = hashlib.sha256(_text(value)).hexdigest()

    def parts(self) -> dict[str, str]:
        """The digest of each part that was seen so far."""
        return {part: digest.hexdigest() for part, digest in self._streams.items()} | self._facts


def _plain(rows: list[tuple[object, ...]]) -> bytes:
    try:
        return orjson.dumps(rows)
    except TypeError:  # bytes, half a surrogate pair, or a type of the driver's own
        return _text(rows)


def _text(value: object) -> bytes:
    return repr(value).encode("utf-8", "backslashreplace") + b"\n"
