"""One child for each share of the work: not a daemon, so that a test that runs there can open a pool of its own."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Share = TypeVar("Share")
Result = TypeVar("Result")


def in_each_child(work: Callable[[Share], Result], shares: Sequence[Share]) -> Iterator[Result]:
    """Do the work for each share in a forked child of its own; results come in the order of the shares.

    The parent must have no other thread. An error in a child is raised here.
    """
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(len(shares), mp_context=context) as children:
        yield from children.map(work, shares)
