"""Cutting a stream into pieces, so that memory does not grow with the night."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Thing = TypeVar("Thing")


def in_chunks(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """The things in order, as lists of at most `size`; nothing for an empty stream."""
    source = iter(things)
    while chunk := list(islice(source, size)):
        yield chunk
