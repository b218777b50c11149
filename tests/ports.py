"""Ports that are ours for a while."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """A port where nobody listens and which only who names it can have, until the block ends.

    While a socket is bound to it, the system gives it to nobody who asks for any port, nor to any outgoing connection; and as
    that socket never listens, a server that is told the port may (both say SO_REUSEADDR). A port that was only looked up and
    let go again may be another's by the time it is used.
    """
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])
